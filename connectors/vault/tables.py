"""The vault's tables: nothing in them says anything to whoever lacks the key files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, select

from connectors.vault.access import Access

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

TABLES = MetaData()
INDEX = Table(
    "youth_index",
    TABLES,
    Column("lookup", LargeBinary(32), primary_key=True),
    Column("youth_id", String(32), nullable=False, index=True),
)
# The data key, wrapped, lies with what it opens: one row holds all that an erasure has to take away.
IDENTITIES = Table(
    "identities",
    TABLES,
    Column("youth_id", String(32), primary_key=True),
    Column("kek_id", String(4), nullable=False),
    Column("wrapped_key", LargeBinary(60), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
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
    erased = set(youth_ids) - set(connection.scalars(rows))
    if erased:
        raise ErasedMeanwhileError(erased)


_VAULT = Access(TABLES, "the vault's database", VaultUnavailableError)
open_vault_tables, in_transaction, reading = _VAULT.open, _VAULT.write, _VAULT.read
