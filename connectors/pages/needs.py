"""Needs as an owner works with them, and the notices that led to them: read from the read model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, or_, select

from connectors.read_model.tables import INTERVENTIONS, NEEDS, NOTICES, reading
from schemas.codes import InterventionAction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy import ColumnElement, Engine, Row

CLOSED = "closed"
_BEGINS_ANEW = (InterventionAction.REOPENED, InterventionAction.OFFERED)
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class NeedRow:
    """One need. ``youth_id`` is the internal one: it keys what is published and is shown to nobody.

    ``taken_at`` is when its owner took it, where that owner has neither opened it again nor sent it on since.
    """

    need_id: str
    youth_id: str
    kind: str
    trigger: str
    state: str
    owner: str | None
    programme: str | None
    clock_at: datetime | None
    reason_code: str | None
    options: list[dict[str, str]]
    age_band: str | None
    municipality: str | None
    since: datetime
    updated_at: datetime
    taken_at: datetime | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice: who was told about which need, or stay."""

    event_id: str
    kind: str
    recipient: str
    subject: str
    reason_code: str | None
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """What an owner may see: needs that are theirs, and those of the young people whose home they answer for."""

    owner: str
    municipalities: tuple[str, ...]
    without_municipality: bool


@dataclass(frozen=True, slots=True)
class NeedAsOf:
    """A need and the last notice about it, as they were at one moment; ``taken_at`` where somebody waits for that."""

    need: NeedRow | None
    notice: NoticeRow | None
    taken_at: datetime | None = None


class NeedStore:
    """Reads the read model; calls block and raise ReadModelUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the read model's database."""
        self._engine = engine

    def need_seen_by(self, seen: Jurisdiction, need_id: str) -> NeedRow | None:
        """Returns a need, or None where it is not there or not this owner's to see."""
        found = self._needs(wanted_needs().where(seen_by(seen), NEEDS.c.need_id == need_id))
        return found[0] if found else None

    def need(self, need_id: UUID | str) -> NeedRow | None:
        """Returns a need, whosever it is."""
        found = self._needs(wanted_needs().where(NEEDS.c.need_id == str(need_id)))
        return found[0] if found else None

    def notice(self, notice_id: UUID) -> NoticeRow | None:
        """Returns a notice by its event id."""
        return self._notice(select(NOTICES).where(NOTICES.c.event_id == str(notice_id)))

    def moment(self, need_id: UUID | str, recipient: str, *, taking: bool = False) -> NeedAsOf:
        """Returns a need and the last notice about it to someone; with ``taking`` also when it was taken."""
        need = self.need(need_id)
        told = select(NOTICES).where(NOTICES.c.subject == str(need_id), NOTICES.c.recipient == recipient)
        notice = self._notice(told.order_by(NOTICES.c.offset.desc()).limit(1))
        return NeedAsOf(need, notice, need.taken_at if taking and need else None)

    async def changed_since(
        self, before: NeedAsOf, look: Callable[[], NeedAsOf], time_max: timedelta
    ) -> NeedAsOf | None:
        """Returns the first moment that ``look``, which blocks, sees differ; None where none came in time."""
        try:
            async with asyncio.timeout(time_max.total_seconds()):
                # Another process may project it, so there is nothing in this one to be woken by.
                while (now := await asyncio.to_thread(look)) == before:  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            return None
        return now

    def _needs(self, wanted: Any) -> tuple[NeedRow, ...]:
        rows: Sequence[Row[Any]] = reading(self._engine, lambda connection: connection.execute(wanted).all())
        return tuple(need_of(row) for row in rows)

    def _notice(self, wanted: Any) -> NoticeRow | None:
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        if row is None:
            return None
        return NoticeRow(**{name: getattr(row, name) for name in NoticeRow.__dataclass_fields__})


def seen_by(seen: Jurisdiction) -> ColumnElement[bool]:
    """Returns the condition on needs that an owner may see."""
    at_home = NEEDS.c.municipality.in_(seen.municipalities)
    nowhere = [NEEDS.c.municipality.is_(None)] if seen.without_municipality else []
    return or_(NEEDS.c.owner == seen.owner, at_home, *nowhere)


def need_of(row: Row[Any]) -> NeedRow:
    """Returns the need of a row of ``wanted_needs``."""
    return NeedRow(**{name: getattr(row, name) for name in NeedRow.__dataclass_fields__})


def wanted_needs() -> Any:
    """Returns the select of needs with all that ``NeedRow`` holds."""
    taken, later = INTERVENTIONS.alias(), INTERVENTIONS.alias()
    begun_anew = exists().where(
        later.c.need_id == NEEDS.c.need_id, later.c.action.in_(_BEGINS_ANEW), later.c.said_at > taken.c.said_at
    )
    taken_at = select(func.max(taken.c.said_at)).where(
        taken.c.need_id == NEEDS.c.need_id,
        taken.c.actor == NEEDS.c.owner,
        taken.c.action == InterventionAction.ASSIGNED,
        ~begun_anew,
    )
    return select(NEEDS, taken_at.scalar_subquery().label("taken_at"))
