"""Letters in free text: whose owner is told to read them, once settled. Nothing is ever guessed from one.

By MedCom's categories (CareCommunication): what is about psychiatry concerns us whoever it is about; what is about
care at home never does; the rest, uncoded letters and categories of later guides among it, where the young person
has a stay, course or referral that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import NoticeKind
from streams.domain.calendar import DAY_MS
from streams.domain.chains import standing
from streams.domain.stays import is_psychiatric

if TYPE_CHECKING:
    from schemas.facts import CorrespondenceFact
    from streams.domain.work import Work

_OURS = frozenset({"psychiatry_social_disability"})
_ELSEWHERE = frozenset(
    {
        "assistive_devices",
        "examination_results",
        "extended_care_responsibility",
        "healthcare",
        "home_care_assessment",
        "medicine",
        "nursing",
        "telemedicine",
        "training",
    }
)
#: A letter is shown to a person where what makes it concern us is known within so long.
_WAITS_MS = 14 * DAY_MS


def concerns_us(work: Work, letter: CorrespondenceFact) -> bool:
    """Tells whether, as far as is known, a letter is one that somebody here has to read."""
    if letter.category in _OURS or letter.category in _ELSEWHERE:
        return letter.category in _OURS
    in_scope = any(is_psychiatric(stay, work.catalogue.units) is not False for stay in work.derived.stays.stays)
    return in_scope or bool(work.facts.courses or work.facts.referrals)


def watch_correspondence(work: Work) -> None:
    """Tells the owner of every letter that stands and concerns us, once, when it has settled."""
    if not work.facts.correspondence:
        return
    for _, fact, _ in standing(work.facts.correspondence):
        if not concerns_us(work, fact):
            continue
        settled_at = fact.logged_at + work.catalogue.settle_ms
        if settled_at > work.now:
            work.wake_at(settled_at)
        elif work.now <= fact.logged_at + _WAITS_MS:
            work.notify_once(NoticeKind.CORRESPONDENCE, fact.event_id, work.owner(), fact.category)
