"""Two numbers of one person: the pathway of the replaced one lends its facts to the other's, by letters.

The absorbed pathway keeps its facts, ends what waits there and goes on with what a programme has taken over; the
other derives from its own and the borrowed facts together. Undone, each has its own again. Programmes aren't told:
that a number changed is nobody's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.facts import CorrespondenceFact, Fact, PersonFact
from schemas.identifiers import derived_text
from schemas.letters import FactLent, LoanEnded, NeedKept, encode_letter, kind_of
from schemas.pathway import NEVER, Borrowed, KeptElsewhere, Need, replace
from streams.domain.handovers import withdraw
from streams.domain.work import CLOSED, LETTERS, Said, Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.letters import LetterContent

_TOLD = "decided_anew"
_TAKEN_OVER = "taken_over"


def follow_link(work: Work, fresh: Fact | None = None) -> None:
    """Lends what is to be lent to whoever stands for the young person now; ``fresh`` is a fact that has just come."""
    pathway, target = work.pathway, _standing_for(work)
    work.absorbed = target is not None
    if target == pathway.lent_to:
        if target is not None and fresh is not None:
            _lend(work, [Borrowed("", pathway.youth_id, fresh)])
        return
    if pathway.lent_to is not None:
        _write(work, LoanEnded(pathway.youth_id, None))
    work.pathway = replace(work.pathway, lent_to=target)
    if target is None:
        return
    _lend(work, [*(Borrowed("", pathway.youth_id, fact) for fact in pathway.facts), *pathway.borrowed])
    for need in work.needs.values():
        if need.state == _TAKEN_OVER or (need.state == CLOSED and not need.by_facts):
            _write(work, NeedKept(pathway.youth_id, need.root, need.kind, kept=True))


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


def leave_to_other(work: Work) -> None:
    """Ends what waits in an absorbed pathway; what a programme had taken over and gave up is the other's now."""
    for need in list(work.needs.values()):
        if need.state in (_TAKEN_OVER, CLOSED):
            continue
        _close(work, need, "linked")
        _write(work, NeedKept(work.pathway.youth_id, need.root, need.kind, kept=False))


def take_lent(work: Work, lent: FactLent) -> Fact | None:
    """Keeps a borrowed fact from now on, and returns it; None where it is known or the young person's own."""
    pathway = work.pathway
    known = any(
        (one.lender, one.owner, one.fact.event_id) == (lent.lender, lent.owner, lent.fact.event_id)
        for one in pathway.borrowed
    )
    if known or lent.owner == pathway.youth_id or pathway.erased:
        return None
    # It settles from now: what cancels it may be in the next letter.
    fact = replace(lent.fact, logged_at=work.now)
    work.pathway = replace(pathway, borrowed=(*pathway.borrowed, Borrowed(lent.lender, lent.owner, fact)))
    work.derive_again()
    if pathway.lent_to is not None:
        _lend(work, [Borrowed("", lent.owner, fact)])
    return fact


def take_kept(work: Work, told: NeedKept) -> None:
    """Notes that the absorbed pathway goes on with a need, or no longer."""
    kept = KeptElsewhere(told.lender, told.root, told.kind)
    others = tuple(one for one in work.pathway.kept_elsewhere if one != kept)
    work.pathway = replace(work.pathway, kept_elsewhere=(*others, kept) if told.kept else others)


def end_loan(work: Work, ended: LoanEnded) -> None:
    """Gives borrowed facts back, and ends what had followed from them."""
    pathway = work.pathway
    gone = [one for one in pathway.borrowed if one.lender == ended.lender and ended.owner in (None, one.owner)]
    if not gone:
        return
    work.pathway = replace(
        pathway,
        borrowed=tuple(one for one in pathway.borrowed if one not in gone),
        kept_elsewhere=tuple(one for one in pathway.kept_elsewhere if one.lender != ended.lender),
    )
    work.derive_again()
    roots = {one.fact.event_id for one in gone}
    for need in list(work.needs.values()):
        if need.root in roots and need.state != CLOSED and work.trigger_of(need) is None:
            _close(work, need, "unlinked")
    if pathway.lent_to is not None:
        for owner in sorted({one.owner for one in gone}):
            _write(work, LoanEnded(pathway.youth_id, owner))


def _close(work: Work, need: Need, reason: str) -> None:
    handover = work.live_handover(need)
    if handover is not None:
        withdraw(work, handover, _TOLD)
    work.change(work.needs[need.need_id], state=CLOSED, clock_at=NEVER, reason_code=reason, by_facts=True)


def _lend(work: Work, facts: Iterable[Borrowed]) -> None:
    """Letters in free text stay where they came: their reader has been told."""
    own = work.pathway.youth_id
    for one in facts:
        if one.owner != work.pathway.lent_to and type(one.fact) is not CorrespondenceFact:
            _write(work, FactLent(own, one.owner, one.fact))


def _write(work: Work, content: LetterContent) -> None:
    """Writes a letter to whoever this pathway is lent to; its id is of which letter of the pathway's it is."""
    pathway = replace(work.pathway, letters=work.pathway.letters + 1)
    work.pathway = pathway
    to, kind = pathway.lent_to or "", kind_of(content)
    event_id = derived_text("letter", pathway.youth_id, str(pathway.letters))
    envelope: dict[str, Any] = work.envelope(event_id, pathway.youth_id, event_id, None)
    own = {"topic": kind, "need_kind": None, "content": encode_letter(content), "to": to, "youth_id": to}
    work.said.append(Said(LETTERS, envelope | own))
