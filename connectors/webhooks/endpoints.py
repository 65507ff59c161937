"""The endpoints that programmes have registered, and what an operator may do about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from connectors.webhooks.signing import new_signing_secret
from connectors.webhooks.tables import ACTIVE, DELIVERER, DELIVERIES, ENDPOINTS, POSITIONS, QUEUED
from connectors.webhooks.waiting import give_up, make_due, pause
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from connectors.vault.access import Database
    from connectors.webhooks.signing import SecretBox

FORMER_SECRET_SIGNS = timedelta(days=1)
BY_OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A programme's endpoint. ``reason`` says why it is paused; records before ``since`` are not for it."""

    programme: str
    url: str = field(repr=False)  # a path may hold a token
    state: str
    reason: str | None
    since: datetime
    changed_at: datetime
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a programme asks for. ``since`` leaves out what its topic told before; None leaves out nothing."""

    programme: str
    url: str
    since: datetime | None = None
    renews_secret: bool = False


class Endpoints:
    """The endpoints in the deliverer's database; each call blocks on it, and raises WebhooksUnavailableError."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        """Takes the database, and what opens and closes the secrets in it."""
        self._database = database
        self._box = box

    def put(self, wanted: Registration, at: datetime) -> str | None:
        """Registers an endpoint or changes it, and lets it receive; returns its secret where that is new.

        The secret is shown at no other time. An endpoint that is there keeps its secret unless ``renews_secret``;
        then the former one signs too for a day, so that the receiver can change over.
        """
        programme, now = wanted.programme, milliseconds_of(at)
        values: dict[str, Any] = {"url": wanted.url, "state": ACTIVE, "reason": None, "changed_at_ms": now}
        with self._database.writing() as connection:
            there = connection.execute(_one(programme)).one_or_none()
            secret = new_signing_secret() if there is None or wanted.renews_secret else None
            if secret is not None:
                values["secret"] = self._box.closed(programme, secret)
            if there is None:
                since = 0 if wanted.since is None else milliseconds_of(wanted.since)
                new = {"programme": programme, "since_ms": since, "former_until_ms": 0}
                connection.execute(insert(ENDPOINTS).values(values | new))
                return secret
            if secret is not None:
                until = milliseconds_of(at + FORMER_SECRET_SIGNS)
                values |= {"former_secret": there.secret, "former_until_ms": until}
            connection.execute(update(ENDPOINTS).where(_is(programme)).values(values))
            make_due(connection, programme, now)
        return secret

    def listed(self, at: datetime) -> tuple[Endpoint, ...]:
        """Returns every endpoint by programme."""
        with self._database.reading() as connection:
            rows = connection.execute(select(ENDPOINTS).order_by(ENDPOINTS.c.programme)).all()
        return tuple(_endpoint_of(row, at) for row in rows)

    def found(self, programme: str, at: datetime) -> Endpoint | None:
        """Returns a programme's endpoint, with the secrets that sign at that time; None where it has none."""
        with self._database.reading() as connection:
            row = connection.execute(_one(programme)).one_or_none()
        return None if row is None else _endpoint_of(row, at)

    def keys_of(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Returns the secrets that sign for an endpoint, the new one first; raises KeyFileError."""
        return tuple(self._box.opened(endpoint.programme, closed) for closed in endpoint.secrets)

    def note_deliverer(self, at: datetime, *, loopback_allowed: bool) -> None:
        """Notes what the deliverer that starts now lets itself connect to."""
        values = {"number": 1, "loopback_allowed": loopback_allowed, "started_at_ms": milliseconds_of(at)}
        with self._database.writing() as connection:
            connection.execute(delete(DELIVERER))
            connection.execute(insert(DELIVERER).values(values))

    def deliverer_allows_loopback(self) -> bool | None:
        """Returns whether the deliverer that was started last connects to this machine; None where none ever was."""
        with self._database.reading() as connection:
            found: bool | None = connection.scalar(select(DELIVERER.c.loopback_allowed))
        return found

    def pause(self, programme: str, at: datetime) -> None:
        """Sends no more until ``resume``; what waits for too long is given up all the same. Raises RefusedError."""
        with self._database.writing() as connection:
            _require(connection, programme)
            pause(connection, _is(programme), BY_OPERATOR, milliseconds_of(at))

    def resume(self, programme: str, at: datetime) -> None:
        """Sends again, at once, whatever waits. Raises RefusedError where there is no endpoint."""
        now = milliseconds_of(at)
        with self._database.writing() as connection:
            _require(connection, programme)
            changed = {"state": ACTIVE, "reason": None, "changed_at_ms": now}
            connection.execute(update(ENDPOINTS).where(_is(programme)).values(changed))
            make_due(connection, programme, now)

    def remove(self, programme: str, at: datetime, *, gives_up: bool) -> int:
        """Forgets an endpoint; returns how many records are given up by that, each told as undeliverable.

        Raises RefusedError where there is none, or where records wait and ``gives_up`` is not said.
        """
        now = milliseconds_of(at)
        with self._database.writing() as connection:
            _require(connection, programme)
            waiting = (DELIVERIES.c.programme == programme) & (DELIVERIES.c.state == QUEUED)
            count = connection.execute(select(func.count()).where(waiting)).scalar_one()
            if count and not gives_up:
                raise RefusedError(
                    Refusal(
                        "records_waiting",
                        "programme",
                        "an endpoint is removed when nothing waits for it",
                        "resume it and let it be delivered, or give it up with --give-up",
                    )
                )
            give_up(connection, waiting, "removed", now)
            connection.execute(delete(POSITIONS).where(POSITIONS.c.programme == programme))
            connection.execute(delete(ENDPOINTS).where(_is(programme)))
        return count

    def send_again(self, programme: str, at: datetime, since: datetime | None, handover: str | None) -> int:
        """Puts delivered and given-up records back in their queues, and lets what waits be tried now.

        Returns how many those are. ``since`` is when a record was first queued, ``handover`` its handover's id.
        Raises RefusedError where there is no endpoint.
        """
        now = milliseconds_of(at)
        meant = DELIVERIES.c.programme == programme
        if handover is not None:
            meant &= DELIVERIES.c.handover == handover
        if since is not None:
            meant &= DELIVERIES.c.queued_at_ms >= milliseconds_of(since)
        again = {"state": QUEUED, "attempts": 0, "rounds": DELIVERIES.c.rounds + 1, "outcome": None}
        again |= {"queued_at_ms": now, "next_attempt_ms": now, "ended_at_ms": None}
        with self._database.writing() as connection:
            _require(connection, programme)
            waiting = meant & (DELIVERIES.c.state == QUEUED)
            pulled = connection.execute(update(DELIVERIES).where(waiting).values(next_attempt_ms=now)).rowcount
            ended = meant & DELIVERIES.c.ended_at_ms.is_not(None) & (DELIVERIES.c.state != QUEUED)
            return pulled + connection.execute(update(DELIVERIES).where(ended).values(again)).rowcount


def _is(programme: str) -> Any:
    return ENDPOINTS.c.programme == programme


def _one(programme: str) -> Any:
    return select(ENDPOINTS).where(_is(programme))


def _require(connection: Connection, programme: str) -> None:
    if connection.execute(_one(programme)).one_or_none() is None:
        raise RefusedError(
            Refusal(
                "no_endpoint",
                "programme",
                "the programme has registered an endpoint",
                "`brobygger webhooks list` shows those that have; `webhooks set` registers one",
            )
        )


def _endpoint_of(row: Row[Any], at: datetime) -> Endpoint:
    former = row.former_secret is not None and milliseconds_of(at) < row.former_until_ms
    return Endpoint(
        programme=row.programme,
        url=row.url,
        state=row.state,
        reason=row.reason,
        since=moment_of(row.since_ms),
        changed_at=moment_of(row.changed_at_ms),
        secrets=(row.secret, row.former_secret) if former else (row.secret,),
    )
