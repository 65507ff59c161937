"""Writes what records change, and how far they reach, in one transaction: exactly once into the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import structlog
from sqlalchemy import delete, insert, select, update

from connectors.read_model.rows import (
    Change,
    Decided,
    HandoverChange,
    NoticeChange,
    PathwayChange,
    PathwayErasure,
    Row,
    change_of,
)
from connectors.read_model.tables import (
    HANDOVER_EVENTS,
    HANDOVERS,
    INTERVENTIONS,
    NEEDS,
    NOTICES,
    PROGRESS,
    TABLES,
    in_transaction,
    reading,
)
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Table

    from connectors.read_model.answers import TopicRecord
    from connectors.read_model.feed import FetchedRecord, Place

_EVENT_ID = "ce_id"
_log = structlog.get_logger(__name__)


class OvertakenError(Exception):
    """Raised where another process has projected the same records; nothing was written, the progress is newer."""


@dataclass(frozen=True, slots=True)
class Projected:
    """What a batch has become: records told to programmes, and how many of each topic were taken or unreadable."""

    told: tuple[TopicRecord, ...]
    taken: dict[str, int]
    unreadable: dict[str, int]


def progress_of(engine: Engine) -> dict[Place, int]:
    """Returns each partition's next offset; blocks, raises ReadModelUnavailableError."""
    rows = reading(engine, lambda connection: connection.execute(select(PROGRESS)).all())
    return {(row.topic, row.partition): row.next_offset for row in rows}


def project(engine: Engine, records: Sequence[FetchedRecord]) -> Projected:
    """Returns what became of the records once all of it is committed; blocks.

    A record that can't be read is logged by its event id, counted and passed over. Raises OvertakenError, and
    ReadModelUnavailableError with nothing written.
    """
    changes = [_change_or_none(one) for one in records]

    def work(connection: Connection) -> None:
        _advance(connection, records)
        for change in changes:
            if change is not None:
                _apply(connection, change)

    in_transaction(engine, work)
    told = tuple(change.record for change in changes if isinstance(change, HandoverChange))
    taken: dict[str, int] = {}
    unreadable: dict[str, int] = {}
    for one, change in zip(records, changes, strict=True):
        counts = unreadable if change is None else taken
        counts[one.topic] = counts.get(one.topic, 0) + 1
    return Projected(told, taken, unreadable)


def forget_all(engine: Engine) -> None:
    """Deletes every row, so that all of it is projected again; blocks, raises ReadModelUnavailableError."""
    in_transaction(engine, lambda connection: [connection.execute(delete(table)) for table in TABLES.sorted_tables])


def _change_or_none(record: FetchedRecord) -> Change | None:
    try:
        return change_of(record)
    except RefusedError as error:
        _log.error(
            "record_unreadable",
            event_id=_event_id_of(record),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            code=error.refusal.code,
            field=error.refusal.field,
        )
        return None


def _event_id_of(record: FetchedRecord) -> str | None:
    found = dict(record.headers).get(_EVENT_ID)
    return None if found is None else found.decode("utf-8", "replace")


def _advance(connection: Connection, records: Sequence[FetchedRecord]) -> None:
    """Moves each partition's next offset, unless another process has done so since it was read."""
    bounds: dict[Place, tuple[int, int]] = {}
    for one in records:
        first, _ = bounds.get((one.topic, one.partition), (one.offset, 0))
        bounds[one.topic, one.partition] = first, one.offset + 1
    for (topic, partition), (first, following) in bounds.items():
        mine = (PROGRESS.c.topic == topic) & (PROGRESS.c.partition == partition)
        # Offsets of transaction markers and of expired records are passed over: the first may be further on.
        moved = connection.execute(
            update(PROGRESS).where(mine, PROGRESS.c.next_offset <= first).values(next_offset=following)
        )
        if moved.rowcount == 0:
            if connection.execute(select(PROGRESS.c.next_offset).where(mine)).first() is not None:
                raise OvertakenError(f"{topic} {partition}: {first} is projected already")
            values = {"topic": topic, "partition": partition, "next_offset": following}
            connection.execute(insert(PROGRESS).values(values))


def _apply(connection: Connection, change: Change) -> None:
    match change:
        case HandoverChange(event, handover):
            connection.execute(insert(HANDOVER_EVENTS).values(event))
            if handover is not None:
                _put(connection, HANDOVERS, handover, {"offered_at": handover["updated_at"]})
        case PathwayChange(youth_id, needs):
            connection.execute(delete(NEEDS).where(NEEDS.c.youth_id == youth_id))
            if needs:
                connection.execute(insert(NEEDS), list(needs))
        case NoticeChange(notice):
            _put(connection, NOTICES, notice, {})
        case Decided(intervention):
            _put(connection, INTERVENTIONS, intervention, {})
        case PathwayErasure(youth_id):
            connection.execute(delete(INTERVENTIONS).where(INTERVENTIONS.c.youth_id == youth_id))
        case _:
            assert_never(change)


def _put(connection: Connection, table: Table, row: Row, first_time: Row) -> None:
    """Updates the row with this key, or inserts it together with what stands in it once and for all."""
    keys = {column.name for column in table.primary_key}
    same: list[Any] = [table.c[name] == row[name] for name in sorted(keys)]
    changed = {name: value for name, value in row.items() if name not in keys}
    if connection.execute(update(table).where(*same).values(changed)).rowcount == 0:
        connection.execute(insert(table).values(row | first_time))
