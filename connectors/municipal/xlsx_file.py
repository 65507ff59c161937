"""Lists as XLSX (ECMA-376), read by openpyxl within limits: a spreadsheet is a ZIP file of XML from a stranger."""

from __future__ import annotations

import lzma
import math
import struct
import warnings
import zlib
from dataclasses import replace
from datetime import date, time
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import CellCoordinatesException, IllegalCharacterError, InvalidFileException

from connectors.municipal.sheets import (
    CELL_CHARACTERS_MAX,
    COLUMNS_MAX,
    OTHER_ROWS_MAX,
    Cell,
    FileKind,
    RawRow,
    Sheet,
    Unfit,
    filled,
    too_large_row,
    too_many_rows,
)
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# openpyxl's warnings repeat values, and tell nothing that a refusal doesn't.
warnings.filterwarnings("ignore", module="openpyxl")
_UNPACKED_BYTES_MAX = 128 * 1024 * 1024
_PARTS_MAX = 1_000
# Excel's own limit; what names a row beyond it would have as many empty ones read before it.
_ROWS_LOOKED_AT_MAX = 1_048_576
# Rows that were formatted, with nothing in them.
_BLANK_ROWS_MAX = 20_000
_HELP = "save the list as .xlsx in Excel, without a password, or as CSV UTF-8"
# What openpyxl raises on files that only look like spreadsheets: it has no one error of its own.
_BROKEN = (
    *(BadZipFile, zlib.error, lzma.LZMAError, struct.error, LookupError, ValueError, TypeError, AttributeError),
    *(ArithmeticError, OSError, EOFError, SyntaxError, NotImplementedError, RuntimeError, AssertionError),
    *(InvalidFileException, IllegalCharacterError, CellCoordinatesException),
)


def xlsx_sheet(content: bytes, sheet_name: str | None, rows_max: int) -> Sheet:
    """Returns a workbook's sheet, the first unless named, without what is hidden behind formulas.

    Raises RefusedError: not a workbook, too large unpacked, no sheet of that name, too many rows or columns.
    """
    try:
        _check_parts(content)
        workbook = load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
        worksheet = _chosen(workbook, sheet_name)
        return Sheet(FileKind.XLSX, tuple(_rows(worksheet, rows_max)))
    except _BROKEN as error:
        raise RefusedError(Refusal("not_xlsx", "file", "the file is an Excel workbook (.xlsx)", _HELP)) from error


def _check_parts(content: bytes) -> None:
    with ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > _PARTS_MAX or sum(part.file_size for part in parts) > _UNPACKED_BYTES_MAX:
            rule = f"unpacked, a workbook has at most {_UNPACKED_BYTES_MAX} bytes in {_PARTS_MAX} parts"
            raise RefusedError(Refusal("file_too_large", "file", rule, "save the list's sheet alone, or as CSV"))
        for part in parts:
            # Excel writes neither; an entity is how a small part grows beyond memory, and UTF-16 would hide it.
            start = archive.read(part) if part.filename.endswith((".xml", ".rels")) else b""
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start or b"\x00" in start[:200]:
                raise RefusedError(Refusal("unsafe_xml", "file", "a workbook's XML declares no entities", _HELP))


def _chosen(workbook: Any, name: str | None) -> Any:
    worksheets = workbook.worksheets
    found = [one for one in worksheets if name is None or one.title == name]
    if not found:
        rule = "the workbook has the sheet that the mapping names ([layout] sheet)"
        raise RefusedError(Refusal("unknown_sheet", "file", rule, "rename the sheet, or name it in the mapping"))
    return found[0]


def _rows(worksheet: Any, rows_max: int) -> Iterator[RawRow]:
    worksheet.reset_dimensions()  # what the file says of its own size may be wrong
    kept, blank, blanks = 0, None, 0
    read = islice(worksheet.iter_rows(max_col=COLUMNS_MAX + 1), _ROWS_LOOKED_AT_MAX)
    for number, cells in enumerate(read, 1):
        if cells is blank:
            continue  # openpyxl fills gaps with one and the same row
        row = RawRow(number, tuple(map(_cell, cells)))
        kept, blanks = (kept, blanks + 1) if row.is_empty else (kept + 1, blanks)
        if kept > rows_max + OTHER_ROWS_MAX or blanks > _BLANK_ROWS_MAX:
            raise too_many_rows(rows_max)
        if row.is_empty:
            blank = cells
            continue
        if filled(row.cells[COLUMNS_MAX]) or any(map(_is_too_long, row.cells)):
            raise RefusedError(too_large_row(number))
        yield replace(row, cells=_without_end(row.cells))


def _without_end(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    last = max(place for place, cell in enumerate(cells) if filled(cell))
    return cells[: last + 1]


def _is_too_long(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) > CELL_CHARACTERS_MAX


def _cell(cell: Any) -> Cell:
    value: Any = cell.value
    if value is None:
        return None
    if cell.data_type in ("f", "e"):
        return Unfit.FORMULA if cell.data_type == "f" else Unfit.ERROR
    if isinstance(value, float) and not math.isfinite(value):
        return Unfit.ERROR
    return value if isinstance(value, str | int | float | date | time) else str(value)
