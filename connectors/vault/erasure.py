"""Erasure: everything in the vault about a young person, gone from the file and not from its tables alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from connectors.vault.database import leave_no_trace
from connectors.vault.tables import CLAIMS, IDENTITIES, INDEX, VaultUnavailableError, in_transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows went: identities with their data keys, look-ups of a number, claim codes."""

    identities: int
    lookups: int
    claim_codes: int


def erase_from_vault(engine: Engine, youth_id: str) -> Erased:
    """Returns what was deleted, all of it in one transaction.

    May be repeated, and after a crash should be: it also clears what a deletion left behind in the file. Blocks
    while the file is rewritten. Raises VaultUnavailableError.
    """

    def work(connection: Connection) -> Erased:
        # The look-up goes first: who writes about this person holds it (``hold_known``), and is waited for here, so
        # that what they wrote is seen by the deletions that follow.
        lookups, identities, codes = (
            connection.execute(delete(table).where(table.c.youth_id == youth_id)).rowcount
            for table in (INDEX, IDENTITIES, CLAIMS)
        )
        return Erased(identities, lookups, codes)

    erased = in_transaction(engine, work)
    try:
        leave_no_trace(engine)
    except SQLAlchemyError as error:
        raise VaultUnavailableError("the rows are deleted, but the file is in use; run it again") from error
    return erased
