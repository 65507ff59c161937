"""Erasure in the read model: what stands under a young person's internal id goes.

What a programme was told stays, under the programme's own pseudonym: it has to answer the recall. Once the vault has
forgotten the person, neither leads to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from connectors.read_model.tables import INTERVENTIONS, NEEDS, NOTICES, ReadModelUnavailableError, in_transaction
from connectors.vault.database import leave_no_trace

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


def erase_from_read_model(engine: Engine, youth_id: str) -> dict[str, int]:
    """Returns how many rows of each kind were deleted, from the file too; may be repeated, and blocks.

    Raises ReadModelUnavailableError.
    """

    def work(connection: Connection) -> dict[str, int]:
        return {
            table.name: connection.execute(delete(table).where(table.c.youth_id == youth_id)).rowcount
            for table in (NEEDS, NOTICES, INTERVENTIONS)
        }

    deleted = in_transaction(engine, work)
    try:
        leave_no_trace(engine)
    except SQLAlchemyError as error:
        raise ReadModelUnavailableError("the rows are deleted, but the file is in use; run it again") from error
    return deleted
