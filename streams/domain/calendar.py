"""Danish days: ages, working days, and when a consent lapses.

All times are milliseconds since 1970; days are days since 1970-01-01 in Europe/Copenhagen.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from schemas.instants import date_of, days_of, milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Container

DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_SATURDAY = 5


def local_day(now: int) -> int:
    """Returns the Danish day of a time."""
    return _day_of_hour(now // _HOUR_MS)


@lru_cache(maxsize=4096)
def _day_of_hour(hour: int) -> int:
    """Returns the Danish day of a whole hour in UTC; Danish time is whole hours from UTC."""
    return days_of(moment_of(hour * _HOUR_MS).astimezone(_COPENHAGEN).date())


def start_of_day_ms(day: int) -> int:
    """Returns the time at which a Danish day begins."""
    return _at(date_of(day), time())


def last_moment(occurred_at: int, occurred_on: int | None) -> int:
    """Returns the last moment at which something may have happened: of its day, where only that was told."""
    return occurred_at if occurred_on is None else start_of_day_ms(occurred_on + 1) - 1


@lru_cache(maxsize=16_384)
def age_on(birth_day: int, day: int) -> int:
    """Returns the age in whole years; who is born on 29 February has a birthday on 1 March otherwise.

    >>> age_on(days_of(date(2010, 5, 1)), days_of(date(2026, 4, 30)))
    15
    """
    birth, on = date_of(birth_day), date_of(day)
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


@lru_cache(maxsize=16_384)
def birthday(birth_day: int, age: int) -> int:
    """Returns the time at which a young person becomes ``age``."""
    birth = date_of(birth_day)
    try:
        return _at(birth.replace(year=birth.year + age), time())
    except ValueError:
        return _at(date(birth.year + age, 3, 1), time())


def lapse_of(given_at: int) -> int:
    """Returns the first moment at which a consent given then is no longer in force.

    It holds through the same date a year later (Sundhedsloven §44); one of 29 February through 28 February.
    """
    return _lapse_of_day(local_day(given_at))


@lru_cache(maxsize=4096)
def _lapse_of_day(given_on: int) -> int:
    given = date_of(given_on)
    try:
        last = given.replace(year=given.year + 1)
    except ValueError:
        last = date(given.year + 1, 2, 28)
    return _at(last + timedelta(days=1), time())


def after_working_days(start: int, count: int, closed: Container[int]) -> int:
    """Returns the time ``count`` working days after ``start``, at the same time of day.

    Saturdays, Sundays and the days in ``closed`` don't count; what starts on such a day starts with the
    next working day.
    """
    local = moment_of(start).astimezone(_COPENHAGEN)
    day, clock = days_of(local.date()), local.time()
    if not _works(day, closed):
        day, clock = _next_working_day(day, closed), time()
    for _ in range(count):
        day = _next_working_day(day, closed)
    return _at(date_of(day), clock)


def on_working_day(moment: int, closed: Container[int]) -> int:
    """Returns the time itself on a working day, else the same time of day on the next: nobody is reminded on others."""
    day = local_day(moment)
    if _works(day, closed):
        return moment
    clock = moment_of(moment).astimezone(_COPENHAGEN).time()
    return _at(date_of(_next_working_day(day, closed)), clock)


def after_days(start: int, count: int) -> int:
    """Returns the time ``count`` calendar days later, at the same Danish time of day."""
    later = start + count * DAY_MS
    return later + _ahead_of_utc(start // _HOUR_MS) - _ahead_of_utc(later // _HOUR_MS)


@lru_cache(maxsize=4096)
def _ahead_of_utc(hour: int) -> int:
    """Returns by how many milliseconds Danish time is ahead of UTC in a whole hour of UTC."""
    ahead = moment_of(hour * _HOUR_MS).astimezone(_COPENHAGEN).utcoffset()
    return 0 if ahead is None else ahead // timedelta(milliseconds=1)


def after_months(day: int, count: int) -> int:
    """Returns the same date ``count`` months later (earlier where negative), the month's last where it has none."""
    date_ = date_of(day)
    months = date_.year * 12 + date_.month - 1 + count
    year, month = months // 12, months % 12 + 1
    return days_of(date(year, month, min(date_.day, monthrange(year, month)[1])))


def weekday_of(day: int) -> int:
    """Returns a day's number in its week, 1 for Monday (ISO 8601)."""
    return date_of(day).isoweekday()


def week_of(day: int) -> str:
    """Returns the ISO 8601 week of a day, e.g. ``2026-W07``."""
    year, week, _ = date_of(day).isocalendar()
    return f"{year}-W{week:02}"


def _next_working_day(day: int, closed: Container[int]) -> int:
    day += 1
    while not _works(day, closed):
        day += 1
    return day


def _works(day: int, closed: Container[int]) -> bool:
    return date_of(day).weekday() < _SATURDAY and day not in closed


def _at(day: date, clock: time) -> int:
    return milliseconds_of(datetime.combine(day, clock, tzinfo=_COPENHAGEN).astimezone(UTC))
