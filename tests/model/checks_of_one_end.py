"""Checks of one end told by several, and of what is decided before another comes (S5, T7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.codes import HandoverEventType, StayStatus
from schemas.events import UNNUMBERED
from tests.model.checks_of_folds import Found, to_programmes
from tests.model.ledger import Handed, Ledger
from tests.model.reference_needs import PSYCHIATRIC, TAKEN, Fact, standing
from tests.model.steps import day_of_moment
from tests.model.world import Seen


def one_end_is_decided_once(ledger: Ledger, seen: Seen) -> Found:
    """While any telling of an end stands, what was decided about it holds: nothing is withdrawn, or offered again."""
    if ledger.linked:
        return
    for statement, fields in to_programmes(seen):
        if fields["trigger"] != "discharge" or fields["occurred_on"] is None:
            continue
        day = fields["occurred_on"]
        known = ledger.handovers.get(fields["subject"])
        cancelled = statement == HandoverEventType.WITHDRAWN and fields["reason_code"] == "discharge_cancelled"
        if len(_episodes(ledger, seen, day)) > 1:
            continue
        if known is not None and cancelled and known.state in TAKEN and day in _days_home(ledger, seen):
            yield f"withdrawn from {fields['programme']} although the end of that day stands"
        if known is None and statement == HandoverEventType.OFFERED and _was_decided(ledger, seen, fields):
            yield f"offered to {fields['programme']} although that day's end was decided"


def _days_home(ledger: Ledger, seen: Seen) -> set[int]:
    """Returns the days on which somebody went home from a psychiatric unit, as it stands."""
    told = [fact.event for fact in standing(ledger.of(frozenset({seen.number}))) if fact.model == "Discharge"]
    units = ledger.catalogue.units
    mine = (
        one for one in told if one["status"] == StayStatus.DISCHARGED_HOME and units.get(one["unit"]) in PSYCHIATRIC
    )
    return {day_of_moment(one["occurred_at"]) for one in mine}


def _episodes(ledger: Ledger, seen: Seen, day: int) -> set[str]:
    """Returns the episodes that were told to have ended on a day or the day before: of one end there is one at most."""
    homes = [
        fact.event for fact in ledger.of(frozenset({seen.number})) if fact.event.get("status") == "discharged_home"
    ]
    near = (one for one in homes if day_of_moment(one["occurred_at"]) in (day - 1, day))
    return {one["episode_id"] for one in near} - {UNNUMBERED}


def _was_decided(ledger: Ledger, seen: Seen, fields: dict[str, Any]) -> bool:
    """Tells whether a reply closed a need of the kind about an end of that day, and nothing began that day or since."""
    day = fields["occurred_on"]
    begun = {day_of_moment(fact.event["occurred_at"]) for fact in ledger.of(frozenset({seen.number})) if _begins(fact)}
    if ledger.acts or any(one >= day for one in begun):
        return False
    closed = {
        need_id
        for (number, need_id), one in ledger.needs.items()
        if number == seen.number and one.need.kind == fields["need_kind"] and one.closed_by == "Reply"
    }
    return any(one.need_ids & closed and _day_of(one) == day for one in ledger.handovers.values())


def _begins(fact: Fact) -> bool:
    return fact.model == "Discharge" and bool(fact.event["status"] == StayStatus.ADMITTED)


def _day_of(one: Handed) -> int | None:
    return one.occurred_on if one.trigger == "discharge" else None


ONE_END_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (one_end_is_decided_once,)
