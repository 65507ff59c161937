"""When a scenario is played: its source's dates, moved to where the calendar may still go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from schemas.instants import date_of

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_WEEK, _YEAR = timedelta(weeks=1), timedelta(days=365.25)
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Dates:
    """By how many weeks later than its source a scenario is played.

    Whole weeks keep weekdays and times of day, and as many of them as whole years have, to the nearest, keep the
    season, so that no play meets Christmas whose source doesn't. The log's time, by which the domain decides whether
    a programme is valid and how old someone is, only goes forward: a year that is over can't be played at its own date.
    """

    weeks: int

    @classmethod
    def ahead_of(cls, now: datetime, begins: datetime) -> Dates:
        """Returns the smallest shift with which a scenario that begins then, in Danish time, begins after now.

        >>> from datetime import UTC
        >>> Dates.ahead_of(datetime(2020, 5, 4, 12, tzinfo=UTC), datetime(2019, 4, 1, 9))
        Dates(weeks=104)
        """
        lag = now + _MARGIN - begins.replace(tzinfo=COPENHAGEN)
        years = max(0, lag // _YEAR)
        return next(cls(weeks) for weeks in map(_weeks_of, count(years)) if weeks * _WEEK >= lag)

    def played(self, moment: datetime) -> datetime:
        """Returns when that is played which the source dates so, in Danish time without offset."""
        return moment.replace(tzinfo=COPENHAGEN) + self.weeks * _WEEK

    def told(self, moment: datetime) -> datetime:
        """Returns the source's Danish time of what happened at a time of the calendar."""
        return (moment.astimezone(COPENHAGEN) - self.weeks * _WEEK).replace(tzinfo=None)

    def told_day(self, day: int) -> date:
        """Returns the source's date of a day of the calendar, given as days since 1970."""
        return date_of(day) - self.weeks * _WEEK


def _weeks_of(years: int) -> int:
    return round(years * _YEAR / _WEEK)
