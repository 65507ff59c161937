"""Checks of what persons decide: each act by the state it finds (``docs/specification/rules.md`` M1-M12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schemas.codes import InterventionAction, NoticeKind, StayStatus
from schemas.pathway import Need
from tests.model.checks_of_folds import notices, states_of, to_programmes
from tests.model.ledger import FOLDED, Ledger
from tests.model.reference_needs import LIVE, PENDING
from tests.model.steps import id_of
from tests.model.world import Seen

Found = Iterator[str]


def acts_follow_the_table(ledger: Ledger, seen: Seen) -> Found:
    """An act is done, or refused with the reason that the table gives; refused, it changes nothing."""
    event = seen.event
    if seen.model != "Intervention" or seen.outcome not in FOLDED or event["event_id"] in ledger.firsts:
        return
    need = next((one for one in seen.before.needs if one.need_id == event["subject"]), None)
    expected = _refusal(ledger, seen, need)
    told = {fields["reason_code"] for kind, fields in notices(seen) if kind == NoticeKind.ESCALATED}
    if expected is None:
        yield from _not_done(seen, need)
    elif expected not in told:
        yield f"act {event['action']} on {_state(need)} was not refused as {expected}, but {sorted(map(str, told))}"
    elif _changed_something(seen) and not ledger.decides_anew(seen):
        yield f"act {event['action']} on {_state(need)} was refused as {expected} and changed something"


def _changed_something(seen: Seen) -> bool:
    return any(to_programmes(seen)) or states_of(seen.before.needs) != states_of(seen.after.needs)


def _refusal(ledger: Ledger, seen: Seen, need: Need | None) -> str | None:
    """Returns the reason for which the table refuses an act beyond doubt, or None."""
    action = seen.event["action"]
    if action == InterventionAction.ERASED:
        return None
    erased = bool(ledger.group(seen.number) & ledger.erased.keys())
    carried_on = need is not None and need.reason_code == "carried_on"  # the act is taken for the need that goes on
    if erased or carried_on or _died(ledger, seen):
        return None
    if need is None:
        unknown = seen.event["subject"] == id_of("no need") and action != InterventionAction.UNKNOWN
        return "unknown_need" if unknown else None
    if action == InterventionAction.UNKNOWN:
        return "unknown_action"
    pending = any(one.need_id == need.need_id and one.state in PENDING for one in seen.before.handovers)
    return _REFUSALS.get((action, "pending" if pending else need.state))


_REFUSALS = {
    (InterventionAction.ASSIGNED, "closed"): "need_closed",
    (InterventionAction.CLOSED, "closed"): "need_closed",
    (InterventionAction.OFFERED, "closed"): "need_closed",
    (InterventionAction.CONSENT_ASKED, "closed"): "need_closed",
    (InterventionAction.OFFERED, "taken_over"): "taken_over",
    (InterventionAction.REOPENED, "taken_over"): "taken_over",
    (InterventionAction.REOPENED, "pending"): "already_offered",
    (InterventionAction.CONSENT_ASKED, "pending"): "consent_not_wanted",
}


def _died(ledger: Ledger, seen: Seen) -> bool:
    return any(fact.event.get("status") == StayStatus.DECEASED for fact in ledger.of(ledger.group(seen.number)))


def _not_done(seen: Seen, need: Need | None) -> Found:
    """Yields what an act that isn't refused should have done and didn't."""
    if need is None or seen.event["action"] != InterventionAction.CLOSED or need.state == "closed":
        return
    after = next((one for one in seen.after.needs if one.need_id == need.need_id), None)
    if after is not None and after.state != "closed":
        yield f"act closed on {need.state} left it {after.state}"
    if any(one.need_id == need.need_id and one.state in LIVE for one in seen.after.handovers):
        yield f"act closed on {need.state} left its handover"


def what_people_closed_stays_closed(ledger: Ledger, seen: Seen) -> Found:
    """A need that a reply or a person has closed stays closed until a person reopens it (N5)."""
    states = states_of(seen.after.needs)
    for need in seen.before.needs:
        known = ledger.needs.get((seen.number, need.need_id))
        closed_by_people = known is not None and known.closed_by in ("Reply", "Intervention")
        opened = need.state == "closed" and states.get(need.need_id, "closed") != "closed"
        if closed_by_people and opened and seen.model != "Intervention":
            yield f"a need closed by a person or programme ({need.reason_code}) is {states[need.need_id]} again"


def _state(need: Need | None) -> str:
    return f"a need that is {need.state}" if need else "no need"


ACT_CHECKS: tuple[Callable[[Ledger, Seen], Found], ...] = (
    acts_follow_the_table,
    what_people_closed_stays_closed,
)
