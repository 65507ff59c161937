"""A list as a sheet of cells, whatever file it came in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import normalize

from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import date

COLUMNS_MAX = 200
CELL_CHARACTERS_MAX = 4_000
# No line of a text file is longer that keeps to the two, with every sign in it doubled.
LINE_CHARACTERS_MAX = 2 * COLUMNS_MAX * CELL_CHARACTERS_MAX
# A full list of fifty columns; and as many characters as a file may have bytes, however often a cell's is repeated.
CELLS_MAX = 500_000
CHARACTERS_MAX = 16 * 1024 * 1024
# How far down the columns' names are looked for.
HEADER_ROWS_MAX = 20
# What stands before and between statements (titles, blank lines, totals) beside as many rows as a list may have.
OTHER_ROWS_MAX = 1_000


# Controls that are no blanks, and Unicode's format signs, variation selectors and fillers.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_ALIKE = dict.fromkeys([*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D], "-") | {
    0xFF10 + digit: str(digit) for digit in range(10)
}


class Unfit(StrEnum):
    """What a cell of a spreadsheet holds in place of a value."""

    FORMULA = "formula"
    ERROR = "error"


class FileKind(StrEnum):
    """The kinds of file that a list may be; the value is the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"


# A date that is told with its offset from UTC stands in Danish time, with its zone; any other has none.
Cell: TypeAlias = "str | int | float | bool | date | datetime | time | Unfit | None"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the file has it. ``number`` is the one that a spreadsheet shows beside it, or the line's; from 1.

    ``refusal`` says why it can't be read; ``line`` is then what stood there. ``hidden`` rows people don't see.
    """

    number: int
    cells: tuple[Cell, ...] = field(default=(), repr=False)
    refusal: Refusal | None = None
    line: str = field(default="", repr=False)
    hidden: bool = False

    @property
    def is_empty(self) -> bool:
        """Returns whether there is nothing in it but blanks."""
        return self.refusal is None and not any(filled(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's rows, and how it was written, so that what failed can be given back in the same form.

    ``names`` are the columns where the file itself says which they are (JSON); otherwise one of the rows does.
    ``other_starts`` are the first rows of each other sheet that people see, where none was named.
    """

    kind: FileKind
    rows: tuple[RawRow, ...]
    names: tuple[str, ...] | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = ";"
    other_starts: tuple[tuple[RawRow, ...], ...] = ()


class Size:
    """How many cells and characters have been read of a list."""

    def __init__(self) -> None:
        """Begins at nothing."""
        self._cells = self._characters = 0

    def add(self, *cells: Cell) -> None:
        """Counts the cells that hold anything; raises RefusedError where a list has no room for them."""
        self.count(sum(map(filled, cells)), sum(len(cell) for cell in cells if isinstance(cell, str)))

    def count(self, cells: int, characters: int) -> None:
        """Counts so many cells and characters that nobody has to look at again; raises RefusedError as ``add`` does."""
        self._cells += cells
        self._characters += characters
        if self._cells > CELLS_MAX or self._characters > CHARACTERS_MAX:
            rule = f"a list has at most {CELLS_MAX} cells and {CHARACTERS_MAX} characters"
            raise RefusedError(Refusal("file_too_large", "file", rule, "split the list, or leave columns out"))


def filled(cell: Cell) -> bool:
    """Tells whether there is anything in a cell that people see."""
    return cell is not None and not (isinstance(cell, str) and not plain(cell).strip())


def plain(text: str) -> str:
    r"""Returns a text without the signs that nobody sees, with one kind of hyphen and digits, letters put together.

    They come along when a text is copied from a web page, a letter or another system.

    >>> plain("\u202a111210\u20139994\u202c")
    '111210-9994'
    """
    if text.isascii() and text.isprintable():
        return text
    return normalize("NFC", _UNSEEN.sub("", text).translate(_ALIKE))


def cell_text(cell: Cell) -> str:
    r"""Returns a cell's text with blanks and line breaks brought down to one blank; a whole number without decimals.

    >>> cell_text(" Nørre \n Allé "), cell_text(217.0), cell_text(None)
    ('Nørre Allé', '217', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "ja" if cell else "nej"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.isoformat()
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return " ".join(plain(str(cell)).split())


def refuse_too_many(rows: int, rows_max: int) -> None:
    """Raises RefusedError where there are more rows than a list may have, with what stands between them."""
    if rows > rows_max + OTHER_ROWS_MAX:
        raise too_many_rows(rows_max)


def too_many_rows(rows_max: int) -> RefusedError:
    """Returns the refusal of a list with more rows than it may have."""
    return RefusedError(Refusal("too_many_rows", "file", f"a list has at most {rows_max} rows", "split the list"))


def too_large_row(number: int) -> Refusal:
    """Returns the refusal of a row that is wider, or has a longer cell, than any list needs."""
    rule = f"a row has at most {COLUMNS_MAX} columns, a cell at most {CELL_CHARACTERS_MAX} characters"
    return Refusal("row_too_large", f"row {number}", rule, "take out what is no statement's; check the quotation marks")
