"""Dates as lists have them: strictly by the forms that a mapping allows, in Danish time.

A date that could be read in two ways is never guessed: day and month stand in the order that the mapping says, a
year of two digits is of this century (20YY), and a number that Excel shows where it has lost a date's format is
none. Times have minutes, 14:30 or 14.30; a date without a time stays a day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.local_times import COPENHAGEN, danish_moments

if TYPE_CHECKING:
    from collections.abc import Sequence

_MONTHS = ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_FULL_MONTHS = (
    *("januar", "februar", "marts", "april", "maj", "juni"),
    *("juli", "august", "september", "oktober", "november", "december"),
)
# No date is longer, and what is matched in several ways stays short.
_CHARACTERS_MAX = 48
# Databases write parts of a second behind a time: SQL Server's datetime2 seven digits, and zeros where there are none.
_TIME = re.compile(
    r"(.*?)(?:[ T]+(?:kl\.? *)?([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?", re.DOTALL
)
# PostgreSQL writes a blank in place of the T, SQL Server's datetimeoffset one before the offset too.
_WITH_OFFSET = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:.]+) ?(Z|[+-][0-9:]+)")
_CENTURY = 2000


class DateForm(StrEnum):
    """How a list may write its dates."""

    ISO = "2026-12-24"
    DAY_FIRST = "24-12-2026"
    WRITTEN_OUT = "24. december 2026"
    COMPACT = "20261224"
    MONTH_FIRST = "12/24/2026"


_YEAR = r"(?P<y>[0-9]{4}|[0-9]{2})"
_ON = r"(?:den |d\. ?)?"
_PATTERNS = {
    DateForm.ISO: re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    # 24/12-2026 is how many write it by hand.
    DateForm.DAY_FIRST: re.compile(
        rf"{_ON}(?P<d>[0-9]{{1,2}})(?:(?P<s>[-./])(?P<m>[0-9]{{1,2}})(?P=s)|/(?P<n>[0-9]{{1,2}})[- ]){_YEAR}"
    ),
    DateForm.WRITTEN_OUT: re.compile(rf"{_ON}(?P<d>[0-9]{{1,2}})\.? ?(?P<w>[a-z]{{3,9}})\.? {_YEAR}"),
    DateForm.COMPACT: re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    DateForm.MONTH_FIRST: re.compile(rf"(?P<m>[0-9]{{1,2}})(?P<s>[-./])(?P<d>[0-9]{{1,2}})(?P=s){_YEAR}"),
}


class NoDateError(Exception):
    """Raised where a text is no date of the forms that are allowed, or one that no calendar has."""


class NoHourError(NoDateError):
    """Raised where clocks in Denmark pass over an hour on that day."""


def day_in(text: str, forms: Sequence[DateForm]) -> date:
    """Returns the day that a text names; a time beside it is left out.

    ISO 8601 with an offset from UTC is always taken; the day is the one that Danish calendars show at that moment.

    >>> day_in("24.12.26", [DateForm.DAY_FIRST])
    datetime.date(2026, 12, 24)
    """
    instant = instant_in(text)
    return _read(text, forms)[0] if instant is None else instant.date()


def moment_in(text: str, forms: Sequence[DateForm]) -> datetime | date:
    """Returns the moment that a text names, in UTC; the day where it names no time.

    ISO 8601 with an offset from UTC is always taken.

    >>> moment_in("24. december 2026 kl. 14.30", [DateForm.WRITTEN_OUT]).isoformat()
    '2026-12-24T13:30:00+00:00'
    """
    instant = instant_in(text)
    if instant is not None:
        return instant.astimezone(UTC)
    day, clock = _read(text, forms)
    return day if clock is None else in_denmark(day, clock)


def instant_in(text: str) -> datetime | None:
    """Returns the moment of ISO 8601 with an offset from UTC, in Danish time; None where a text is nothing of the kind.

    Raises NoDateError for one that no calendar has.

    >>> instant_in("2026-12-24T23:30:00Z").isoformat()
    '2026-12-25T00:30:00+01:00'
    """
    parts = _WITH_OFFSET.fullmatch(text) if len(text) <= _CHARACTERS_MAX else None
    if parts is None:
        return None
    day, clock, offset = parts.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(COPENHAGEN)
    except (ValueError, OverflowError) as error:
        raise NoDateError from error


def in_denmark(day: date, clock: time) -> datetime:
    """Returns the moment of a Danish date and time, in UTC; of an hour that comes twice, the first.

    Raises NoHourError for an hour that clocks pass over.
    """
    moments = danish_moments(datetime.combine(day, clock))
    if not moments:
        raise NoHourError
    return moments[0]


def _read(text: str, forms: Sequence[DateForm]) -> tuple[date, time | None]:
    parts = _TIME.fullmatch(text) if len(text) <= _CHARACTERS_MAX else None
    if parts is None:
        raise NoDateError
    words, hour, minute, second, fraction = parts.groups()
    for form in forms:
        match = _PATTERNS[form].fullmatch(words.lower())
        if match is not None:
            try:
                microseconds = int((fraction or "").ljust(6, "0")[:6])
                clock = time(int(hour), int(minute), int(second or 0), microseconds) if hour else None
                return _day_of(match.groupdict()), clock
            except ValueError as error:
                raise NoDateError from error
    raise NoDateError


def _day_of(parts: dict[str, str | None]) -> date:
    year = int(parts["y"] or "")
    month = _month(parts["w"] or "") if "w" in parts else int(parts["m"] or parts.get("n") or "")
    return date(year if len(parts["y"] or "") > 2 else _CENTURY + year, month, int(parts["d"] or ""))  # noqa: PLR2004 two digits


def _month(word: str) -> int:
    for names in (_FULL_MONTHS, _MONTHS):
        if word in names:
            return names.index(word) + 1
    raise ValueError("no month of that name")
