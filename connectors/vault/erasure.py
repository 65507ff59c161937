"""Erasure: everything in the vault about a young person, gone from the file and not from its tables alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.vault.database import leave_no_trace
from connectors.vault.tables import CLAIMS, IDENTITIES, INDEX, LINKS, VaultUnavailableError, in_transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class ErasureCounts:
    """How many rows went: identities with their data keys, look-ups of a number, claim codes."""

    identities: int
    lookups: int
    claim_codes: int


def erase_from_vault(engine: Engine, youth_id: str) -> ErasureCounts:
    """Returns what was deleted, all of it in one transaction.

    May be repeated, and after a crash should be: it also clears what a deletion left behind in the file. Blocks
    while the file is rewritten. Raises VaultUnavailableError.
    """

    def work(connection: Connection) -> ErasureCounts:
        # Who writes about this person holds the look-up (``hold_known``), and is waited for here, so that what they
        # wrote, be it another look-up under a new key, is seen by the deletions that follow.
        held = select(INDEX.c.lookup).where(INDEX.c.youth_id == youth_id).order_by(INDEX.c.lookup).with_for_update()
        connection.execute(held).all()
        lookups, identities, codes = (
            connection.execute(delete(table).where(table.c.youth_id == youth_id)).rowcount
            for table in (INDEX, IDENTITIES, CLAIMS)
        )
        connection.execute(delete(LINKS).where((LINKS.c.youth_id == youth_id) | (LINKS.c.linked_to == youth_id)))
        return ErasureCounts(identities, lookups, codes)

    erased = in_transaction(engine, work)
    try:
        leave_no_trace(engine)
    except SQLAlchemyError as error:
        raise VaultUnavailableError("the rows are deleted, but the file is in use; run it again") from error
    return erased
