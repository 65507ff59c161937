"""What the office sees of a workbook is what is read: no hidden sheet, and no hidden row unsaid."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook

from tests.unit.municipal.builders import NAMES, ROW, a_mapping, problems, read, refused, the_row

OLD = ("010510-9996", "S-1", "completed", "01-11-2025")
SHEET = {"layout": {"sheet": "2025"}}


def a_book(*sheets: tuple[str, str, tuple[tuple[Any, ...], ...]], hidden_row: int | None = None) -> bytes:
    """Returns a workbook of sheets, each with its name, how it is seen, and rows."""
    workbook = Workbook()
    for title, state, rows in sheets:
        sheet = workbook.create_sheet(title)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
        if hidden_row is not None:
            sheet.row_dimensions[hidden_row].hidden = True
    workbook.remove(workbook.worksheets[0])
    workbook.active = len(sheets) - 1
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
@pytest.mark.parametrize("names", [NAMES, ("Gammel liste",)])
def test_a_hidden_first_sheet_is_none_of_what_is_sent(state: str, names: tuple[str, ...]) -> None:
    content = a_book(("2025", state, (names, OLD)), ("2026", "visible", (NAMES, ROW)))

    row = the_row(content)

    assert row.form is not None
    assert row.form["status"] == "active"


def test_a_hidden_sheet_is_read_where_the_mapping_names_it() -> None:
    content = a_book(("2025", "hidden", (NAMES, OLD)), ("2026", "visible", (NAMES, ROW)))

    row = the_row(content, a_mapping(**SHEET))

    assert row.form is not None
    assert row.form["status"] == "completed"


def test_two_sheets_with_the_columns_that_people_see_are_refused_until_one_is_named() -> None:
    content = a_book(("2025", "visible", (NAMES, OLD)), ("2026", "visible", (("Titel",), NAMES, ROW)))

    assert refused(content) == ("several_sheets", "file")
    assert the_row(content, a_mapping(**SHEET)).form is not None


def test_a_sheet_about_something_else_beside_the_list_is_passed_over() -> None:
    content = a_book(("Liste", "visible", (NAMES, ROW)), ("Vejledning", "visible", (("CPR", "skrives så"),)))

    assert the_row(content).form is not None


def test_a_row_that_nobody_sees_is_reported_and_known_to_be_there() -> None:
    found = read(a_book(("Liste", "visible", (NAMES, ROW, ("251108-9991", "S-2", *ROW[2:]))), hidden_row=2))

    assert [(row.number, problems(row)) for row in found.rows] == [(2, [(None, "hidden_row")]), (3, [])]
    assert found.rows[0].key == ("S-1",)
