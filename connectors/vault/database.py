"""Opens the databases of the vault and the gateway: SQLite files that are safe to kill, or PostgreSQL."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData

_LOCK_WAIT_MAX = timedelta(seconds=30)


def sqlite_url(path: Path) -> str:
    """Returns the URL of a SQLite file.

    >>> sqlite_url(Path("/data/vault.sqlite"))
    'sqlite:////data/vault.sqlite'
    """
    return f"sqlite:///{path}"


def open_database(url: str, tables: MetaData) -> Engine:
    """Returns an engine with the tables made, where missing.

    SQLite runs in WAL mode with full synchronisation: a committed row survives the loss of power, and
    several processes may write, each waiting up to 30 s for the other. The file is its owner's only.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    else:
        if parsed.database:
            _make_private_file(Path(parsed.database))
        engine = create_engine(parsed, connect_args={"timeout": _LOCK_WAIT_MAX.total_seconds()}, hide_parameters=True)
        event.listen(engine, "connect", _set_durable)
    _make_tables(engine, tables)
    return engine


def _make_tables(engine: Engine, tables: MetaData) -> None:
    # ``create_all`` looks first and creates afterwards, so that the second of two processes would fail.
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _set_durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # SQLite returns "busy" at once, without the waiting time, where two processes switch a new file to
    # WAL at the same moment; the busy timeout set first makes the second wait.
    cursor.execute(f"PRAGMA busy_timeout = {int(_LOCK_WAIT_MAX.total_seconds() * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
