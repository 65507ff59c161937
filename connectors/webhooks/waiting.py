"""What waits for each endpoint: one queue a handover, kept in the database with every attempt's outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from connectors.webhooks.deliveries import Backlog, LastAttempts, delivery_of_row
from connectors.webhooks.tables import (
    DELIVERED,
    DELIVERIES,
    ENDPOINTS,
    FAILURES,
    GIVEN_UP,
    GIVING_UP,
    PAUSED,
    POSITIONS,
    QUEUED,
)
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from connectors.vault.access import Database
    from connectors.webhooks.deliveries import Delivery, NewDelivery

UNREACHABLE = "unreachable"
BY_RECEIVER = "http_410"


class Waiting:
    """The queues in the deliverer's database; each call blocks on it, and raises WebhooksUnavailableError.

    Every call that changes anything is one transaction.
    """

    def __init__(self, database: Database) -> None:
        """Takes the database."""
        self._database = database

    def positions(self, programme: str) -> dict[int, int]:
        """Returns the next offset to read of each partition of which anything was read."""
        wanted = select(POSITIONS.c.partition, POSITIONS.c.next_offset).where(POSITIONS.c.programme == programme)
        with self._database.reading() as connection:
            return {row.partition: row.next_offset for row in connection.execute(wanted)}

    def enqueue(
        self, programme: str, records: Sequence[NewDelivery], next_offsets: Mapping[int, int], at: datetime
    ) -> None:
        """Takes records, in their order, and how far the topic was read by that, together.

        A record that is known by its event id is passed over.
        """
        now = milliseconds_of(at)
        with self._database.writing() as connection:
            known = _known(connection, programme, [one.event_id for one in records])
            for one in records:
                if one.event_id in known:
                    continue
                known.add(one.event_id)
                values = _values(one) | {"programme": programme, "queued_at_ms": now, "next_attempt_ms": now}
                connection.execute(insert(DELIVERIES).values(values))
            for partition, next_offset in next_offsets.items():
                meant = (POSITIONS.c.programme == programme) & (POSITIONS.c.partition == partition)
                place = {"programme": programme, "partition": partition, "next_offset": next_offset}
                connection.execute(delete(POSITIONS).where(meant))
                connection.execute(insert(POSITIONS).values(place))

    def due(self, programme: str, at: datetime, busy: Collection[str], limit: int) -> tuple[Delivery, ...]:
        """Returns the first record of each handover's queue whose time has come, the longest due first.

        Leaves out handovers that are ``busy``; at most ``limit``.
        """
        first = select(func.min(DELIVERIES.c.number)).where(_queued(programme)).group_by(DELIVERIES.c.handover)
        wanted = (
            select(DELIVERIES)
            .where(DELIVERIES.c.number.in_(first), DELIVERIES.c.next_attempt_ms <= milliseconds_of(at))
            .where(DELIVERIES.c.handover.not_in(tuple(busy)))
            .order_by(DELIVERIES.c.next_attempt_ms, DELIVERIES.c.number)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return tuple(delivery_of_row(row) for row in connection.execute(wanted))

    def note_delivered(self, delivery: Delivery, at: datetime) -> None:
        """Ends a delivery."""
        ended = {"state": DELIVERED, "attempts": delivery.attempts + 1, "outcome": None}
        with self._database.writing() as connection:
            _change(connection, delivery, ended | {"ended_at_ms": milliseconds_of(at)})

    def note_failed(self, delivery: Delivery, outcome: str, next_attempt_at: datetime, at: datetime) -> None:
        """Counts an attempt, and sets when the next one is made."""
        next_ms = milliseconds_of(next_attempt_at)
        values = {"attempts": delivery.attempts + 1, "outcome": outcome, "next_attempt_ms": next_ms}
        with self._database.writing() as connection:
            _change(connection, delivery, values)
            _keep_failure(connection, delivery.programme, outcome, at)

    def note_gone(self, delivery: Delivery, url: str, next_attempt_at: datetime, at: datetime) -> None:
        """Counts an attempt after which the receiver wants no more, and pauses its endpoint in the same moment.

        An endpoint that has another URL meanwhile goes on.
        """
        attempted = {"attempts": delivery.attempts + 1, "outcome": BY_RECEIVER}
        attempted["next_attempt_ms"] = milliseconds_of(next_attempt_at)
        with self._database.writing() as connection:
            _change(connection, delivery, attempted)
            _keep_failure(connection, delivery.programme, BY_RECEIVER, at)
            same = (ENDPOINTS.c.programme == delivery.programme) & (ENDPOINTS.c.url == url)
            pause(connection, same, BY_RECEIVER, milliseconds_of(at))

    def note_given_up(self, delivery: Delivery, outcome: str, at: datetime) -> None:
        """Counts the last attempt; the handover is to be escalated (``to_escalate``)."""
        ended = {"state": GIVING_UP, "attempts": delivery.attempts + 1, "outcome": outcome}
        with self._database.writing() as connection:
            _change(connection, delivery, ended | {"ended_at_ms": milliseconds_of(at)})
            _keep_failure(connection, delivery.programme, outcome, at)

    def last_attempts(self) -> dict[str, LastAttempts]:
        """Returns what came of each programme's attempts; those of which none is known are absent."""
        ended = func.max(DELIVERIES.c.ended_at_ms)
        delivered = (
            select(DELIVERIES.c.programme, ended)
            .where(DELIVERIES.c.state == DELIVERED)
            .group_by(DELIVERIES.c.programme)
        )
        with self._database.reading() as connection:
            ends = {row[0]: moment_of(row[1]) for row in connection.execute(delivered)}
            failed = {row.programme: row for row in connection.execute(select(FAILURES))}
        known = {name: LastAttempts(row.outcome, moment_of(row.failed_at_ms)) for name, row in failed.items()}
        return known | {name: replace(known.get(name, LastAttempts()), delivered_at=at) for name, at in ends.items()}

    def give_up_older(self, programme: str, before: datetime, at: datetime) -> int:
        """Gives up what was queued at that time or before, though no attempt was made; returns how many those are."""
        old = _queued(programme) & (DELIVERIES.c.queued_at_ms <= milliseconds_of(before))
        with self._database.writing() as connection:
            return give_up(connection, old, "paused", milliseconds_of(at))

    def pull_forward(self, programme: str, at: datetime) -> None:
        """Makes due what found no connection before: the receiver is there again."""
        meant = _queued(programme) & (DELIVERIES.c.outcome == UNREACHABLE)
        later = meant & (DELIVERIES.c.next_attempt_ms > milliseconds_of(at))
        with self._database.writing() as connection:
            connection.execute(update(DELIVERIES).where(later).values(next_attempt_ms=milliseconds_of(at)))

    def to_escalate(self, limit: int) -> tuple[Delivery, ...]:
        """Returns records that were given up and whose handovers are not escalated yet, in their order."""
        wanted = select(DELIVERIES).where(DELIVERIES.c.state == GIVING_UP).order_by(DELIVERIES.c.number).limit(limit)
        with self._database.reading() as connection:
            return tuple(delivery_of_row(row) for row in connection.execute(wanted))

    def note_escalated(self, delivery: Delivery) -> None:
        """Ends what was given up."""
        meant = (DELIVERIES.c.number == delivery.number) & (DELIVERIES.c.state == GIVING_UP)
        with self._database.writing() as connection:
            connection.execute(update(DELIVERIES).where(meant).values(state=GIVEN_UP))

    def backlogs(self) -> tuple[Backlog, ...]:
        """Returns what waits, by programme; those for which nothing waits are absent."""
        times = (func.min(DELIVERIES.c.queued_at_ms), func.min(DELIVERIES.c.next_attempt_ms))
        counts = (func.count(), func.count(DELIVERIES.c.outcome), *times)
        wanted = (
            select(DELIVERIES.c.programme, *counts).where(DELIVERIES.c.state == QUEUED).group_by(DELIVERIES.c.programme)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(DELIVERIES.c.programme)).all()
        return tuple(Backlog(row[0], row[1], row[2], moment_of(row[3]), moment_of(row[4])) for row in rows)

    def forget_before(self, moment: datetime) -> int:
        """Deletes what ended before a time; it can't be sent again then. Returns how many those are."""
        ended = DELIVERIES.c.state.in_((DELIVERED, GIVEN_UP)) & (DELIVERIES.c.ended_at_ms < milliseconds_of(moment))
        with self._database.writing() as connection:
            return connection.execute(delete(DELIVERIES).where(ended)).rowcount


def _keep_failure(connection: Connection, programme: str, outcome: str, at: datetime) -> None:
    values = {"outcome": outcome, "failed_at_ms": milliseconds_of(at)}
    meant = FAILURES.c.programme == programme
    if connection.execute(update(FAILURES).where(meant).values(values)).rowcount == 0:
        connection.execute(insert(FAILURES).values(values | {"programme": programme}))


def make_due(connection: Connection, programme: str, now: int) -> None:
    """Makes everything that waits due, inside the caller's transaction; ``now`` in ms."""
    connection.execute(update(DELIVERIES).where(_queued(programme)).values(next_attempt_ms=now))


def pause(connection: Connection, meant: Any, reason: str, now: int) -> None:
    """Pauses the endpoints that are meant, inside the caller's transaction; ``now`` in ms."""
    values = {"state": PAUSED, "reason": reason, "changed_at_ms": now}
    connection.execute(update(ENDPOINTS).where(meant).values(values))


def give_up(connection: Connection, meant: Any, outcome: str, now: int) -> int:
    """Gives up the rows that are meant, inside the caller's transaction; returns how many those are."""
    values = {"state": GIVING_UP, "outcome": outcome, "ended_at_ms": now}
    return connection.execute(update(DELIVERIES).where(meant).values(values)).rowcount


def _queued(programme: str) -> Any:
    return (DELIVERIES.c.programme == programme) & (DELIVERIES.c.state == QUEUED)


def _known(connection: Connection, programme: str, event_ids: list[str]) -> set[str]:
    meant = (DELIVERIES.c.programme == programme) & DELIVERIES.c.event_id.in_(event_ids)
    return set(connection.execute(select(DELIVERIES.c.event_id).where(meant)).scalars())


def _change(connection: Connection, delivery: Delivery, values: dict[str, Any]) -> None:
    # Only as it was when the attempt began: an operator may have given it up or sent it again meanwhile.
    meant = (DELIVERIES.c.number == delivery.number) & (DELIVERIES.c.rounds == delivery.rounds)
    connection.execute(update(DELIVERIES).where(meant & (DELIVERIES.c.state == QUEUED)).values(values))


def _values(one: NewDelivery) -> dict[str, Any]:
    return {
        "event_id": one.event_id,
        "handover": one.handover,
        "youth_id": one.youth_id,
        "correlation_id": one.correlation_id,
        "body": one.body,
        "state": QUEUED,
        "rounds": 0,
        "attempts": 0,
    }
