"""A gateway whose broker is a fake, for every way in: over HTTP, and by the commands' files."""

from __future__ import annotations

from tests.unit.files.conftest import gateway, worked_out

__all__ = ["gateway", "worked_out"]
