"""What a programme, or one site of it, may ask for: its records in order, and one handover with its story."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, union_all

from connectors.read_model.answers import TopicRecord
from connectors.read_model.tables import HANDOVER_EVENTS, HANDOVERS, PROGRESS, reading
from connectors.sender_ids import as_given_out
from schemas.topics import kafka_name

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Row, Table

    from connectors.read_model.cursors import Cursor

_EVENTS_OF_ONE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """What a client sees of the programmes' rows: one programme's, and of these one site's where a site is named."""

    programme: str
    site: str | None = None

    def of(self, table: Table) -> ColumnElement[bool]:
        """Returns the condition on a table that has both columns."""
        own: ColumnElement[bool] = table.c.programme == self.programme
        return own if self.site is None else own & (table.c.site == self.site)


@dataclass(frozen=True, slots=True)
class Page:
    """Records in order per partition, each with the cursor behind it; ``following`` is the cursor behind them all."""

    records: tuple[tuple[TopicRecord, Cursor], ...]
    following: Cursor


@dataclass(frozen=True, slots=True)
class HandoverHistory:
    """A handover as it is now, and its programme's records about it, oldest first."""

    handover: Row[Any]
    events: tuple[TopicRecord, ...]


def records_after(engine: Engine, cursor: Cursor, records_max: int, site: str | None = None) -> Page:
    """Returns what follows the cursor on its programme's topic: oldest first, always in order per partition; blocks.

    With a site, its records alone. With nothing there the cursor behind is the cursor given. Raises
    ReadModelUnavailableError.
    """
    reach = Scope(cursor.programme, site)
    found = reading(engine, lambda connection: _following(connection, reach, cursor, records_max))
    behind, records = cursor, []
    for one in found:
        behind = behind.after(one.partition, one.offset)
        records.append((one, behind))
    return Page(tuple(records), behind)


def story(engine: Engine, reach: Scope, handover_id: str) -> HandoverHistory | None:
    """Returns a handover within reach, or None where there is none with that id, in capitals or not; blocks.

    At most 1,000 of its records, the oldest ones. Raises ReadModelUnavailableError.
    """
    own_id = as_given_out(handover_id)

    def work(connection: Connection) -> HandoverHistory | None:
        wanted_one = select(HANDOVERS).where(reach.of(HANDOVERS), HANDOVERS.c.handover_id == own_id)
        handover = connection.execute(wanted_one).one_or_none()
        if handover is None:
            return None
        events = HANDOVER_EVENTS.c
        wanted = (
            select(events.programme, events.partition, events.offset, events.record)
            .where(events.programme == reach.programme, events.handover_id == own_id)
            .order_by(events.partition, events.offset)
            .limit(_EVENTS_OF_ONE_MAX)
        )
        return HandoverHistory(handover, tuple(_record_of(row) for row in connection.execute(wanted)))

    return reading(engine, work)


def _following(connection: Connection, reach: Scope, cursor: Cursor, records_max: int) -> list[TopicRecord]:
    chosen = _chosen(connection, reach, cursor, records_max)
    if not chosen:
        return []
    events = HANDOVER_EVENTS.c
    last = dict(chosen)
    ranges = [
        and_(events.partition == partition, events.offset >= cursor.following.get(partition, 0), events.offset <= upto)
        for partition, upto in last.items()
    ]
    columns = select(events.programme, events.partition, events.offset, events.record)
    rows = connection.execute(columns.where(reach.of(HANDOVER_EVENTS), or_(*ranges)))
    records = {(row.partition, row.offset): _record_of(row) for row in rows}
    # The database may be emptied between the two looks; half a page would leave records out.
    return [records[place] for place in chosen] if len(records) >= len(chosen) else []


def _chosen(connection: Connection, reach: Scope, cursor: Cursor, records_max: int) -> list[tuple[int, int]]:
    """Returns the places of the page's records, in order; each partition's are the next ones, with no gap."""
    topic = kafka_name(f"handovers.{cursor.programme}")
    partitions = connection.execute(select(PROGRESS.c.partition).where(PROGRESS.c.topic == topic)).scalars().all()
    if not partitions:
        return []
    events = HANDOVER_EVENTS.c
    heads = [
        select(events.partition, events.offset, events.said_at)
        .where(
            reach.of(HANDOVER_EVENTS),
            events.partition == partition,
            events.offset >= cursor.following.get(partition, 0),
        )
        .order_by(events.offset)
        .limit(records_max)
        .subquery()
        for partition in sorted(partitions)
    ]
    # Each head stands in a subquery of its own, since SQLite takes no LIMIT inside a UNION.
    rows = connection.execute(union_all(*(select(head) for head in heads))).all()
    by_partition: dict[int, list[Row[Any]]] = {}
    for row in sorted(rows, key=lambda one: (one.partition, one.offset)):
        by_partition.setdefault(row.partition, []).append(row)
    # A merge keeps each partition's order even where its times do not rise.
    merged = heapq.merge(*by_partition.values(), key=lambda row: row.said_at)
    return [(row.partition, row.offset) for row, _ in zip(merged, range(records_max), strict=False)]


def _record_of(row: Any) -> TopicRecord:
    return TopicRecord(row.programme, row.partition, row.offset, row.record)
