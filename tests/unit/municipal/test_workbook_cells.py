"""What the XML of a workbook's cells says: numbers and truths as the format has them, not as Python does."""

from __future__ import annotations

import pytest

from connectors.municipal.failed import failed_rows
from tests.unit.growth.workbook_products import a_book, a_sheet, with_strings
from tests.unit.municipal.builders import NAMES, ROW, a_mapping, problems, read, refused, the_row


def of_texts(*texts: str) -> str:
    """Returns cells of texts."""
    return "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)


def with_last(cell: str, names: tuple[str, ...] = NAMES, texts: int | None = None) -> bytes:
    """Returns a workbook of one row that has texts up to its last cell, or so many, and then this XML."""
    before = ROW[: len(names) - 1 if texts is None else texts]
    rows = f"<row>{of_texts(*names)}</row><row>{of_texts(*before)}{cell}</row>"
    return a_book({"xl/worksheets/sheet1.xml": a_sheet(rows)})


def of_rows(first: str, second: str) -> bytes:
    """Returns a workbook whose names and row have these numbers."""
    rows = f'<row r="{first}">{of_texts(*NAMES)}</row><row r="{second}">{of_texts(*ROW)}</row>'
    return a_book({"xl/worksheets/sheet1.xml": a_sheet(rows)})


@pytest.mark.parametrize("number", ["1_000", "\u0663", " 46266 ", "nan", "infinity", "4_6266"])
def test_a_number_in_a_spelling_of_pythons_is_refused_by_row_and_column(number: str) -> None:
    row = the_row(with_last(f"<c><v>{number}</v></c>"))

    assert (row.number, problems(row)) == (2, [("Dato", "error_cell")])


@pytest.mark.parametrize(("number", "code"), [("0", "missing_column"), ("0_0", "not_xlsx"), ("\u0660", "not_xlsx")])
def test_a_text_is_named_by_a_number_of_the_format(number: str, code: str) -> None:
    sheet = a_sheet(f'<row><c t="s"><v>{number}</v></c></row>')

    assert refused(with_strings("<si><t>x</t></si>", sheet))[0] == code


@pytest.mark.parametrize("cell", ['<c t="s"/>', '<c t="s"><v/></c>', '<c t="s"><v></v></c>'])
def test_a_cell_that_names_no_text_is_empty(cell: str) -> None:
    columns = a_mapping().columns | {"Navn": ("person.name",)}
    rows = f"<row>{of_texts(*NAMES, 'Navn')}</row><row>{of_texts(*ROW)}{cell}</row>"

    row = the_row(with_strings("<si><t>Afsnit B3</t></si>", a_sheet(rows)), a_mapping(columns=columns))

    assert row.form is not None
    assert row.form["person"] == {"cpr": "0105109996"}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("1", True), ("true", True), ("0", False), ("false", False), ("\u0661", None), ("yes", None)],
)
def test_a_truth_is_one_of_the_formats_words(cell: str, expected: bool | None) -> None:
    columns = a_mapping().columns | {"Beskyttet": ("person.protected",)}
    names = (*NAMES, "Beskyttet")
    content = with_last(f'<c t="b"><v>{cell}</v></c>', names)

    row = the_row(content, a_mapping(columns=columns))

    assert problems(row) == ([("Beskyttet", "error_cell")] if expected is None else [])
    assert expected is None or (row.form or {})["person"]["protected"] is expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2025-11-01T23:30:00Z", "2025-11-01T23:30:00+00:00"),
        ("2025-11-01T23:30:00-05:00", "2025-11-02T04:30:00+00:00"),
        ("2025-11-01T23:30:00+01:00", "2025-11-01T22:30:00+00:00"),
        ("2025-11-01T00:00:00Z", "2025-11-01T00:00:00+00:00"),
        ("2025-11-01T00:00:00+01:00", "2025-10-31T23:00:00+00:00"),
        ("2025-11-01T23:30:00", "2025-11-01T22:30:00+00:00"),
        ("2025-11-01T23:30", "2025-11-01T22:30:00+00:00"),
    ],
)
def test_a_date_with_its_offset_is_that_moment_and_one_without_is_danish(date: str, expected: str) -> None:
    row = the_row(with_last(f'<c t="d"><v>{date}</v></c>'))

    assert row.form is not None
    assert (row.form["occurred_at"], row.form.get("occurred_on")) == (expected, None)


@pytest.mark.parametrize("date", ["2025-11-01", "2025-11-01T00:00:00"])
def test_a_date_of_midnight_without_an_offset_is_a_day_alone(date: str) -> None:
    row = the_row(with_last(f'<c t="d"><v>{date}</v></c>'))

    assert row.form is not None
    assert row.form["occurred_on"] == "2025-11-01"


@pytest.mark.parametrize(
    "date", ["20251101", "2025-W44-6", "2025-11-01x23:30", "2025-02-30", "2025-11-01T25:00Z", "9999-12-31T23:30:00Z"]
)
def test_a_date_that_is_none_is_refused_by_row_and_column(date: str) -> None:
    assert problems(the_row(with_last(f'<c t="d"><v>{date}</v></c>'))) == [("Dato", "error_cell")]


def test_a_row_that_failed_comes_back_with_the_moment_and_is_read_again() -> None:
    columns = a_mapping().columns | {"Start": ("started_on",)}
    mapping = a_mapping(columns=columns)
    moment = '<c t="d"><v>2025-11-01T23:30:00Z</v></c>'
    content = with_last(moment * 2, (*NAMES, "Start"), 3)

    _, mended = failed_rows(read(content, mapping), {2: "why"})
    first, again = the_row(content, mapping).form, the_row(mended, mapping).form

    assert first == again
    assert first is not None
    assert (first["occurred_at"], first["started_on"]) == ("2025-11-01T23:30:00+00:00", "2025-11-02")


@pytest.mark.parametrize("number", ["1_0", "\u0663", "1048577", "9" * 5_000, "-1", "0"])
def test_a_row_has_a_number_that_excel_shows(number: str) -> None:
    assert refused(of_rows("1", number) if number != "0" else of_rows("0", "1")) == ("not_xlsx", "file")


def test_failed_rows_below_a_far_header_come_back_without_the_empty_rows_above_it() -> None:
    found = read(of_rows("1048575", "1048576"))

    _, content = failed_rows(found, {1_048_576: "why"})

    assert len(content.splitlines()) < 100
    assert content.decode("utf-8-sig").splitlines()[-1].endswith("why")
