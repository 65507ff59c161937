"""Lists as XLSX (ECMA-376): a visible sheet's cells, read from its XML in one pass within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from connectors.municipal.dates import NoDateError, instant_in
from connectors.municipal.number_formats import Format, displayed_number, format_at, formats_of
from connectors.municipal.sheets import (
    CELL_CHARACTERS_MAX,
    COLUMNS_MAX,
    HEADER_ROWS_MAX,
    OTHER_ROWS_MAX,
    Cell,
    FileKind,
    RawRow,
    Sheet,
    Size,
    Unfit,
    filled,
    too_large_row,
    too_many_rows,
)
from connectors.municipal.workbook_parts import SPREADSHEET, Book, BrokenWorkbookError, SheetPart, book_of, parse
from schemas.refusals import Refusal, RefusedError

_HELP = "save the list as .xlsx in Excel, without a password, or as CSV UTF-8"
# Rows and cells, those that are formatted and empty among them: Excel has a million rows.
_ELEMENTS_MAX = 2_000_000
# As many rows as a sheet of Excel has.
_ROW_NUMBER_MAX = 1_048_576
_NUMBER = re.compile(r"[0-9]{1,9}")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?")
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
# How XML's texts write a sign that XML has no room for (ECMA-376, part 1, 22.4.2.4: ST_Xstring).
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ROW, _CELL, _VALUE, _FORMULA, _TEXT, _STRING, _PHONETIC, _DATA = (
    SPREADSHEET + name for name in ("row", "c", "v", "f", "t", "si", "rPh", "sheetData")
)


class _EnoughError(Exception):
    """Raised to stop reading a sheet of which the first rows alone are wanted."""


def xlsx_sheet(content: bytes, sheet_name: str | None, rows_max: int) -> Sheet:
    """Returns a workbook's sheet: the one that is named, else the first that people see.

    Raises RefusedError: not a workbook, too large unpacked, no sheet of that name, too many rows, columns or cells.
    """
    try:
        book = book_of(content)
        chosen, *others = _chosen(book, sheet_name)
        known = _Known(_strings_of(book.strings), formats_of(book.styles), book.counts_from_1904)
        rows = _SheetReader(known, rows_max).rows_of(chosen)
        starts = tuple(_SheetReader(known, rows_max).start_of(one) for one in others)
    except BrokenWorkbookError as error:
        raise RefusedError(Refusal("not_xlsx", "file", "the file is an Excel workbook (.xlsx)", _HELP)) from error
    return Sheet(FileKind.XLSX, tuple(rows), other_starts=starts)


def _chosen(book: Book, name: str | None) -> list[SheetPart]:
    """Returns the sheet that is named; else all that people see, since hidden ones are none of what they send."""
    found = [one for one in book.sheets if (one.visible if name is None else one.name == name)]
    if not found:
        rule = "the workbook has the sheet that the mapping names ([layout] sheet), or one that is not hidden"
        raise RefusedError(Refusal("unknown_sheet", "file", rule, "rename the sheet, or name it in the mapping"))
    return found[:1] if name is not None else found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the cells of every sheet refer to, and how much of all sheets has been read.

    A text in which nobody sees anything is None: any number of cells may name it, and it is looked at once.
    """

    strings: list[str | None]
    formats: tuple[Format, ...]
    counts_from_1904: bool
    size: Size = field(default_factory=Size)


class _StringsReader:
    """The texts that cells name by number; of rich text all of it, without the signs that say how to read it aloud."""

    def __init__(self) -> None:
        self.strings: list[str | None] = []
        self._texts: list[str] = []
        self._phonetic = self._in_text = False

    def start(self, name: str, _given: dict[str, str]) -> None:
        """Takes an element."""
        if name == _STRING:
            self._texts.clear()
        elif name == _PHONETIC:
            self._phonetic = True
        elif name == _TEXT:
            self._in_text = not self._phonetic

    def end(self, name: str) -> None:
        """Takes an element's end."""
        if name == _STRING:
            self.strings.append(_seen("".join(self._texts)))
            self._texts.clear()  # where one stands in another, the outer one ends without this one's text
        elif name == _PHONETIC:
            self._phonetic = False
        elif name == _TEXT:
            self._in_text = False

    def text(self, data: str) -> None:
        """Takes a text, or part of one."""
        if self._in_text:
            self._texts.append(data)


def _strings_of(part: bytes) -> list[str | None]:
    reader = _StringsReader()
    if part:
        parse(part, reader.start, reader.end, reader.text)
    return reader.strings


class _SheetReader:
    """Reads a sheet's rows as the parser comes to them."""

    def __init__(self, known: _Known, rows_max: int) -> None:
        self._known, self._rows_max = known, rows_max
        self._rows: list[RawRow] = []
        self._wanted = rows_max + OTHER_ROWS_MAX + 1
        self._elements = 0
        self._number = 0
        self._hidden = False
        self._cells: dict[int, Cell] = {}
        self._place = -1
        self._cell: dict[str, str] = {}
        self._is_formula = self._phonetic = self._in_text = self._in_data = False
        self._texts: list[str] = []

    def rows_of(self, sheet: SheetPart) -> list[RawRow]:
        """Returns the rows that have anything in them."""
        parse(sheet.part, self._start, self._end, self._text)
        return self._rows

    def start_of(self, sheet: SheetPart) -> tuple[RawRow, ...]:
        """Returns the rows in which names of columns may stand."""
        self._wanted = HEADER_ROWS_MAX
        try:
            return tuple(self.rows_of(sheet))
        except _EnoughError:
            return tuple(self._rows)

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == _DATA:
            self._in_data = True
        elif not self._in_data:
            return
        elif name == _ROW:
            self._begin_row(given)
        elif name == _CELL:
            self._begin_cell(given)
        elif name == _FORMULA:
            self._is_formula = True
        elif name == _PHONETIC:
            self._phonetic = True
        elif name in (_VALUE, _TEXT):
            self._in_text = not self._phonetic

    def _end(self, name: str) -> None:
        if name == _DATA:
            self._in_data = False
        elif not self._in_data:
            return
        elif name == _ROW:
            self._end_row()
        elif name == _CELL:
            self._end_cell()
        elif name == _PHONETIC:
            self._phonetic = False
        elif name in (_VALUE, _TEXT):
            self._in_text = False

    def _text(self, data: str) -> None:
        if self._in_text:
            self._texts.append(data)

    def _count(self) -> None:
        self._elements += 1
        if self._elements > _ELEMENTS_MAX:
            rule = f"a sheet has at most {_ELEMENTS_MAX} rows and cells, the empty ones among them"
            raise RefusedError(Refusal("file_too_large", "file", rule, "copy the list alone into a new workbook"))

    def _begin_row(self, given: dict[str, str]) -> None:
        self._count()
        number = _number_in(given["r"]) if "r" in given else self._number + 1
        if number <= self._number or ("r" in given and number > _ROW_NUMBER_MAX):
            raise BrokenWorkbookError
        self._number, self._place, self._cells = number, -1, {}
        self._hidden = given.get("hidden", "0").lower() in ("1", "true")

    def _begin_cell(self, given: dict[str, str]) -> None:
        self._count()
        place = _column_of(given["r"]) if "r" in given else self._place + 1
        if place <= self._place:
            raise BrokenWorkbookError
        self._place, self._cell, self._is_formula = place, given, False
        self._texts.clear()

    def _end_cell(self) -> None:
        value = self._value()
        self._cell, self._is_formula = {}, False
        self._texts.clear()
        if value is None:
            return
        characters = len(value) if isinstance(value, str) else 0
        if self._place >= COLUMNS_MAX or characters > CELL_CHARACTERS_MAX:
            raise RefusedError(too_large_row(self._number))
        self._known.size.count(1, characters)
        self._cells[self._place] = value

    def _value(self) -> Cell:
        """Returns what a cell holds; None where nobody sees anything in it."""
        kind, text = self._cell.get("t", "n"), "".join(self._texts)
        if self._is_formula:
            return Unfit.FORMULA
        if kind == "s":
            if not text:  # some writers name no text in a cell that shows none
                return None
            place = _number_in(text)
            if place >= len(self._known.strings):
                raise BrokenWorkbookError
            return self._known.strings[place]
        if kind in ("str", "inlineStr"):
            return _seen(text)
        return self._plain(kind, text) if text.strip() else None

    def _plain(self, kind: str, text: str) -> Cell:
        if kind == "b":
            return _TRUTHS.get(text, Unfit.ERROR)
        if kind == "d":
            return _iso(text)
        if kind != "n":
            return Unfit.ERROR
        form = format_at(self._known.formats, self._cell.get("s"))
        return displayed_number(text, form, counts_from_1904=self._known.counts_from_1904)

    def _end_row(self) -> None:
        if not self._cells:
            return
        cells = tuple(self._cells.get(place) for place in range(max(self._cells) + 1))
        self._cells = {}
        self._rows.append(RawRow(self._number, cells, hidden=self._hidden))
        if len(self._rows) >= self._wanted:
            if self._wanted == HEADER_ROWS_MAX:
                raise _EnoughError
            raise too_many_rows(self._rows_max)


def _number_in(text: str) -> int:
    """Returns a number by which one part of a workbook names another's: ASCII digits alone, as the format has them."""
    if not _NUMBER.fullmatch(text):
        raise BrokenWorkbookError
    return int(text)


def _column_of(reference: str) -> int:
    """Returns the place of a cell from 0.

    >>> _column_of("A1"), _column_of("AA12")
    (0, 26)
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise BrokenWorkbookError
    place = 0
    for letter in match[1]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _iso(text: str) -> Cell:
    """Returns a date of ISO 8601: by its offset from UTC where it has one, which leaves nothing to guess."""
    try:
        local = datetime.fromisoformat(text) if _LOCAL.fullmatch(text) else None
        return local or instant_in(text) or Unfit.ERROR
    except (NoDateError, ValueError):
        return Unfit.ERROR


def _seen(text: str) -> str | None:
    """Returns a text as it is meant; None where nobody sees anything in it."""
    meant = _unescaped(text)
    return meant if filled(meant) else None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_sign, text) if "_x" in text else text


def _sign(match: re.Match[str]) -> str:
    sign = chr(int(match[1], 16))
    return match[0] if sign == "\x00" or "\ud800" <= sign <= "\udfff" else sign
