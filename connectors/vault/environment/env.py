"""Alembic's environment: the connection and the transaction are the caller's (``connectors.vault.migrating``)."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table=context.config.attributes["version_table"]
)
context.run_migrations()
