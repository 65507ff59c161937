"""Lets ``python -m streams.cli`` be the ``brobygger`` command."""

from streams.cli.main import app

app()
