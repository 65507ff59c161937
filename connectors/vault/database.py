"""Opens the databases of the vault and the gateway: SQLite files that are safe to kill, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from connectors.vault.locking import hold_alone
from connectors.vault.migrating import Migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine, MetaData

LOCK_WAIT_MS = 30_000
_RETRY_SECONDS = 0.02
_IN_THE_WAY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
CONNECT_WAIT_SECONDS = 10


def is_there(url: str) -> bool:
    """Returns whether a database may be opened without making one."""
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()


def open_database(url: str, tables: MetaData | Migrations) -> Engine:
    """Returns an engine with the tables made, where missing, or brought to the newest version by their migrations.

    SQLite runs in WAL mode with full synchronisation: a committed row survives the loss of power, and
    several processes may write, each waiting up to 30 s for the other. The file is its owner's only. PostgreSQL is
    reached by psycopg, whatever driver the URL names. Raises NewerDatabaseError, and SQLAlchemyError.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        driven = parsed.set(drivername="postgresql+psycopg")
        connecting = {"connect_timeout": CONNECT_WAIT_SECONDS}
        engine = create_engine(driven, pool_pre_ping=True, hide_parameters=True, connect_args=connecting)
        event.listen(engine, "connect", _set_patient)
    elif parsed.get_backend_name() != "sqlite":
        raise ArgumentError("a database is SQLite or PostgreSQL")
    else:
        if parsed.database:
            _make_private_file(Path(parsed.database))
        engine = create_engine(parsed, connect_args={"timeout": LOCK_WAIT_MS / 1000}, hide_parameters=True)
        event.listen(engine, "connect", _set_durable)
    if isinstance(tables, Migrations):
        tables.upgrade(engine)
    else:
        _make_tables(engine, tables)
    return engine


def leave_no_trace(engine: Engine) -> None:
    """Rewrites a SQLite file without what was deleted, and empties its write-ahead log; blocks.

    Zeroing alone leaves what moved between pages, and the log keeps pages as they were. Raises OperationalError
    where another process reads for longer than 30 s. PostgreSQL's own VACUUM does this there.
    """
    if engine.dialect.name != "sqlite":
        return
    # The driver's own connection, since a VACUUM may stand in no transaction, not even an empty one.
    connection = engine.raw_connection()
    try:
        _rewritten(connection.cursor())
    except sqlite3.Error as error:
        raise OperationalError("VACUUM", None, error) from error
    finally:
        connection.close()


def _rewritten(cursor: Any) -> None:
    def rewrite() -> None:
        cursor.execute("VACUUM")
        [busy, *_] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            error = sqlite3.OperationalError("the write-ahead log is in use")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    _until_nobody_is_in_its_way(rewrite)


def _until_nobody_is_in_its_way(step: Callable[[], object]) -> None:
    """Takes a step for which SQLite gives up at once, without waiting, where others are about; tries for 30 s."""
    deadline = time.monotonic() + LOCK_WAIT_MS / 1000
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            # A file that can't be opened, or a disk that is full, stays so.
            if error.sqlite_errorcode & 0xFF not in _IN_THE_WAY or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(_RETRY_SECONDS)


def _make_tables(engine: Engine, tables: MetaData) -> None:
    # ``create_all`` looks first and creates afterwards, so that the second of two processes would fail; PostgreSQL's
    # own IF NOT EXISTS does where two create at once.
    with engine.begin() as connection:
        hold_alone(connection, "tables")
        for table in tables.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))


def _make_private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Only a new file is opened: closing a second descriptor of one that SQLite has open would drop its locks (POSIX),
    # and another process would take the write-ahead log away from under it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_patient(connection: Any, _record: object) -> None:
    """Lets a statement wait for others' locks as long as it would on SQLite, and no longer."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_WAIT_MS}")
    connection.commit()


def _set_durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    # Processes that switch a new file at the same moment don't wait for each other.
    _until_nobody_is_in_its_way(lambda: cursor.execute("PRAGMA journal_mode = WAL"))
    cursor.execute("PRAGMA synchronous = FULL")
    # What is deleted or replaced is overwritten with zeros, so that no free page keeps it.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()
