"""When a scenario is played: its source's dates, moved by whole weeks to where the calendar may still go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_WEEK = timedelta(weeks=1)
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Dates:
    """By how many weeks later than its source a scenario is played.

    Whole weeks keep weekdays and times of day. The log's time, by which the domain decides whether a programme is
    valid and how old someone is, only goes forward, so that a year that is over can't be played at its own date.
    """

    weeks: int

    @classmethod
    def ahead_of(cls, now: datetime, begins: datetime) -> Dates:
        """Returns the smallest shift with which a scenario that begins then, in Danish time, begins after now.

        >>> from datetime import UTC
        >>> Dates.ahead_of(datetime(2019, 4, 9, 12, tzinfo=UTC), datetime(2019, 4, 1, 9))
        Dates(weeks=2)
        """
        lag = now + _MARGIN - begins.replace(tzinfo=COPENHAGEN)
        return cls(max(0, -(-lag // _WEEK)))

    def played(self, moment: datetime) -> datetime:
        """Returns when that is played which the source dates so, in Danish time without offset."""
        return moment.replace(tzinfo=COPENHAGEN) + self.weeks * _WEEK

    def told(self, moment: datetime) -> datetime:
        """Returns the source's Danish time of what happened at a time of the calendar."""
        return (moment.astimezone(COPENHAGEN) - self.weeks * _WEEK).replace(tzinfo=None)
