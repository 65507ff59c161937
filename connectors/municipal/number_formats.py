"""What a number of a spreadsheet shows as, by its format: a date, a number with the zeros that people see, or itself.

Excel keeps a date as the days since its epoch, and a CPR number that is shown as 010510-9996 as a number of nine
digits: what stands in the sheet is what the office sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from connectors.municipal.sheets import Unfit
from connectors.municipal.workbook_parts import SPREADSHEET, BrokenWorkbookError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

# ECMA-376, part 1, 18.8.30: the formats that files name by number alone.
_DATES_BY_NUMBER = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}
_FORMAT_CHARACTERS_MAX = 255
_NUMBER_CHARACTERS_MAX = 32
# What a format shows as it stands, and conditions, colours and places, which are no part of the number.
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\[\]hms][^\[\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_SEPARATOR = re.compile(r'"([ -]?)"|\\([ -])')
_ZEROS = re.compile(r"0[0 -]*0")
# XML Schema's double (ECMA-376 writes numbers so) without its words; Python's own takes underscores and other digits.
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 Excel's dates have no zone
# Excel takes 1900 for a leap year: before its 29 February its days are one behind.
_FEIGNED_DAY = 60


@dataclass(frozen=True, slots=True)
class Format:
    """What numbers show as: a date or time, or no fewer digits than so many ``zeros``; each is worked out once."""

    is_date: bool = False
    zeros: int | None = None


_PLAIN, _DATE = Format(), Format(is_date=True)


def formats_of(styles: bytes) -> tuple[Format, ...]:
    """Returns the format of each style of cells; none where there are no styles, or broken ones.

    Without its format a date is a number, which no field for a date takes.
    """
    reader = _StylesReader()
    try:
        if styles:
            parse(styles, reader.start, reader.end)
    except BrokenWorkbookError:
        return ()
    known = dict.fromkeys(_DATES_BY_NUMBER, _DATE) | {number: format_of(code) for number, code in reader.codes.items()}
    return tuple(known.get(number, _PLAIN) for number in reader.styles)


def format_of(code: str) -> Format:
    """Returns the format that a code writes."""
    return Format(is_date(code), _zeros_of(code))


def displayed_number(text: str, form: Format, *, counts_from_1904: bool) -> str | int | float | date | time | Unfit:
    """Returns what a cell's number shows as; an error where it is none, or no date that there is."""
    if len(text) > _NUMBER_CHARACTERS_MAX or not _DOUBLE.fullmatch(text):
        return Unfit.ERROR
    try:
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if not abs(number) < float("inf"):
            return Unfit.ERROR
        if form.is_date:
            return _moment(number, _EPOCH_1904 if counts_from_1904 else _EPOCH)
    except (ValueError, OverflowError):
        return Unfit.ERROR
    return number if form.zeros is None or number < 0 or number % 1 else str(int(number)).zfill(form.zeros)


def is_date(code: str) -> bool:
    """Tells whether a format shows a number as a date or a time of the day.

    >>> is_date('[$-406]d. mmmm yyyy'), is_date('0 "dage"'), is_date('[h]:mm')
    (True, False, False)
    """
    first = _LITERALS.sub("", code.partition(";")[0])
    return _ELAPSED.search(first) is None and any(letter in "dmyhs" for letter in first.lower())


def _zeros_of(code: str) -> int | None:
    """Returns how many digits a format shows at least, where it is made of zeros and separators alone.

    >>> _zeros_of('000000-0000'), _zeros_of('[$-406]000000"-"0000;@'), _zeros_of('0'), _zeros_of('0.00')
    (10, 10, None, None)
    """
    parted = _SEPARATOR.sub(lambda match: match[1] or match[2] or "", code.partition(";")[0])
    plain = _LITERALS.sub("", parted)
    return plain.count("0") if _ZEROS.fullmatch(plain) else None


def _moment(number: float, epoch: datetime) -> datetime | time:
    days, part = divmod(number, 1)
    clock = timedelta(milliseconds=round(part * 86_400_000))
    if number < 0:
        raise ValueError("Excel has no dates before its first")
    if not days:
        return (epoch + clock).time()
    if epoch is _EPOCH and days < _FEIGNED_DAY:
        days += 1
    return epoch + timedelta(days=days) + clock


class _StylesReader:
    """The formats in the part of the styles: by number, and the number of each style."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.styles: list[int] = []
        self._in_styles = False

    def start(self, name: str, given: dict[str, str]) -> None:
        """Takes an element."""
        if name == f"{SPREADSHEET}numFmt":
            code = given.get("formatCode", "")
            self.codes[_whole(given.get("numFmtId"))] = code if len(code) <= _FORMAT_CHARACTERS_MAX else ""
        elif name == f"{SPREADSHEET}cellXfs":
            self._in_styles = True
        elif name == f"{SPREADSHEET}xf" and self._in_styles:
            self.styles.append(_whole(given.get("numFmtId")))

    def end(self, name: str) -> None:
        """Takes an element's end."""
        if name == f"{SPREADSHEET}cellXfs":
            self._in_styles = False


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def format_at(formats: Sequence[Format], style: str | None) -> Format:
    """Returns the format of a cell by its style's number; the plain one where there is no such style."""
    place = _whole(style)
    return formats[place] if place < len(formats) else _PLAIN
