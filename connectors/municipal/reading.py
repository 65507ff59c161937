"""Which kind of file a list is, told by its first bytes, and the reader for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.municipal.csv_file import csv_sheet
from connectors.municipal.json_file import json_sheet
from connectors.municipal.other_files import first_characters, refuse_other_files
from connectors.municipal.sheets import FileKind, Sheet
from connectors.municipal.xlsx_file import xlsx_sheet
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from connectors.municipal.layout import Layout

FILE_BYTES_MAX = 16 * 1024 * 1024
_ZIP = b"PK\x03\x04"


def kind_of(content: bytes) -> FileKind:
    """Returns the kind of file that the bytes are; raises RefusedError for none at all, and for what is no list."""
    start = first_characters(content)
    if not start:
        raise RefusedError(Refusal("empty_file", "file", "the file is not empty", "send the list"))
    refuse_other_files(content)
    if content.startswith(_ZIP):
        return FileKind.XLSX
    if start[0] in "[{":
        return FileKind.JSON if start[0] == "[" else FileKind.NDJSON
    return FileKind.CSV


def sheet_of(content: bytes, layout: Layout, names: AbstractSet[str], rows_max: int) -> Sheet:
    """Returns the sheet that a file holds, whose columns may have these names, folded.

    Raises RefusedError where it can't be read.
    """
    if len(content) > FILE_BYTES_MAX:
        rule = f"a list has at most {FILE_BYTES_MAX} bytes"
        raise RefusedError(Refusal("file_too_large", "file", rule, "split the list"))
    match kind_of(content):
        case FileKind.XLSX:
            return xlsx_sheet(content, layout.sheet, rows_max)
        case FileKind.JSON | FileKind.NDJSON:
            return json_sheet(content, rows_max)
        case FileKind.CSV:
            return csv_sheet(content, layout.encoding, layout.delimiter, names, rows_max)
