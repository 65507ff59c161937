"""Youth ids: allotted at random, found again by a keyed hash of the identifier they stand for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from connectors.vault.tables import INDEX, VaultUnavailableError, in_transaction, open_vault_tables, reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

_YOUTH_ID_BYTES = 16


def lookup_of(index_key: bytes, identifier_system: str, value: str) -> bytes:
    """Returns the HMAC-SHA-256 under which an identifier is found.

    The length of the system's name goes in too, so that no two pairs give the same text.
    """
    message = f"{len(identifier_system)}|{identifier_system}|{value}".encode()
    return hmac.new(index_key, message, hashlib.sha256).digest()


class SqlVault:
    """Keeps youth ids in a database; holds no identifier, name or address in clear.

    Safe to use from several threads and processes.
    """

    def __init__(self, engine: Engine, index_key: bytes) -> None:
        """Takes an engine whose tables ``open_vault`` has made."""
        self._engine = engine
        self._index_key = index_key

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the youth id of an identifier, allotting one where it is new: 32 hexadecimal characters.

        Blocks on the database. The same identifier gives the same id in every process; identifiers are
        told apart byte by byte, so callers bring them to one form. Raises VaultUnavailableError: nothing is
        allotted then, or it is and the next call returns it.
        """
        lookup = lookup_of(self._index_key, identifier_system, value)
        return self._found(lookup) or self._allotted(lookup)

    def known_youth_id(self, identifier_system: str, value: str) -> str | None:
        """Returns the youth id of an identifier, or None where none was allotted; raises VaultUnavailableError."""
        return self._found(lookup_of(self._index_key, identifier_system, value))

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

    def _found(self, lookup: bytes) -> str | None:
        wanted = select(INDEX.c.youth_id).where(INDEX.c.lookup == lookup)
        found: str | None = reading(self._engine, lambda connection: connection.scalar(wanted))
        return found

    def _allotted(self, lookup: bytes) -> str:
        youth_id = secrets.token_hex(_YOUTH_ID_BYTES)
        try:
            in_transaction(
                self._engine, lambda one: one.execute(insert(INDEX).values(lookup=lookup, youth_id=youth_id))
            )
        except VaultUnavailableError as error:
            # Another thread or process may have allotted it between our look-up and our insert: theirs stands.
            theirs = self._found(lookup) if isinstance(error.__cause__, IntegrityError) else None
            if theirs is None:
                raise
            return theirs
        return youth_id


class RunVault:
    """Youth ids for one run, kept nowhere: the same identifier gives the same id while the key lasts."""

    def __init__(self, key: bytes | None = None) -> None:
        """Makes a key for this run, unless a test gives one."""
        self._key = key or secrets.token_bytes(32)

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the youth id of an identifier in this run."""
        return lookup_of(self._key, identifier_system, value)[:_YOUTH_ID_BYTES].hex()


def open_vault(url: str, index_key: bytes) -> SqlVault:
    """Returns the vault in a database, making its tables where they are missing.

    Raises VaultUnavailableError where the database can't be opened.
    """
    return SqlVault(open_vault_tables(url), index_key)


__all__ = ["RunVault", "SqlVault", "VaultUnavailableError", "lookup_of", "open_vault"]
