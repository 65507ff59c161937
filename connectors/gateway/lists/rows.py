"""Which rows of which lists were taken, and what was last said by each: how a list sent again doubles nothing.

Lists and rows are kept as fingerprints. What a row became is kept as its topic has it, under the vault's youth id, so
that a row that vanishes can be told as ended; it goes with the young person's erasure, and after 400 days unseen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update

from connectors.gateway.tables import LIST_ROWS, in_transaction, reading
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KnownRow:
    """What is known of a row. ``content`` and ``event`` are None until it was first taken; see ``LIST_ROWS``."""

    row: bytes
    since: datetime
    content: bytes | None = None
    youth_id: str | None = None
    event: bytes | None = None
    earlier: tuple[str, ...] = ()
    missing_since: datetime | None = None
    ended: bytes | None = None


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A row whose event the broker has confirmed."""

    row: bytes
    content: bytes
    youth_id: str | None
    event: bytes
    earlier: tuple[str, ...] = ()


class ListRows:
    """The rows in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def enter(self, of: bytes, rows: Mapping[bytes, bytes | None], at: datetime) -> dict[bytes, KnownRow]:
        """Returns what is known of a list's rows, having entered those that are new or have changed as so since now.

        ``rows`` are their contents' fingerprints by their own; None where a row can't be read.
        """

        def work(connection: Connection) -> dict[bytes, KnownRow]:
            known = {bytes(row.row): row for row in connection.execute(select(LIST_ROWS).where(_among(of, rows)))}
            now = milliseconds_of(at)
            new = [{"row": row, "seen": seen} for row, seen in rows.items() if row not in known]
            changed = [row for row, seen in rows.items() if row in known and seen not in (None, known[row].seen)]
            if new:
                connection.execute(insert(LIST_ROWS), [one | {"list": of, **_times(now)} for one in new])
            for row in changed:
                _set(connection, of, [row], {"seen": rows[row], "since_ms": now})
            return _known(connection, _among(of, rows))

        return in_transaction(self._engine, work)

    def keep(self, of: bytes, taken: Sequence[AcceptedRow], at: datetime) -> None:
        """Keeps what rows have become; none of them is missing any more."""

        def work(connection: Connection) -> None:
            for one in taken:
                values = {"content": one.content, "youth_id": one.youth_id, "event": one.event}
                earlier = {"earlier": json.dumps(one.earlier)}
                _set(connection, of, [one.row], values | earlier | _seen(at))

        in_transaction(self._engine, work)

    def keep_seen(self, of: bytes, rows: Sequence[bytes], present: Sequence[bytes], at: datetime) -> None:
        """Keeps that rows were seen again as they were, and that others were there but not taken."""

        def work(connection: Connection) -> None:
            _set(connection, of, rows, _seen(at))
            _set(connection, of, present, {"last_seen_ms": milliseconds_of(at)})

        in_transaction(self._engine, work)

    def standing(self, of: bytes) -> int:
        """Returns how many rows of a list stand: were taken and are not missing."""
        wanted = select(func.count()).where(_stands(of))
        return reading(self._engine, lambda connection: int(connection.execute(wanted).scalar_one()))

    def unseen(self, of: bytes, before: datetime) -> list[KnownRow]:
        """Returns the rows of a list that stand, or whose end is not told yet, and were not seen since a time."""
        wanted = and_(
            LIST_ROWS.c.list == of,
            LIST_ROWS.c.event.is_not(None),
            LIST_ROWS.c.ended.is_(None),
            LIST_ROWS.c.last_seen_ms < milliseconds_of(before),
        )
        return list(reading(self._engine, lambda connection: _known(connection, wanted)).values())

    def keep_missing(self, of: bytes, rows: Sequence[bytes], at: datetime) -> None:
        """Keeps that rows are missing, before anything is told of it: a repeat tells the same."""
        in_transaction(self._engine, lambda connection: _set(connection, of, rows, {"missing_ms": milliseconds_of(at)}))

    def keep_ended(self, of: bytes, ended: Sequence[tuple[bytes, bytes]]) -> None:
        """Keeps by which event the end of each row was told."""

        def work(connection: Connection) -> None:
            for row, event in ended:
                _set(connection, of, [row], {"ended": event})

        in_transaction(self._engine, work)

    def prune(self, before: datetime) -> int:
        """Returns how many rows were deleted that were not seen since that time."""
        old = delete(LIST_ROWS).where(LIST_ROWS.c.last_seen_ms < milliseconds_of(before))
        return in_transaction(self._engine, lambda connection: connection.execute(old).rowcount)

    def erase(self, youth_id: str) -> int:
        """Returns how many rows about a young person were deleted."""
        of_person = delete(LIST_ROWS).where(LIST_ROWS.c.youth_id == youth_id)
        return in_transaction(self._engine, lambda connection: connection.execute(of_person).rowcount)


def _times(now: int) -> dict[str, int]:
    return {"since_ms": now, "last_seen_ms": now}


def _seen(at: datetime) -> dict[str, Any]:
    return {"last_seen_ms": milliseconds_of(at), "missing_ms": None, "ended": None}


def _stands(of: bytes) -> ColumnElement[bool]:
    return and_(LIST_ROWS.c.list == of, LIST_ROWS.c.event.is_not(None), LIST_ROWS.c.missing_ms.is_(None))


def _among(of: bytes, rows: Collection[bytes]) -> ColumnElement[bool]:
    return and_(LIST_ROWS.c.list == of, LIST_ROWS.c.row.in_(rows))


def _set(connection: Connection, of: bytes, rows: Sequence[bytes], values: dict[str, Any]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(update(LIST_ROWS).where(_among(of, rows[start : start + _AT_ONCE])).values(values))


def _known(connection: Connection, wanted: ColumnElement[bool]) -> dict[bytes, KnownRow]:
    return {bytes(row.row): _row(row) for row in connection.execute(select(LIST_ROWS).where(wanted))}


def _row(row: Row[Any]) -> KnownRow:
    missing = None if row.missing_ms is None else moment_of(row.missing_ms)
    earlier = tuple(json.loads(row.earlier or "[]"))
    since = moment_of(row.since_ms)
    return KnownRow(row.row, since, row.content, row.youth_id, row.event, earlier, missing, row.ended)
