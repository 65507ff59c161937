"""A source's own rhythm: the longest gap that is usual for it, on working days and over days off.

Learnt from its last five weeks, once they hold two weeks and twenty gaps; or set. Half as much again is allowed, and
never less than an hour. A gap that was a silence is no usual one, and isn't learnt.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import holidays

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

LEARNT_FROM = timedelta(weeks=5)
LEARNT_MIN = timedelta(weeks=2)
GAPS_MIN = 20
ALLOWED_MIN = timedelta(hours=1)
_ALLOWED_TIMES = 1.5
_GAPS_MAX = 20_000
_DAY, _SATURDAY = timedelta(days=1), 5
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_FREE = {(6, 5), (12, 24), (12, 31)}


@dataclass(frozen=True, slots=True)
class LastMessage:
    """An event of a source: when the log took it, aware, and its id."""

    at: datetime
    event_id: UUID


class _Gap(NamedTuple):
    ended_at: datetime
    length: timedelta
    over_days_off: bool


class Rhythm:
    """What is usual for one source. ``set_to`` is an allowance that is given instead; zero means never silent."""

    def __init__(self, set_to: timedelta | None = None) -> None:
        """Begins with nothing heard."""
        self.last: LastMessage | None = None
        self._first_at: datetime | None = None
        self._set_to = set_to
        self._gaps: deque[_Gap] = deque(maxlen=_GAPS_MAX)

    def heard(self, event: LastMessage) -> None:
        """Takes the next event; one that is not later than the last changes nothing."""
        if self.last is None:
            self.last, self._first_at = event, event.at
            return
        if event.at <= self.last.at:
            return
        silent_from = self.silent_from()
        if silent_from is None or event.at < silent_from:
            off = has_day_off(self.last.at, event.at)
            self._gaps.append(_Gap(event.at, event.at - self.last.at, off))
        self.last = event
        while self._gaps and self._gaps[0].ended_at < event.at - LEARNT_FROM:
            self._gaps.popleft()

    def silent_from(self) -> datetime | None:
        """Returns from when on the source is silent if nothing more comes; None where nobody can tell.

        The same events give the same time, whenever it is asked.
        """
        if self.last is None:
            return None
        if self._set_to is not None:
            return self.last.at + self._set_to if self._set_to else None
        if self._first_at is None or len(self._gaps) < GAPS_MIN or self.last.at - self._first_at < LEARNT_MIN:
            return None
        working = _allowed([gap.length for gap in self._gaps if not gap.over_days_off])
        until = self.last.at + working
        if not has_day_off(self.last.at, until):
            return until
        return self.last.at + max(working, _allowed([gap.length for gap in self._gaps if gap.over_days_off]))


def has_day_off(start: datetime, end: datetime) -> bool:
    """Returns whether a Saturday, Sunday or Danish day off lies between two times, their own days included."""
    day, last = start.astimezone(_COPENHAGEN).date(), end.astimezone(_COPENHAGEN).date()
    if last - day >= timedelta(days=6):
        return True
    while day <= last:
        if day.weekday() >= _SATURDAY or (day.month, day.day) in _FREE or day in _days_off(day.year):
            return True
        day += _DAY
    return False


def _allowed(gaps: list[timedelta]) -> timedelta:
    return max(max(gaps, default=timedelta()) * _ALLOWED_TIMES, ALLOWED_MIN)


@cache
def _days_off(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("DK", years=year))
