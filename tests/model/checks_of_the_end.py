"""Checks of a whole history at its quiet end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from schemas.codes import NoticeKind
from schemas.pathway import encode_pathway
from tests.model.checks_of_states import dead_ever
from tests.model.ledger import Ledger
from tests.model.reference_needs import DAY, PENDING, Fact
from tests.model.steps import NUMBERS
from tests.model.world import World

Found = Iterator[str]
#: Reminders at growing intervals (a working day, then some, then weeks) reach a quarter in at most eight steps; four
#: a year follow. Twelve a year about one thing allows for both, and for a birthday.
NOTICES_A_YEAR = 12
#: A fact is at most some 400 bytes, a need with its options and handovers a kilobyte or two.
BYTES_AT_LEAST, BYTES_A_STEP = 4_096, 3_000
#: A need whose unit nobody knows is with operations, who were told to name it.
WITH_SOMEBODY = frozenset({"closed", "with_person", "taken_over", "awaiting_reference"})


def everything_ends_with_a_person(ledger: Ledger, world: World) -> Found:
    """After the last clock every need is with a person, taken over, or closed with a reason."""
    for pathway in world.pathways.values():
        for need in pathway.needs:
            known = ledger.needs.get((NUMBERS.index(pathway.youth_id), need.need_id))
            is_new = known is not None and known.since > ledger.now - 14 * DAY  # a birthday may bring it on at any time
            if need.state not in WITH_SOMEBODY and not is_new:
                yield f"a need is {need.state} in the end"
            if need.state == "closed" and not need.reason_code:
                yield "a need is closed without a reason"
        for one in pathway.handovers:
            if one.state in PENDING:
                yield f"a handover to {one.programme} is {one.state} in the end"


def notices_have_a_bound(ledger: Ledger, world: World) -> Found:
    """In a quiet year nobody hears of one thing more than so many times."""
    quiet = ledger.now - 365 * DAY
    about = Counter((fields["subject"], fields["kind"]) for when, fields in ledger.notices if when > quiet)
    for (_, kind), count in about.items():
        if count > NOTICES_A_YEAR:
            yield f"{count} notices {kind} about one thing in a quiet year"


def unknown_codes_are_told(ledger: Ledger, world: World) -> Found:
    """Whoever sent a code that nobody knows is told."""
    kinds = {(fields["youth_id"], fields["kind"]) for _, fields in ledger.notices}
    for youth_id in world.pathways:
        if _is_unknown(ledger, NUMBERS.index(youth_id)) and (youth_id, NoticeKind.UNKNOWN_CODE) not in kinds:
            yield "a code that nobody knows was told to nobody"


def _is_unknown(ledger: Ledger, number: int) -> bool:
    if number in ledger.erased or ledger.linked or dead_ever(ledger, frozenset({number})):
        return False
    mine = [fact for fact in ledger.facts if fact.number == number]
    return any(
        fact.event["decision"] == "UNKNOWN"
        and not fact.event["cancels"]
        and not _followed(mine, fact.event["event_id"])
        for fact in mine
        if fact.model in ("Consent", "Referral")
    )


def _followed(facts: list[Fact], event_id: str) -> bool:
    return any(event_id in (fact.event["revises"], fact.event["cancels"]) for fact in facts)


def states_stay_small(ledger: Ledger, world: World) -> Found:
    """A pathway grows with what was told, and not with time."""
    for pathway in world.pathways.values():
        size, bound = len(encode_pathway(pathway)), BYTES_AT_LEAST + BYTES_A_STEP * len(ledger.firsts)
        if size > bound:
            yield f"{size} bytes after {len(ledger.firsts)} statements"


END_CHECKS: tuple[Callable[[Ledger, World], Found], ...] = (
    everything_ends_with_a_person,
    notices_have_a_bound,
    unknown_codes_are_told,
    states_stay_small,
)
