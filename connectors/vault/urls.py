"""Where a database is, told without importing what opens it: settings are read by every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sqlite_url(path: Path) -> str:
    """Returns the URL of a SQLite file.

    >>> from pathlib import Path
    >>> sqlite_url(Path("/data/vault.sqlite"))
    'sqlite:////data/vault.sqlite'
    """
    return f"sqlite:///{path}"
