"""Times as people in Denmark write them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date, datetime

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_WEEKDAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")
_MONTHS = (
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
)

_SHORT = 4


def local_date(moment: datetime) -> date:
    """Returns the Danish date of an aware time."""
    return moment.astimezone(_COPENHAGEN).date()


def in_words(moment: datetime) -> str:
    """Returns an aware time in Danish words and Danish time.

    >>> from datetime import UTC, datetime
    >>> in_words(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    'onsdag 25. november 2026 kl. 00.00'
    """
    local = moment.astimezone(_COPENHAGEN)
    return f"{day_in_words(local.date())} kl. {local:%H.%M}"


def deadline_in_words(moment: datetime) -> str:
    """Returns the end of a time limit, to stand after "senest": at midnight it is the last day, which counts whole.

    >>> from datetime import UTC, datetime
    >>> deadline_in_words(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    'tirsdag 24. november 2026'
    """
    last_day = _last_day(moment)
    return in_words(moment) if last_day is None else day_in_words(last_day)


def short_deadline(moment: datetime) -> str:
    """Returns the end of a time limit as it stands in a list.

    >>> from datetime import UTC, datetime
    >>> short_deadline(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    '24. nov. 2026'
    """
    last_day = _last_day(moment)
    return short_time(moment) if last_day is None else short_day(last_day)


def _last_day(moment: datetime) -> date | None:
    local = moment.astimezone(_COPENHAGEN)
    at_midnight = (local.hour, local.minute) == (0, 0)
    return local.date() - timedelta(days=1) if at_midnight else None


def day_in_words(day: date) -> str:
    """Returns a date in Danish words.

    >>> from datetime import date
    >>> day_in_words(date(2026, 1, 5))
    'mandag 5. januar 2026'
    """
    return f"{_WEEKDAYS[day.weekday()]} {day.day}. {_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """Returns a date as it stands in a list.

    >>> from datetime import date
    >>> short_day(date(2026, 1, 5))
    '5. jan. 2026'
    """
    month = _MONTHS[day.month - 1]
    return f"{day.day}. {month if len(month) <= _SHORT else month[: _SHORT - 1] + '.'} {day.year}"


def short_time(moment: datetime) -> str:
    """Returns an aware time as it stands in a list, in Danish time.

    >>> from datetime import UTC, datetime
    >>> short_time(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    '25. nov. 2026 kl. 00.00'
    """
    local = moment.astimezone(_COPENHAGEN)
    return f"{short_day(local.date())} kl. {local:%H.%M}"
