"""Which times and dates there are; milliseconds and days, the fold's own numbers for them, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DENMARK = ZoneInfo("Europe/Copenhagen")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MILLISECOND = timedelta(milliseconds=1)
_HOUR_MS = 3_600_000
_TIMES_FROM, _TIMES_BEFORE = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# The earliest birth that a CPR number can tell is of 1858.
_DATES_FROM, _DATES_BEFORE = date(1850, 1, 1), date(2200, 1, 1)


def is_possible_time(moment: datetime) -> bool:
    """Returns whether an aware time lies in the years 1900 to 2199, in UTC."""
    return _TIMES_FROM <= moment < _TIMES_BEFORE


def is_possible_date(day: date) -> bool:
    """Returns whether a date lies in the years 1850 to 2199."""
    return _DATES_FROM <= day < _DATES_BEFORE


def milliseconds_of(moment: datetime) -> int:
    """Returns the milliseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(milliseconds: int) -> datetime:
    """Returns the time in UTC of milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def days_of(day: date) -> int:
    """Returns the days since 1970-01-01 of a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(days: int) -> date:
    """Returns the date of days since 1970-01-01."""
    return date.fromordinal(days + _EPOCH_ORDINAL)


def danish_day(moment: datetime) -> date:
    """Returns the day in Denmark of an aware time.

    >>> danish_day(datetime(2026, 6, 30, 22, tzinfo=UTC)).isoformat()
    '2026-07-01'
    """
    return moment.astimezone(_DENMARK).date()


def start_of_day(day: date) -> datetime:
    """Returns the first moment of a Danish day, in UTC.

    >>> start_of_day(date(2026, 7, 1)).isoformat()
    '2026-06-30T22:00:00+00:00'
    """
    return datetime.combine(day, time(), _DENMARK).astimezone(UTC)


def whole_day_of(milliseconds: int) -> int | None:
    """Returns the Danish day that begins at a time, None for any other: who names a midnight names the day.

    >>> whole_day_of(milliseconds_of(start_of_day(date(2026, 7, 1)))) == days_of(date(2026, 7, 1))
    True
    """
    if milliseconds % _HOUR_MS:
        return None
    local = moment_of(milliseconds).astimezone(_DENMARK)
    return days_of(local.date()) if local.time() == time() else None
