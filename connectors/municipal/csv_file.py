"""Lists as CSV: the delimiter found where the mapping names none, quotation marks taken strictly."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from connectors.municipal.encodings import decoded
from connectors.municipal.sheets import (
    CELL_CHARACTERS_MAX,
    COLUMNS_MAX,
    LINE_CHARACTERS_MAX,
    OTHER_ROWS_MAX,
    FileKind,
    RawRow,
    Sheet,
    Size,
    refuse_too_many,
    too_large_row,
)
from connectors.municipal.synonyms import comparable
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_DELIMITERS = (";", "\t", ",", "|")
_LOOKED_AT = 30


def csv_sheet(
    content: bytes, encoding: str | None, delimiter: str | None, names: AbstractSet[str], rows_max: int
) -> Sheet:
    """Returns the sheet that CSV holds; raises RefusedError where it can't be told apart into rows and cells.

    ``names`` are names that its columns may have, folded.
    """
    text, known_as = decoded(content, encoding)
    parted_by = delimiter or _delimiter(text, names)
    rows: list[RawRow] = []
    size = Size()
    reader = csv.reader(_lines(text), delimiter=parted_by, strict=True)
    try:
        for number, cells in enumerate(islice(reader, rows_max + OTHER_ROWS_MAX + 1), 1):
            rows.append(_row(number, cells))
            size.add(*cells)
    except csv.Error as error:
        rule = "a cell that begins with a quotation mark ends with one, and a quotation mark in it stands doubled"
        where = f"row {len(rows) + 1}"
        raise RefusedError(Refusal("broken_quotes", where, rule, "correct the quotation marks there")) from error
    refuse_too_many(len(rows), rows_max)
    return Sheet(FileKind.CSV, tuple(rows), None, known_as, parted_by)


def _lines(text: str) -> Iterator[str]:
    """Yields the lines; raises RefusedError at one that holds more than a row may, before it is taken apart."""
    for number, line in enumerate(StringIO(text, newline=""), 1):
        if len(line) > LINE_CHARACTERS_MAX:
            raise RefusedError(too_large_row(number))
        yield line


def _row(number: int, cells: list[str]) -> RawRow:
    if len(cells) > COLUMNS_MAX or any(len(cell) > CELL_CHARACTERS_MAX for cell in cells):
        raise RefusedError(too_large_row(number))
    return RawRow(number, tuple(cells))


def _delimiter(text: str, names: AbstractSet[str]) -> str:
    """Returns the delimiter by which one of the first lines has most of the columns' names.

    Where that tells nothing: by which most of them fall into the same number of cells, more than one. A decimal comma
    parts some lines and not others, or parts fewer cells: it loses to the list's own delimiter.
    """
    return max(_DELIMITERS, key=lambda one: _fitness(text, one, names))


def _fitness(text: str, delimiter: str, names: AbstractSet[str]) -> tuple[int, int]:
    reader = csv.reader(_lines(text), delimiter=delimiter)
    try:
        rows = list(islice(reader, _LOOKED_AT))
    except csv.Error:
        return 0, 0
    named = max((len(names & set(map(comparable, cells))) for cells in rows), default=0)
    widths = Counter(len(cells) for cells in rows if any(cell.strip() for cell in cells))
    return named, max(((width - 1) * count for width, count in widths.items()), default=0)
