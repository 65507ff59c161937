"""The pathway's two verbs: take an event, and let time pass. Both return the new pathway and what was said."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.codes import NoticeKind, StayStatus
from schemas.facts import CorrespondenceFact, Fact, PersonFact, StayFact, event_digest, fact_of, unknown_code_of
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Pathway, Seen, replace
from schemas.signals import FactLent, FactShared, LoanEnded, NeedKept, PersonErased, SlotAnswer, decode_signal
from streams.domain.capacity import take_answer
from streams.domain.correspondence import concerns_us, watch_correspondence
from streams.domain.forgetting import forget
from streams.domain.interventions import apply_intervention, forget_person
from streams.domain.linking import follow_link, take_kept, take_lent, take_shared, unmerge
from streams.domain.needs import reconcile_needs
from streams.domain.replies import apply_reply
from streams.domain.stay_watch import watch_stays
from streams.domain.stays import Stay, is_psychiatric
from streams.domain.views import show
from streams.domain.work import CLOSED, Emission, Work, event_header_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.programmes import Catalogue

FOLDED = "folded"
DUPLICATE = "duplicate"
OUT_OF_SCOPE = "out_of_scope"
CONFLICTING = "conflicting_duplicate"
STUCK = "stuck"


def _apply_signal(work: Work, event: dict[str, Any]) -> None:
    match decode_signal(event["content"]):
        case SlotAnswer() as answer:
            take_answer(work, answer)
        case FactLent() as lent:
            take_lent(work, lent)
        case FactShared() as shared:
            take_shared(work, shared)
        case NeedKept() as kept:
            take_kept(work, kept)
        case LoanEnded() as ended:
            unmerge(work, ended)
        case PersonErased() as erased:
            forget_person(work, told_by=erased.teller)
        case _:
            pass  # the others are for programmes


#: What is done once, in the order of the log, rather than kept as a fact.
_ACTS = {"Reply": apply_reply, "Intervention": apply_intervention, "Signal": _apply_signal}


class Transition(NamedTuple):
    """What became of one event, or of one moment."""

    pathway: Pathway
    outcome: str
    said: Sequence[Emission] = ()


def apply_event(pathway: Pathway, name: str, event: dict[str, Any], catalogue: Catalogue, now: int) -> Transition:
    """Folds one raw event of the model ``name`` into a pathway.

    A known id is a duplicate, or conflicts where its content differs: the first stands.
    """
    known = _known_digest(pathway, event["event_id"])
    if known is not None:
        same = known == event_digest(name, event)
        again = replace(pathway, duplicates=pathway.duplicates + 1) if same else pathway
        return Transition(again, DUPLICATE) if same else _conflict(pathway, event, catalogue, now)
    if pathway.erased and name not in ("Reply", "Signal"):
        return Transition(pathway, OUT_OF_SCOPE)
    if name in _ACTS:
        seen = Seen(event["event_id"], event_digest(name, event), now)
        work = Work(replace(pathway, seen=(*pathway.seen, seen)), catalogue, now)
        _ACTS[name](work, event)
        follow_link(work)
        return _finished(work, FOLDED, shows=name == "Signal")
    fact = fact_of(name, event, now)
    work = Work(replace(pathway, facts=_with(pathway.facts, fact)), catalogue, now)
    _remark(work, fact, event)
    follow_link(work, fact)
    return _finished(work, _scope_of(work, fact), shows=isinstance(fact, StayFact | PersonFact))


def fire_deadlines(pathway: Pathway, catalogue: Catalogue, now: int) -> Transition:
    """Lets the deadlines of a moment fire; raises AssertionError where one would fire for ever."""
    folded = _finished(Work(pathway, catalogue, now), FOLDED)
    if folded.pathway.next_due <= now:
        raise AssertionError("a deadline that fired is due again at once")
    return folded


def quarantine(pathway: Pathway, operations: str, now: int) -> Transition:
    """Stops the clocks of a young person whose deadline can't be folded, and tells operations.

    The next event about them is folded as usual and starts the clocks again.
    """
    about = derived_text("stuck", pathway.youth_id, str(len(pathway.facts)), str(len(pathway.seen)))
    fields = event_header_of(pathway.youth_id, derived_text("notice", about), about, now)
    own = {"kind": NoticeKind.STUCK, "recipient": operations, "need_kind": None, "due_at": None}
    notice = Emission(
        "notices", fields | own | {"reason_code": "deadline_failed", "options": [], "trigger_reason": None}
    )
    return Transition(replace(pathway, next_due=NEVER), STUCK, (notice,))


def _with(facts: tuple[Fact, ...], fact: Fact) -> tuple[Fact, ...]:
    """Returns the facts with one more, in the order of (occurred_at, event_id)."""
    if not facts or facts[-1].occurred_at < fact.occurred_at:
        return (*facts, fact)
    ordered = list(facts)
    insort(ordered, fact, key=lambda one: (one.occurred_at, one.event_id))
    return tuple(ordered)


def _known_digest(pathway: Pathway, event_id: str) -> int | None:
    for fact in pathway.facts:
        if fact.event_id == event_id:
            return fact.digest
    for seen in pathway.seen:
        if seen.event_id == event_id:
            return seen.digest
    return None


def _conflict(pathway: Pathway, event: dict[str, Any], catalogue: Catalogue, now: int) -> Transition:
    work = Work(pathway, catalogue, now)
    work.notify_once(NoticeKind.CONFLICTING_DUPLICATE, event["event_id"], event["source"], CONFLICTING)
    return _finished(work, CONFLICTING)


def _remark(work: Work, fact: Fact, event: dict[str, Any]) -> None:
    """Tells the source of what was odd: codes this release doesn't know, and the door's own remarks."""
    if unknown_code_of(fact) is not None:
        work.notify_once(NoticeKind.UNKNOWN_CODE, fact.event_id, fact.source, "unknown_code")
    for remark in event.get("remarks", ()):
        work.notify_once(NoticeKind(remark), fact.event_id, fact.source, remark)


def _scope_of(work: Work, fact: Fact) -> str:
    """Returns ``out_of_scope`` for a step of a stay that no psychiatric unit is known to have part in, and the like."""
    if isinstance(fact, CorrespondenceFact):
        return FOLDED if concerns_us(work, fact) else OUT_OF_SCOPE
    if not isinstance(fact, StayFact) or fact.cancels:
        return FOLDED
    stays = [stay for stay in work.derived.stays.stays if fact.unit in stay.units]
    if fact.status == StayStatus.DISCHARGE_PLANNED:
        stays.append(Stay(None, units={fact.unit}, specialties={fact.specialty}))
    in_scope = any(is_psychiatric(stay, work.catalogue.units) is not False for stay in stays)
    return FOLDED if in_scope else OUT_OF_SCOPE


def _finished(work: Work, outcome: str, *, shows: bool = False) -> Transition:
    """Reconciles, and returns the pathway with its next deadline; ``shows`` where facts alone may change its view.

    What ends a pathway's story is shown before it is forgotten.
    """
    reconcile_needs(work)
    if not work.is_merged:
        watch_stays(work)
    watch_correspondence(work)
    _show(work, changed=shows)
    if forget(work):
        _show(work, changed=True)
    clocks = [work.wakes]
    clocks += [need.clock_at for need in work.needs.values() if need.state != CLOSED]
    clocks += [one.clock_at for one in work.handovers.values()]
    pathway = replace(work.pathway, said=tuple(sorted(work.once)), next_due=min(clocks, default=NEVER))
    return Transition(pathway, outcome, work.said)


def _show(work: Work, *, changed: bool) -> None:
    """Keeps needs and handovers, and says the view anew where it may have changed."""
    was = work.pathway
    needs, handovers = tuple(work.needs.values()), tuple(work.handovers.values())
    shown = show(work) if changed or needs != was.needs or handovers != was.handovers else was.shown
    work.pathway = replace(was, needs=needs, handovers=handovers, shown=shown)
