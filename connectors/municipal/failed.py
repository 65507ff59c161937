"""The rows that failed, in the sender's own form, with one column more that says why: to be mended and sent again.

What comes back holds what was sent, so it goes to nobody but the sender and is kept nowhere.
"""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from connectors.municipal.layout import HEADER_LINE_MAX
from connectors.municipal.mapping import LINE_COLUMN, REASON_COLUMN
from connectors.municipal.sheets import FileKind, Unfit, cell_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.municipal.rows import ReadList
    from connectors.municipal.sheets import Cell, RawRow


def failed_rows(read: ReadList, reasons: Mapping[int, str]) -> tuple[FileKind, bytes]:
    """Returns the kind of file, and the rows with these numbers, each with its reason.

    CSV comes back as CSV with its titles and header, encoding and delimiter; a spreadsheet as CSV that Excel opens;
    JSON and NDJSON as NDJSON. A mended file of these is known by its column and counts as changes, never as all.
    """
    if read.sheet.kind in (FileKind.JSON, FileKind.NDJSON):
        return FileKind.NDJSON, _objects(read, reasons)
    return FileKind.CSV, _lines(read, reasons)


def _lines(read: ReadList, reasons: Mapping[int, str]) -> bytes:
    written = StringIO(newline="")
    writer = csv.writer(written, delimiter=read.sheet.delimiter, lineterminator="\r\n")
    at_line = 0
    for row in read.sheet.rows:
        if row.number <= read.header.lines:
            # Empty rows of a spreadsheet are not kept, and the header may be told by the number of its line; beyond
            # the last number that tells it there may be a million of them.
            for _ in range(at_line + 1, min(row.number, HEADER_LINE_MAX + 1)):
                writer.writerow([])
            at_line = row.number
            named = row.number == read.header.lines
            writer.writerow([*_own(row, read), *([REASON_COLUMN] if named else [])])
        elif row.number in reasons:
            writer.writerow([*_own(row, read), reasons[row.number]])
    encoding = read.sheet.encoding
    return written.getvalue().encode(encoding, "replace")


def _own(row: RawRow, read: ReadList) -> list[str]:
    """Returns a row's own cells, as many as the header has, without the reason of an earlier time."""
    cells = [_as_written(cell) for cell in row.cells]
    cells += [""] * (read.header.width - len(cells))
    while len(cells) > read.header.width and not cells[-1].strip():
        cells.pop()
    return [cell for place, cell in enumerate(cells) if place != read.header.reason]


def _as_written(cell: Cell) -> str:
    if isinstance(cell, Unfit):
        return ""
    return cell if isinstance(cell, str) else cell_text(cell)


def _objects(read: ReadList, reasons: Mapping[int, str]) -> bytes:
    rows = [row for row in read.sheet.rows if row.number in reasons]
    return b"".join(
        json.dumps(_object(row, read) | {REASON_COLUMN: reasons[row.number]}).encode() + b"\n" for row in rows
    )


def _object(row: RawRow, read: ReadList) -> dict[str, Any]:
    if row.refusal is not None:
        return {LINE_COLUMN: row.line}
    names = read.sheet.names or ()
    return {
        name: cell for name, cell in zip(names, row.cells, strict=True) if cell is not None and name != REASON_COLUMN
    }
