"""The way into a database's tables: opened, read, and written in transactions that fail as the tables' owner says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from connectors.vault.database import open_database
from connectors.vault.migrating import NewerDatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine, MetaData

    from connectors.vault.migrating import Migrations

Result = TypeVar("Result")


class Access:
    """Opens, reads and writes the tables of one owner; each call blocks, and raises that owner's error."""

    def __init__(self, tables: MetaData | Migrations, name: str, error: type[Exception]) -> None:
        """Takes the tables or their migrations, what the errors call their database, and the errors' class."""
        self._tables = tables
        self._name = name
        self._error = error

    def open(self, url: str) -> Engine:
        """Returns an engine with the tables made or upgraded: SQLite, or PostgreSQL by its URL."""
        try:
            return open_database(url, self._tables)
        except NewerDatabaseError as error:
            raise self._error(f"{self._name} can't be opened: {error}") from error
        except (SQLAlchemyError, OSError) as error:
            raise self._error(f"{self._name} can't be opened: check its URL and folder") from error

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        """Gives a connection in a transaction that commits at the end of the block, or not at all.

        On SQLite one transaction writes at a time, from its beginning on: what is read in it stays true. One that read
        first and wrote later would fail, without waiting, where another process had written in between.
        """
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except SQLAlchemyError as error:
            raise self._error(f"{self._name} can't be read or written") from error

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        """Gives a connection that reads, and waits for no writer."""
        try:
            with engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._error(f"{self._name} can't be read") from error

    def write(self, engine: Engine, work: Callable[[Connection], Result]) -> Result:
        """Returns what the work returns, having committed it."""
        with self.writing(engine) as connection:
            return work(connection)

    def read(self, engine: Engine, work: Callable[[Connection], Result]) -> Result:
        """Returns what the work reads."""
        with self.reading(engine) as connection:
            return work(connection)


class Database:
    """One owner's database, opened; each call blocks on it, and raises that owner's error."""

    def __init__(self, access: Access, url: str) -> None:
        """Opens it, its tables made or upgraded: SQLite, or PostgreSQL by its URL."""
        self._access = access
        self._engine = access.open(url)

    def writing(self) -> AbstractContextManager[Connection]:
        """Gives a connection in a transaction that commits at the end of the block, or not at all."""
        return self._access.writing(self._engine)

    def reading(self) -> AbstractContextManager[Connection]:
        """Gives a connection that reads, and waits for no writer."""
        return self._access.reading(self._engine)

    def close(self) -> None:
        """Closes its connections."""
        self._engine.dispose()
