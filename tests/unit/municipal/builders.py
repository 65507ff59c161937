"""Lists and mappings as tests make them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from connectors.municipal.mapping import Mapping, load_mapping
from connectors.municipal.rows import ListRow, ReadList, read_list
from schemas.refusals import Refusal

ROOT = Path(__file__).parents[3]
LISTS = ROOT / "tests" / "messages" / "municipal"
ODD = "helsingoer-forloeb"
GOLDEN = ROOT / "tests" / "golden" / "municipal"
EXAMPLES = sorted(path.stem for path in LISTS.glob("*.toml"))
NAMES = ("CPR", "Sag", "Status", "Dato")
ROW = ("010510-9996", "S-1", "active", "01-11-2026")
ROWS_MAX = 1_000


def a_mapping(**changes: Any) -> Mapping:
    """Returns a mapping of courses by CPR, Sag, Status and Dato, with changes; a change to ... leaves a key out."""
    given: dict[str, Any] = {
        "event": "enrolment",
        "mode": "changes",
        "columns": {"CPR": "person.cpr", "Sag": "subject", "Status": "status", "Dato": "occurred_at"},
        "constants": {"programme": "stime"},
    }
    return Mapping.model_validate({name: value for name, value in (given | changes).items() if value is not ...})


def a_csv(*rows: tuple[str, ...], names: tuple[str, ...] = NAMES, delimiter: str = ";") -> bytes:
    """Returns a list as CSV in UTF-8."""
    return "".join(delimiter.join(row) + "\n" for row in (names, *rows)).encode()


def a_workbook(*rows: tuple[Any, ...], names: tuple[Any, ...] = NAMES, title: str = "Ark1") -> bytes:
    """Returns a list as an Excel workbook."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in (names, *rows):
        sheet.append(row)
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


def with_part(workbook: bytes, name: str, part: bytes) -> bytes:
    """Returns a workbook with one of its parts replaced, or with one more."""
    written = BytesIO()
    with ZipFile(BytesIO(workbook)) as old, ZipFile(written, "w", ZIP_DEFLATED) as new:
        parts = {one: old.read(one) for one in old.namelist()} | {name: part}
        for one, content in parts.items():
            new.writestr(one, content)
    return written.getvalue()


def read(content: bytes, mapping: Mapping | None = None) -> ReadList:
    """Returns the list that the bytes are."""
    found = read_list(content, mapping or a_mapping(), ROWS_MAX)
    assert isinstance(found, ReadList), found
    return found


def the_row(content: bytes, mapping: Mapping | None = None) -> ListRow:
    """Returns a list's only row."""
    [row] = read(content, mapping).rows
    return row


def refused(content: bytes, mapping: Mapping | None = None) -> tuple[str, str]:
    """Returns code and field of the refusal of a whole list."""
    found = read_list(content, mapping or a_mapping(), ROWS_MAX)
    assert isinstance(found, Refusal), found
    return found.code, found.field


def an_example(name: str) -> ReadList:
    """Returns one of the lists that lie beside their mappings."""
    # A report may lie beside the list that README sends; its stem is another.
    [path] = [path for path in LISTS.iterdir() if path.stem == name and path.suffix != ".toml"]
    return read(path.read_bytes(), load_mapping(LISTS / f"{name}.toml"))


def said_of(found: ReadList) -> list[dict[str, Any]]:
    """Returns what became of each row, as golden files have it."""
    return [
        {"row": row.number, "form": row.form, "problems": [list(problem) for problem in problems(row)]}
        for row in found.rows
    ]


def problems(row: ListRow) -> list[tuple[str | None, str]]:
    """Returns column and code of everything that is wrong with a row."""
    return [(problem.column, problem.refusal.code) for problem in row.problems]
