"""Youth ids: allotted at random, found again by a keyed hash of the identifier they stand for.

Each key in force has a row of its own for each identifier, so that a process finds it whichever of them it knows.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from connectors.vault.keys_in_force import KeyPurpose, OwnKeys
from connectors.vault.locking import hold_alone
from connectors.vault.tables import (
    INDEX,
    VaultUnavailableError,
    hold_known,
    in_transaction,
    open_vault_tables,
    reading,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine, Row

    from connectors.vault.keys import IndexKey

_YOUTH_ID_BYTES = 16
#: The lock of whoever adds rows for a youth id that has some.
REINDEXING = "reindexing"


def lookup_of(index_key: bytes, identifier_system: str, value: str) -> bytes:
    """Returns the HMAC-SHA-256 under which an identifier is found.

    The length of the system's name goes in too, so that no two pairs give the same text.
    """
    message = f"{len(identifier_system)}|{identifier_system}|{value}".encode()
    return hmac.new(index_key, message, hashlib.sha256).digest()


def index_row(key: IndexKey, youth_id: str, system: str, value: str) -> dict[str, Any]:
    """Returns the row under which a youth id is found by an identifier and a key."""
    return {
        "lookup": lookup_of(key.key, system, value),
        "youth_id": youth_id,
        "key_id": key.key_id,
    }


class SqlVault:
    """Keeps youth ids in a database; holds no identifier, name or address in clear.

    Safe to use from several threads and processes.
    """

    def __init__(self, engine: Engine, keys: Callable[[], Sequence[IndexKey]]) -> None:
        """Takes an engine whose tables ``open_vault`` has made, and what reads the keys: now, and after a rotation."""
        self._engine = engine
        self._keys = OwnKeys(KeyPurpose.INDEX, keys)

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the youth id of an identifier, allotting one where it is new: 32 hexadecimal characters.

        Blocks on the database. The same identifier gives the same id in every process; identifiers are
        told apart byte by byte, so callers bring them to one form. Raises VaultUnavailableError: nothing is
        allotted then, or it is and the next call returns it.
        """
        found = self._found(identifier_system, value)
        if not found:
            return self._allotted(identifier_system, value)
        youth_id: str = found[0].youth_id
        if len(found) < len(self._keys.all()):
            self._complete(youth_id, identifier_system, value)
        return youth_id

    def known_youth_id(self, identifier_system: str, value: str) -> str | None:
        """Returns the youth id of an identifier, or None where none was allotted; raises VaultUnavailableError."""
        found = self._found(identifier_system, value)
        return found[0].youth_id if found else None

    @property
    def engine(self) -> Engine:
        """Returns the engine of the vault's database, for the vault's other rooms."""
        return self._engine

    def is_reachable(self) -> bool:
        """Tells whether the database answers; blocks on it."""
        try:
            reading(self._engine, lambda connection: connection.execute(text("SELECT 1")))
        except VaultUnavailableError:
            return False
        return True

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def _found(self, system: str, value: str) -> Sequence[Row[Any]]:
        def work(connection: Connection) -> Sequence[Row[Any]]:
            rows = self._rows(connection, system, value)
            # A rotation may have made other keys the ones in force since this process read its own.
            if not rows and not self._keys.has_all_in_force(connection):
                rows = self._rows(connection, system, value)
            return rows

        return reading(self._engine, work)

    def _rows(self, connection: Connection, system: str, value: str) -> Sequence[Row[Any]]:
        """Returns a person's row for each key that this process knows, as far as it is there."""
        lookups = [lookup_of(key.key, system, value) for key in self._keys.all()]
        return connection.execute(select(INDEX).where(INDEX.c.lookup.in_(lookups))).all()

    def _allotted(self, system: str, value: str) -> str:
        def work(connection: Connection) -> str:
            keys = self._keys.in_force(connection)
            # Looked up again, since this process may have read other keys for it.
            if found := self._rows(connection, system, value):
                known: str = found[0].youth_id
                return known
            youth_id = secrets.token_hex(_YOUTH_ID_BYTES)
            rows = [index_row(key, youth_id, system, value) for key in (keys.current, *keys.former)]
            connection.execute(insert(INDEX), sorted(rows, key=lambda one: one["lookup"]))
            return youth_id

        try:
            return in_transaction(self._engine, work)
        except VaultUnavailableError as error:
            # Another thread or process may have allotted it between our look-up and our insert: theirs stands.
            theirs = self.known_youth_id(system, value) if isinstance(error.__cause__, IntegrityError) else None
            if theirs is None:
                raise
            return theirs

    def _complete(self, youth_id: str, system: str, value: str) -> None:
        """Adds a person's rows for keys that have come into force, where the rotation has not come by yet."""

        def work(connection: Connection) -> None:
            hold_alone(connection, REINDEXING)
            keys = self._keys.in_force(connection)
            hold_known(connection, [youth_id])
            present = set(connection.scalars(select(INDEX.c.key_id).where(INDEX.c.youth_id == youth_id)).all())
            missing = [key for key in (keys.current, *keys.former) if key.key_id not in present]
            if missing:
                connection.execute(insert(INDEX), [index_row(key, youth_id, system, value) for key in missing])

        in_transaction(self._engine, work)


class RunVault:
    """Youth ids for one run, kept nowhere: the same identifier gives the same id while the key lasts."""

    def __init__(self, key: bytes | None = None) -> None:
        """Makes a key for this run, unless a test gives one."""
        self._key = key or secrets.token_bytes(32)

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the youth id of an identifier in this run."""
        return lookup_of(self._key, identifier_system, value)[:_YOUTH_ID_BYTES].hex()


def open_vault(url: str, keys: Callable[[], Sequence[IndexKey]]) -> SqlVault:
    """Returns the vault in a database, its tables made or upgraded; ``keys`` is called now and after a rotation.

    Raises VaultUnavailableError where the database can't be opened, and KeyFileError where the keys can't be read.
    """
    return SqlVault(open_vault_tables(url), keys)


__all__ = ["RunVault", "SqlVault", "VaultUnavailableError", "index_row", "lookup_of", "open_vault"]
