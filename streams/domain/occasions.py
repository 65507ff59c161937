"""Occasions: which of a young person's triggers one need answers. A function of the facts and of what was decided.

Aftercare, and a plan, is one need at a time: it carries every trigger that comes while it is open, whoever told it, and
goes on with the newest. A wish to bridge is an occasion of its own. A refusal or withdrawal that holds ends the
occasion before it: what comes afterwards is another. What was decided for good stays so for all that the need carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.codes import NeedKind
from schemas.pathway import NEVER
from streams.domain.calendar import DAY_MS
from streams.domain.consents import last_word
from streams.domain.decided import decided_elsewhere, decided_needs, holds_for, is_over, undecided_part
from streams.domain.plans import overdue_at
from streams.domain.triggers import oldest_first
from streams.domain.work import CLOSED, TAKEN_OVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.facts import ConsentFact
    from schemas.pathway import KeptElsewhere, Need
    from streams.domain.stays import Stay
    from streams.domain.triggers import Trigger
    from streams.domain.work import Work

ONE_AT_A_TIME = (NeedKind.AFTERCARE, NeedKind.PLAN)
KINDS = (*ONE_AT_A_TIME, NeedKind.BRIDGING)
_BRIDGING_LOOP_MS = 30 * DAY_MS


def stay_holding(work: Work, kind: str) -> Stay | None:
    """Returns the stay that holds needs of a kind back, as far as is believed: a wish to bridge waits for no stay."""
    return work.stay_going_on() if kind in ONE_AT_A_TIME else None


class Occasion(NamedTuple):
    """The triggers of one need, oldest first; ``refused`` is what ended it before a later one began."""

    triggers: tuple[Trigger, ...]
    refused: ConsentFact | None = None

    @property
    def newest(self) -> Trigger:
        """The newest of them that has happened, whether or not it has settled, else what is planned last."""
        return next((one for one in reversed(self.triggers) if not one.is_planned), self.triggers[-1])

    def raises(self, need: Need) -> bool:
        """Tells whether a need answers this occasion; one that was decided for good only as far as that holds."""
        if need.state == CLOSED and not need.by_facts:
            return any(holds_for(need, trigger) for trigger in self.triggers)
        return any(trigger.raises_any(need.roots) for trigger in self.triggers)

    def settled(self, work: Work) -> list[Trigger]:
        """Returns the triggers that have settled, oldest first; watches for when the next has."""
        at = [(one.settled_at(work.catalogue.settle_ms), one) for one in self.triggers]
        work.wake_at(min((due for due, _ in at if due > work.now), default=NEVER))
        return [one for due, one in at if due <= work.now]


def lead_of(work: Work, occasion: Occasion, stay: Stay | None) -> Trigger | None:
    """Returns what a need is about now: the newest that has happened, else what is planned next; None for nothing yet.

    While the young person is in hospital only a planned end counts, and while the end of a later stay settles nothing.
    """
    settled = occasion.settled(work)
    happened = [one for one in settled if not one.is_planned]
    if happened and stay is None:
        return None if _has_left_again(work, happened[-1]) else happened[-1]
    planned = [one for one in settled if one.is_planned]
    to_come = (one for one in planned if work.now < overdue_at(one.occurred_at, work.catalogue.holidays))
    return next(to_come, planned[-1] if planned else None)


def _has_left_again(work: Work, trigger: Trigger) -> bool:
    """Tells whether the end of a later stay is known that has not settled yet, and would raise the like."""
    return any(
        one.is_of_stay
        and one.opens
        and not set(trigger.kinds).isdisjoint(one.kinds)
        and one.occurred_at > trigger.occurred_at
        and one.not_before <= work.now < one.logged_at + work.catalogue.settle_ms
        for one in work.derived.triggers
        if not one.is_planned
    )


def occasions(work: Work, kind: str) -> Sequence[Occasion]:
    """Returns the occasions of a kind that stand, oldest first.

    What has not settled raises nothing yet, and where no need is open nothing opens before all that is known has: which
    is told first makes no difference.
    """
    needs = [need for need in work.needs.values() if need.kind == kind]
    triggers = _raising(work, kind, needs)
    if not triggers:
        return ()
    current = [need for need in needs if need.state != CLOSED]
    settling = _is_settling(work, triggers)
    if kind not in ONE_AT_A_TIME:
        carried = [one for one in triggers if _is_carried(work, one, current)]
        return [Occasion((one,)) for one in (carried if settling else triggers) if one in carried or _is_due(work, one)]
    if not current and settling:
        return ()
    decided, elsewhere = decided_needs(work, kind), decided_elsewhere(work, kind)
    standing = [
        one
        for one in (undecided_part(trigger, decided) for trigger in triggers)
        if _goes_on(work, one, current, decided)
        or (not is_over(one, (*decided, *elsewhere)) and _is_due(work, one) and not _waits(work, one, current))
    ]
    return _told_apart(work, kind, standing)


def raised_together(work: Work) -> Iterator[Occasion]:
    """Yields what raises a need together and nobody has decided for good, whether or not it has settled."""
    for kind in ONE_AT_A_TIME if not work.is_merged else ():
        decided: list[Need | KeptElsewhere] = [*decided_needs(work, kind), *decided_elsewhere(work, kind)]
        raising = _raising(work, kind, [need for need in work.needs.values() if need.kind == kind])
        yield from _told_apart(work, kind, [one for one in raising if one.opens and not is_over(one, decided)])


def _raising(work: Work, kind: str, needs: Sequence[Need]) -> list[Trigger]:
    """Returns the triggers that raise needs of a kind, oldest first."""
    return oldest_first(
        one for one in work.derived.triggers if kind in one.kinds and _is_for_here(work, kind, one, needs)
    )


def _is_for_here(work: Work, kind: str, trigger: Trigger, needs: Iterable[Need]) -> bool:
    """Tells whether a trigger raises a need where the young person lived then: a plan is not made everywhere.

    What is under way under an earlier catalogue, or was taken over, goes on.
    """
    if kind != NeedKind.PLAN:
        return True
    if work.derived.municipality_at(trigger.occurred_at) in work.catalogue.municipalities_with_plans:
        return True
    live = [(need, work.live_handover(need)) for need in needs if trigger.raises(need.root)]
    return any(
        one is not None and (one.state in TAKEN_OVER or need.version != work.catalogue.version) for need, one in live
    )


def _is_carried(work: Work, trigger: Trigger, needs: Iterable[Need]) -> bool:
    """Tells whether an open need carries a trigger, and goes on with it."""
    return any(trigger.raises_any(need.roots) and goes_on_with(work, trigger, need) for need in needs)


def _goes_on(work: Work, trigger: Trigger, current: Sequence[Need], decided: Iterable[Need]) -> bool:
    """Tells whether a need that is open goes on with a trigger: not by a plan alone whose end has been decided."""
    if not trigger.is_planned and is_over(trigger, decided):
        trigger = trigger._replace(ids=trigger.told)
    return _is_carried(work, trigger, current)


def goes_on_with(work: Work, trigger: Trigger, need: Need) -> bool:
    """Tells whether a need goes on with a trigger that it carries.

    What was taken over goes on whatever has become of it. Else one that is held back again counts no more, nor one that
    raises nothing by the catalogue of now, but for what is under way by an earlier one, or was raised so under it.
    """
    is_about = trigger.course is not None and trigger.raises(need.lead)
    raised_so = is_about and need.why in (trigger.reason, "course_ends")
    if trigger.is_planned and trigger.course is not None and not (trigger.opens or raised_so):
        return False
    if need.state == "taken_over":
        return True
    is_of_earlier = need.version != work.catalogue.version and work.live_handover(need) is not None
    return trigger.not_before <= work.now and (trigger.opens or raised_so or is_of_earlier)


def _is_due(work: Work, trigger: Trigger) -> bool:
    """Tells whether a trigger may raise a need; watches for when it has settled."""
    if not trigger.opens:
        return False
    settled_at = trigger.settled_at(work.catalogue.settle_ms)
    if settled_at > work.now:
        work.wake_at(settled_at)
    return settled_at <= work.now


def _is_settling(work: Work, triggers: Iterable[Trigger]) -> bool:
    """Tells whether something that happened is known and has not settled; watches for when all of it has."""
    until = [one.logged_at + work.catalogue.settle_ms for one in triggers if one.opens and one.not_before <= work.now]
    latest = max(until, default=0)
    if latest > work.now:
        work.wake_at(latest)
    return latest > work.now


def _waits(work: Work, trigger: Trigger, current: Iterable[Need]) -> bool:
    """Tells whether a trigger is for a need of its own, once a programme that has taken over is done.

    The programme knows of a stay that ended since, for it is told, and of nothing else.
    """
    if trigger.is_of_stay:
        return False
    handovers = [work.live_handover(need) for need in current]
    return any(one is not None and one.accepted_at < trigger.occurred_at for one in handovers)


def _was_taken_over(work: Work, kind: str, triggers: Sequence[Trigger]) -> bool:
    """Tells whether a programme has taken over what triggers raised: that goes on, whatever was refused before."""
    taken = [need for need in work.needs.values() if need.kind == kind and need.state == "taken_over"]
    return any(trigger.raises_any(need.roots) for trigger in triggers for need in taken)


def _told_apart(work: Work, kind: str, triggers: Sequence[Trigger]) -> list[Occasion]:
    found: list[Occasion] = []
    group: list[Trigger] = []
    for trigger in triggers:
        if group:
            since = Occasion(tuple(group)).newest.since
            refused = last_word(work.consents, kind, since, min(trigger.since, work.now))
            if refused is not None and not _was_taken_over(work, kind, group):
                found.append(Occasion(tuple(group), refused))
                group = []
        group.append(trigger)
    if group:
        found.append(Occasion(tuple(group)))
    return found


def goes_round(work: Work, trigger: Trigger) -> bool:
    """Tells whether a trigger is a wish to bridge, and at least the third within thirty days."""
    if trigger.trigger != "bridging":
        return False
    own = [at for root, at in work.derived.bridgings if trigger.raises(root)]
    asked_at = min(own, default=trigger.occurred_at)
    earlier = [
        (at, root)
        for root, at in work.derived.bridgings
        if not trigger.raises(root)
        and 0 <= asked_at - at <= _BRIDGING_LOOP_MS
        and (at, root) < (asked_at, trigger.root)
    ]
    return len(earlier) > 1
