"""What a snapshot says by what it does not have: rows of the last one that are missing have ended, or nothing is said.

Half a list must not end what the other half is about. So nothing is told where a row can't be told from others, where
more is missing at once than the mapping believes, or where the list is empty; the sender is told why, and how to go on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import select

from connectors.gateway.lists.report import MissingReport
from connectors.gateway.lists.steps import RowChange, event_of, has_ended, row_content_of, said_of_missing
from connectors.gateway.statements.acceptance import accept_read
from connectors.municipal.mapping import ListMode
from connectors.vault.tables import INDEX
from connectors.vault.tables import reading as reading_vault
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.lists.report import RowReport, SentList
    from connectors.gateway.lists.rows import KnownRow
    from connectors.gateway.ports import Desk
    from connectors.municipal.rows import ReadList

_ROWS_AT_ONCE = 500
_UNKNOWN_ROW = Refusal(
    "unknown_row",
    "row",
    "which rows are missing is only known where every row says what it is about",
    "mend or delete the rows whose number or id can't be read, and send the whole list again",
)
_TOO_MANY = Refusal(
    "too_many_missing",
    "file",
    "no more rows vanish at once than the mapping believes ([missing] share_max)",
    "check that the list is whole; where it is, send it again with missing=believed",
)


async def what_is_missing(
    desk: Desk, sent: SentList, read: ReadList, reports: Sequence[RowReport]
) -> MissingReport | None:
    """Returns what was told of missing rows, once the broker has confirmed it; None where a list is no snapshot."""
    if sent.mapping.mode is ListMode.CHANGES or read.is_part:
        return None
    if any(report.outcome == "unavailable" for report in reports):
        return None
    unseen = await asyncio.to_thread(desk.list_rows.unseen, sent.of, sent.at)
    fresh = [row for row in unseen if row.missing_since is None]
    missing = len(_going_on(sent, fresh))
    if sent.mapping.missing is not None:
        standing = await asyncio.to_thread(desk.list_rows.standing, sent.of)
        withheld = _withheld(sent, read, len(_going_on(sent, unseen)), standing + len(unseen) - len(fresh))
        if withheld is not None:
            return MissingReport(missing, 0, withheld)
    await asyncio.to_thread(desk.list_rows.keep_missing, sent.of, [row.row for row in fresh], sent.at)
    return MissingReport(missing) if sent.mapping.missing is None else await _told(desk, sent, unseen, missing)


def _going_on(sent: SentList, rows: Sequence[KnownRow]) -> list[KnownRow]:
    return [row for row in rows if not has_ended(event_of(sent.topic, row.event or b""))]


def _withheld(sent: SentList, read: ReadList, missing: int, of: int) -> Refusal | None:
    """Returns why nothing is told of so many missing rows of so many, or None."""
    if not missing or sent.mapping.missing is None:
        return None
    if any(row.key is None for row in read.rows):
        return _UNKNOWN_ROW
    if sent.believe_missing:
        return None
    return _TOO_MANY if not read.rows or missing > max(1, sent.mapping.missing.share_max * of) else None


async def _told(desk: Desk, sent: SentList, unseen: Sequence[KnownRow], missing: int) -> MissingReport:
    told = unavailable = 0
    for start in range(0, len(unseen), _ROWS_AT_ONCE):
        some = await asyncio.to_thread(_of_known_people, desk, unseen[start : start + _ROWS_AT_ONCE])
        sayings = [_saying(sent, row) for row in some]
        said = [statement for saying in sayings for statement in saying.statements]
        outcomes = iter(await accept_read(desk, sent.client, sent.topic, said, sent.at))
        ended = list[tuple[bytes, bytes]]()
        for row, saying in zip(some, sayings, strict=True):
            confirmed = [next(outcomes).outcome in ("accepted", "repeated") for _ in saying.statements]
            if confirmed and all(confirmed):
                ended.append((row.row, row_content_of(saying.statements[-1].event)))
            unavailable += not all(confirmed)
        await asyncio.to_thread(desk.list_rows.keep_ended, sent.of, ended)
        told += len(ended)
    return MissingReport(missing, told, unavailable=unavailable)


def _saying(sent: SentList, row: KnownRow) -> RowChange:
    if sent.mapping.missing is None:
        return RowChange([])
    # As the database keeps it, so that a repeat after a crash says the same.
    since = row.missing_since or moment_of(milliseconds_of(sent.at))
    return said_of_missing(sent.topic, row, sent.mapping.missing, since)


def _of_known_people(desk: Desk, rows: Sequence[KnownRow]) -> list[KnownRow]:
    """Returns the rows about people whom the vault still knows: of who was erased meanwhile nothing more is said."""
    wanted = select(INDEX.c.youth_id).where(INDEX.c.youth_id.in_([row.youth_id for row in rows]))
    known = reading_vault(desk.vault.engine, lambda connection: set(connection.scalars(wanted)))
    return [row for row in rows if row.youth_id in known]
