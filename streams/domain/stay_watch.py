"""Stays whose end may be missing: watched by their own clocks, told once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codes import NoticeKind
from streams.domain.stays import end_missing_at, is_psychiatric

if TYPE_CHECKING:
    from streams.domain.work import Work


def watch_stays(work: Work) -> None:
    """Tells the owner of a stay that goes on a week after one of its episodes ended, or was silent for sixty days."""
    if work.derived.stays.deceased:
        return
    for stay in work.derived.stays.stays:
        if stay.ended_by is not None or is_psychiatric(stay, work.catalogue.units) is False:
            continue
        if (NoticeKind.STAY_END_MISSING, stay.first_root) in work.once:
            continue
        due = end_missing_at(stay)
        if due <= work.now:
            work.notify_once(NoticeKind.STAY_END_MISSING, stay.first_root, work.owner(), "stay_end_missing")
        else:
            work.wake_at(due)
