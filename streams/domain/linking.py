"""Two numbers of one person: the pathway of the replaced one lends its facts to the other's, by signals.

The merged pathway keeps its facts, ends what waits there and goes on with what a programme has taken over; the
other derives from its own and the borrowed facts together, and shares its own in return: whatever ends or changes a
handover, and a death, reaches each under whichever number it was told.
Undone, each has its own again. Programmes aren't told: that a number changed is nobody's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.codes import ConsentDecision, NoticeKind, StayStatus
from schemas.facts import ConsentFact, CorrespondenceFact, Fact, PersonFact, StayFact
from schemas.identifiers import derived_text
from schemas.pathway import KeptElsewhere, MergedFact, Need, replace
from schemas.signals import FactLent, FactShared, LoanEnded, NeedKept, PersonErased, encode_signal, signal_kind
from streams.domain.handovers import close
from streams.domain.work import CLOSED, SIGNALS, Emission, Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.signals import SignalContent

_TOLD = "decided_anew"
_TAKEN_OVER = "taken_over"


def follow_link(work: Work, fresh: Fact | None = None) -> None:
    """Lends what is to be lent to whoever stands for the young person now; ``fresh`` is a fact that has just come."""
    pathway, target = work.pathway, _standing_for(work)
    work.is_merged = target is not None
    if fresh is not None:
        _share(work, [MergedFact("", pathway.youth_id, fresh)])
    if target == pathway.merged_into:
        if target is not None and fresh is not None:
            _lend(work, [MergedFact("", pathway.youth_id, fresh)])
        return
    if pathway.merged_into is not None:
        _write(work, pathway.merged_into, LoanEnded(pathway.youth_id, None))
    work.pathway = replace(work.pathway, merged_into=target, kept_told=(), shared=())
    if pathway.shared:
        work.derive_again()
    if target is not None:
        _lend(work, [*(MergedFact("", pathway.youth_id, fact) for fact in pathway.facts), *pathway.borrowed])
        tell_kept(work)


def _standing_for(work: Work) -> str | None:
    """Returns whose pathway absorbs this one by its own facts; of a circle the greatest youth id stays by itself."""
    last: dict[str, PersonFact] = {}
    for fact in work.pathway.facts:
        if type(fact) is PersonFact and (other := fact.linked_to or fact.unlinked_from) is not None:
            last[other] = fact
    linked = [fact for fact in last.values() if fact.linked_to is not None]
    if not linked:
        return None
    target = max(linked, key=lambda fact: (fact.occurred_at, fact.event_id)).linked_to
    owners = {one.owner for one in work.pathway.borrowed}
    own = work.pathway.youth_id
    return None if target in owners and own == max(*owners, own) else target


def leave_to_merged(work: Work, need: Need) -> None:
    """Ends what waits here where another number of the person goes on."""
    close(work, need, "linked", by_facts=True, told=_TOLD)


def tell_kept(work: Work) -> None:
    """Tells whoever stands for the young person which needs are gone on with or decided here, where that is new."""
    pathway = work.pathway
    if pathway.merged_into is None:
        return
    kept = {one.need_id: one for one in (*map(_kept_here, work.needs.values()), *_kept_beyond(work)) if one is not None}
    told = {one.need_id: one for one in pathway.kept_told}
    for need_id, one in kept.items():
        if told.get(need_id) != one:
            _write(
                work, pathway.merged_into, NeedKept(pathway.youth_id, need_id, replace(one, lender=pathway.youth_id))
            )
    for need_id in told.keys() - kept.keys():
        if need_id in work.needs or told[need_id].live:
            _write(work, pathway.merged_into, NeedKept(pathway.youth_id, need_id, None))
    if kept != told:
        work.pathway = replace(work.pathway, kept_told=tuple(kept.values()))


def _kept_here(need: Need) -> KeptElsewhere | None:
    live = need.state == _TAKEN_OVER
    if not live and (need.state != CLOSED or need.by_facts):
        return None
    return KeptElsewhere("", need.need_id, need.kind, live, need.carries, need.covers)


def _kept_beyond(work: Work) -> Iterable[KeptElsewhere]:
    """Returns what numbers that this one stands for keep: whoever stands for this one has to know of it too."""
    return [replace(one, lender="") for one in work.pathway.kept_elsewhere]


def take_lent(work: Work, lent: FactLent) -> None:
    """Keeps a borrowed fact from now on; nothing happens where it is known or the young person's own."""
    pathway = work.pathway
    known = any(
        (one.lender, one.owner, one.fact.event_id) == (lent.lender, lent.owner, lent.fact.event_id)
        for one in pathway.borrowed
    )
    if known or lent.owner == pathway.youth_id or pathway.erased:
        return
    # It settles from now: what cancels it may be in the next signal.
    fact = replace(lent.fact, logged_at=work.now)
    borrowed, is_known = MergedFact(lent.lender, lent.owner, fact), lent.lender in _shared_with(work)
    work.pathway = replace(pathway, borrowed=(*pathway.borrowed, borrowed))
    work.derive_again()
    _share(work, [borrowed])
    if not is_known:
        own = [MergedFact("", pathway.youth_id, fact) for fact in pathway.facts]
        _share(work, [*own, *pathway.borrowed, *pathway.shared], lent.lender)
    if pathway.merged_into is not None:
        _lend(work, [MergedFact("", lent.owner, fact)])


def take_shared(work: Work, shared: FactShared) -> None:
    """Keeps a fact of the number that stands for this one, as long as it does."""
    pathway = work.pathway
    known = any(one.fact.event_id == shared.fact.event_id for one in pathway.shared)
    if known or shared.sharer != pathway.merged_into or shared.owner == pathway.youth_id or pathway.erased:
        return
    fact = MergedFact(shared.sharer, shared.owner, replace(shared.fact, logged_at=work.now))
    work.pathway = replace(pathway, shared=(*pathway.shared, fact))
    work.derive_again()
    _share(work, [fact])


def take_kept(work: Work, told: NeedKept) -> None:
    """Notes that a merged pathway goes on with a need, has decided it, or does neither any longer."""
    pathway = work.pathway
    if pathway.erased:
        return
    others = tuple(one for one in pathway.kept_elsewhere if (one.lender, one.need_id) != (told.lender, told.need_id))
    kept = () if told.kept is None else (told.kept,)
    work.pathway = replace(pathway, kept_elsewhere=(*others, *kept))
    need = None if told.kept is None or not told.kept.live else work.open_need(told.kept.kind)
    if need is not None and need.state == _TAKEN_OVER:
        work.notify_once(NoticeKind.ESCALATED, need.need_id, work.owner(), "two_handovers")


def unmerge(work: Work, ended: LoanEnded) -> None:
    """Gives borrowed or shared facts back, and ends what had followed from them."""
    pathway = work.pathway
    gone = [
        one
        for one in (*pathway.borrowed, *pathway.shared)
        if one.lender == ended.lender and ended.owner in (None, one.owner)
    ]
    kept = pathway.kept_elsewhere
    if ended.owner is None:
        kept = tuple(one for one in kept if one.lender != ended.lender)
    if not gone and kept == pathway.kept_elsewhere:
        return
    sharing = _shared_with(work)
    work.pathway = replace(
        pathway,
        borrowed=tuple(one for one in pathway.borrowed if one not in gone),
        shared=tuple(one for one in pathway.shared if one not in gone),
        kept_elsewhere=kept,
    )
    work.derive_again()
    roots = {one.fact.event_id for one in gone}
    for need in list(work.needs.values()):
        stands = any(trigger.raises_any(need.roots) for trigger in work.derived.triggers)
        if need.root in roots and need.state != CLOSED and not stands:
            close(work, need, "unlinked", by_facts=True, told=_TOLD)
    for owner in sorted({one.owner for one in gone}):
        for other in sorted((sharing | {pathway.merged_into or ""}) - {"", ended.lender}):
            _write(work, other, LoanEnded(pathway.youth_id, owner))


def tell_erased(work: Work, told_by: str | None) -> None:
    """Tells the pathways of the person's other numbers that the young person is to be forgotten."""
    pathway = work.pathway
    for other in sorted((_shared_with(work) | {pathway.merged_into or ""}) - {"", told_by}):
        _write(work, other, PersonErased(pathway.youth_id))


def _lend(work: Work, facts: Iterable[MergedFact]) -> None:
    """Lends a death first, then what ends something. Letters in free text stay: their reader has been told."""
    own, target = work.pathway.youth_id, work.pathway.merged_into
    for one in sorted(facts, key=_rank):
        if target is not None and one.owner != target and type(one.fact) is not CorrespondenceFact:
            _write(work, target, FactLent(own, one.owner, one.fact))


def _rank(one: MergedFact) -> int:
    """Returns the place in which a fact is told: a death, what takes a consent back, other corrections, all else."""
    fact = one.fact
    if type(fact) is StayFact and fact.status == StayStatus.DECEASED:
        return 0
    corrects = type(fact) is not PersonFact and (fact.cancels or fact.revises) is not None
    if type(fact) is ConsentFact:
        return 1 if corrects or fact.decision != ConsentDecision.GIVEN else 3
    return 2 if corrects else 3


def _shared_with(work: Work) -> set[str]:
    """Returns who is told this pathway's facts in return: the numbers that it stands for."""
    return {one.lender for one in work.pathway.borrowed} | {one.lender for one in work.pathway.kept_elsewhere}


def _share(work: Work, facts: Iterable[MergedFact], only: str | None = None) -> None:
    own, others = work.pathway.youth_id, sorted(_shared_with(work)) if only is None else [only]
    for one in sorted(facts, key=_rank) if others else ():
        for other in others:
            if other not in (one.lender, one.owner) and type(one.fact) is not CorrespondenceFact:
                _write(work, other, FactShared(own, one.owner, one.fact))


def _write(work: Work, to: str, content: SignalContent) -> None:
    """Writes a signal to another number's pathway; its id is of which signal of the pathway's it is."""
    pathway = replace(work.pathway, signals=work.pathway.signals + 1)
    work.pathway = pathway
    kind = signal_kind(content)
    event_id = derived_text("signal", pathway.youth_id, str(pathway.signals))
    header: dict[str, Any] = work.header(event_id, pathway.youth_id, event_id, None)
    own = {"topic": kind, "need_kind": None, "content": encode_signal(content), "to": to, "youth_id": to}
    work.said.append(Emission(SIGNALS, header | own))
