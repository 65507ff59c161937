"""Milliseconds and days, the fold's own numbers for times and dates, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds_of(moment: datetime) -> int:
    """Returns the milliseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(milliseconds: int) -> datetime:
    """Returns the time in UTC of milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def days_of(day: date) -> int:
    """Returns the days since 1970-01-01 of a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(days: int) -> date:
    """Returns the date of days since 1970-01-01."""
    return date.fromordinal(days + _EPOCH_ORDINAL)
