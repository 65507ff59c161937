"""The vault's tables: nothing in them says anything to whoever lacks the key files.

What changes here goes into a new revision in ``migrations``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, String, Table, select

from connectors.vault.access import Access
from connectors.vault.migrating import Migrations

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

TABLES = MetaData()
# One row for each person and index key in force.
INDEX = Table(
    "youth_index",
    TABLES,
    Column("lookup", LargeBinary(32), primary_key=True),
    Column("youth_id", String(32), nullable=False, index=True),
    Column("key_id", String(4), nullable=False, index=True, server_default="k001"),
)
# The data key, wrapped, lies with what it opens: one row holds all that an erasure has to take away. ``generation``
# is the rotation of data keys that made it.
IDENTITIES = Table(
    "identities",
    TABLES,
    Column("youth_id", String(32), primary_key=True),
    Column("kek_id", String(4), nullable=False, index=True),
    Column("wrapped_key", LargeBinary(60), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False, index=True, server_default="1"),
)
# Which keys are written with and which are still understood, so that all processes agree; see ``keys_in_force``.
KEYS = Table(
    "keys_in_force",
    TABLES,
    Column("kind", String(16), primary_key=True),
    Column("key_id", String(4), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)
# Which number stands for the same person as another; the newest statement about two of them stands.
LINKS = Table(
    "number_links",
    TABLES,
    Column("youth_id", String(32), primary_key=True),
    Column("linked_to", String(32), primary_key=True, index=True),
    Column("linked", Boolean, nullable=False),
    Column("stated_at_ms", BigInteger, nullable=False),
)
CLAIMS = Table(
    "claims",
    TABLES,
    Column("code", LargeBinary(32), primary_key=True),
    Column("youth_id", String(32), nullable=False, index=True),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
    Column("claimed_by", String(128)),
    Column("claimed_at_ms", BigInteger),
    Column("attempt", Integer, nullable=False),
)
MISSES = Table(
    "claim_misses",
    TABLES,
    Column("miss", Integer, primary_key=True, autoincrement=True),
    Column("client", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
)


class VaultUnavailableError(Exception):
    """Raised where the vault's database can't be read or written; the caller may try again."""


class ErasedMeanwhileError(VaultUnavailableError):
    """Raised where someone was erased after a request had looked them up; told again, it is about a new person."""

    def __init__(self, youth_ids: Collection[str]) -> None:
        """Takes the youth ids that are nobody's any more."""
        super().__init__("a young person was erased while this was done; send the same again")
        self.youth_ids = frozenset(youth_ids)


def hold_known(connection: Connection, youth_ids: Collection[str]) -> None:
    """Raises ErasedMeanwhileError for those whose look-up is gone; whoever writes or erases the others waits.

    Everything about a person is written after this, in the same transaction, so that no request which had the youth id
    before an erasure can bring anything of it back after.
    """
    # In one order, so that no two transactions wait for each other (PostgreSQL; on SQLite one writes at a time).
    rows = select(INDEX.c.youth_id).where(INDEX.c.youth_id.in_(youth_ids)).order_by(INDEX.c.lookup).with_for_update()
    erased = set(youth_ids) - set(connection.scalars(rows).all())
    if erased:
        raise ErasedMeanwhileError(erased)


_MIGRATIONS = Migrations("vault", Path(__file__).parent / "migrations")
_VAULT = Access(_MIGRATIONS, "the vault's database", VaultUnavailableError)
open_vault_tables, in_transaction, reading = _VAULT.open, _VAULT.write, _VAULT.read
