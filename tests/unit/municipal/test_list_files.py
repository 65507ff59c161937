"""The files that a list may be: any encoding and delimiter, XLSX, JSON and NDJSON; each with its limits."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from connectors.municipal.failed import failed_rows
from connectors.municipal.mapping import LINE_COLUMN, REASON_COLUMN
from connectors.municipal.rows import read_list
from connectors.municipal.sheets import COLUMNS_MAX, FileKind
from schemas.refusals import Refusal
from tests.unit.municipal.builders import (
    NAMES,
    ROW,
    ROWS_MAX,
    a_csv,
    a_mapping,
    a_workbook,
    problems,
    read,
    refused,
    said_of,
    the_row,
    with_part,
)

pytestmark = pytest.mark.long

AS_OBJECT = dict(zip(NAMES, ROW, strict=True))
DANISH = a_mapping(columns=a_mapping().columns | {"Navn": ("person.name",)})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850", "mac_roman"])
def test_the_encoding_is_found_in_the_bytes_themselves(encoding: str) -> None:
    text = a_csv((*ROW, "Åse Ærø Sørensen"), names=(*NAMES, "Navn")).decode()

    row = the_row(text.encode(encoding), DANISH)

    assert row.form is not None
    assert row.form["person"]["name"] == "Åse Ærø Sørensen"


def test_the_encoding_that_the_mapping_names_is_taken_and_no_other() -> None:
    content = a_csv((*ROW, "Sørensen"), names=(*NAMES, "Navn")).decode().encode("cp1252")

    assert refused(content, DANISH.model_copy(update={"layout": a_mapping(layout={"encoding": "utf-8"}).layout})) == (
        "wrong_encoding",
        "file",
    )


NAMED = a_csv((*ROW, "Åse Ærø Sørensen"), (*ROW, "Bo Åby"), names=(*NAMES, "Navn"))


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-1", "iso-8859-15", "cp850", "mac_roman"])
def test_a_list_of_utf8_is_in_no_other_encoding_that_the_mapping_names(encoding: str) -> None:
    mapping = DANISH.model_copy(update={"layout": a_mapping(layout={"encoding": encoding}).layout})

    assert refused(NAMED, mapping) == ("wrong_encoding", "file")


@pytest.mark.parametrize("cut", ["Bo Åby".encode("cp1252"), "Bo Åby".encode("cp850"), "Bo Å".encode()[:-1]])
def test_a_list_of_utf8_with_a_broken_sign_is_in_no_other_encoding(cut: bytes) -> None:
    assert refused(NAMED.replace("Bo Åby".encode(), cut), DANISH) == ("wrong_encoding", "file")


@pytest.mark.parametrize("taken_for", ["cp1252", "iso-8859-1"])
def test_a_list_that_was_turned_into_utf8_twice_is_refused(taken_for: str) -> None:
    name = "Bjørn Sørensen" if taken_for == "cp1252" else "Åse Ærø"
    content = a_csv((*ROW, name), names=(*NAMES, "Navn"))

    assert refused(content.decode(taken_for).encode(), DANISH) == ("wrong_encoding", "file")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert the_row(a_csv(ROW, delimiter=delimiter)).form is not None


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("rows", [1, 25])
@pytest.mark.parametrize(
    "note", ["Vej 1, 2. th, 3000, Helsingør, ring først, og, kom, ikke, før, kl. 9", "a,b,c,d,e,f,g,h"]
)
def test_commas_in_every_text_are_not_taken_for_the_delimiter(delimiter: str, rows: int, note: str) -> None:
    content = a_csv(*[(*ROW, note)] * rows, names=(*NAMES, "Adresse"), delimiter=delimiter)
    found = read(content, a_mapping(columns=a_mapping().columns | {"Adresse": ("person.address",)}))

    assert [row.form is not None for row in found.rows] == [True] * rows


def test_decimal_commas_are_not_taken_for_the_delimiter() -> None:
    columns = a_mapping().columns | {"Nr": ("source_sequence",)}
    row = the_row(a_csv((*ROW, "1,0"), names=(*NAMES, "Nr")), a_mapping(columns=columns))

    assert row.form is not None
    assert row.form["source_sequence"] == 1


def test_a_line_break_inside_quotation_marks_is_a_blank_and_no_new_row() -> None:
    content = a_csv((*ROW, '"Vej 1\n3000 Helsingør"'), names=(*NAMES, "Adresse"))
    row = the_row(content, a_mapping(columns=a_mapping().columns | {"Adresse": "person.address"}))

    assert row.form is not None
    assert row.form["person"]["address"] == "Vej 1 3000 Helsingør"


@pytest.mark.parametrize("broken", ['"unended', '"ended"twice'])
def test_broken_quotation_marks_refuse_the_whole_since_rows_can_not_be_told_apart(broken: str) -> None:
    assert refused(a_csv((broken, *ROW[1:]))) == ("broken_quotes", "row 2")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \r\n ", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not_xlsx"),
        (b"PK\x03\x04 and no archive", "not_xlsx"),
        (b"CPR;Sag\x00;Status;Dato", "nul_byte"),
        (b"[1, 2", "not_json"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b'{"a": ' * 1_000, "missing_column"),
        (b"\xff\xfeC", "wrong_encoding"),
        (b"just one line of text", "missing_column"),
    ],
)
def test_what_is_no_list_is_refused_by_name(content: bytes, code: str) -> None:
    assert refused(content)[0] == code


def test_excels_own_dates_numbers_and_times_are_taken() -> None:
    row = the_row(a_workbook((2509479989, 17, "active", datetime(2026, 11, 1, 14, 30))))  # noqa: DTZ001 Excel has no zones

    assert row.form is not None
    assert row.form["person"] == {"cpr": "2509479989"}
    assert row.form["subject"] == "17"
    assert row.form["occurred_at"] == "2026-11-01T13:30:00+00:00"


def test_a_date_of_excels_that_has_lost_its_format_is_refused() -> None:
    assert problems(the_row(a_workbook((*ROW[:3], 46327)))) == [("Dato", "impossible_date")]


def test_a_formula_or_an_error_in_a_mapped_column_is_refused_and_elsewhere_is_nothing() -> None:
    mapping = a_mapping(ignore=["Sum"])
    found = read(
        a_workbook((*ROW, "=1+1"), ("=A2", *ROW[1:]), (*ROW[:2], "#N/A", ROW[3]), names=(*NAMES, "Sum")), mapping
    )

    assert [problems(row) for row in found.rows] == [[], [("CPR", "formula_cell")], [("Status", "error_cell")]]


def test_rows_of_a_workbook_have_the_numbers_that_excel_shows() -> None:
    found = read(a_workbook(("", "", "", ""), ROW, (None,) * 4, ROW, ("I alt", 2)))

    assert [row.number for row in found.rows] == [3, 5]


def test_the_sheet_is_the_one_that_the_mapping_names() -> None:
    content = a_workbook(ROW, title="Forløb")

    assert the_row(content, a_mapping(layout={"sheet": "Forløb"})).form is not None
    assert refused(content, a_mapping(layout={"sheet": "Ark1"})) == ("unknown_sheet", "file")


def test_failed_rows_of_a_workbook_come_back_as_csv_that_excel_opens() -> None:
    found = read(a_workbook(ROW, (date(2026, 11, 1), *ROW[1:])))

    kind, content = failed_rows(found, {3: "why"})

    assert kind is FileKind.CSV
    assert content.decode("utf-8-sig") == (
        f"CPR;Sag;Status;Dato;{REASON_COLUMN}\r\n2026-11-01;S-1;active;01-11-2026;why\r\n"
    )


def test_a_workbook_that_unpacks_to_more_than_it_may_is_refused_unread() -> None:
    bomb = with_part(a_workbook(ROW), "xl/worksheets/sheet9.xml", b" " * (33 * 1024 * 1024))

    assert len(bomb) < 1_000_000
    assert refused(bomb) == ("file_too_large", "file")


def test_a_row_far_below_all_others_and_a_column_far_to_the_right_cost_nothing() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>'
        b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row></sheetData></worksheet>'
    )

    code, _ = refused(with_part(a_workbook(ROW), "xl/worksheets/sheet1.xml", sheet))

    assert code in ("missing_column", "empty_file", "row_too_large")


def test_objects_of_a_json_array_are_rows_by_their_columns_names() -> None:
    found = read(json.dumps([AS_OBJECT, AS_OBJECT | {"CPR": 2509479989}]).encode())

    assert [(row.number, bool(row.form)) for row in found.rows] == [(1, True), (2, True)]


@pytest.mark.parametrize("content", [json.dumps([AS_OBJECT]), json.dumps(AS_OBJECT), f"\r\n {json.dumps(AS_OBJECT)}"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_with_a_byte_order_mark_is_json(content: str, encoding: str) -> None:
    row = the_row(content.encode(encoding))

    assert row.form == the_row(content.encode()).form
    assert row.form is not None


def test_a_line_of_ndjson_that_is_no_flat_object_spoils_no_other() -> None:
    lines: list[Any] = [AS_OBJECT, [1], AS_OBJECT | {"Sag": {"a": 1}}, AS_OBJECT]
    texts = [json.dumps(line) for line in lines]
    texts[2:2] = ['{"CPR": 1, "CPR": 2}', '{"CPR": NaN}', "{"]

    found = read("\n".join(texts).encode())

    assert [problem.refusal.code for row in found.rows for problem in row.problems] == [
        *("not_an_object", "duplicate_key", "not_a_number", "not_json", "nested_value"),
    ]
    assert [row.number for row in found.rows if row.form] == [1, 7]


def test_failed_objects_come_back_as_ndjson_with_their_reasons() -> None:
    found = read(f"{json.dumps(AS_OBJECT)}\n{{\n".encode())

    kind, content = failed_rows(found, {1: "why", 2: "how"})

    assert kind is FileKind.NDJSON
    assert [json.loads(line) for line in content.splitlines()] == [
        AS_OBJECT | {REASON_COLUMN: "why"},
        {LINE_COLUMN: "{", REASON_COLUMN: "how"},
    ]
    assert [bool(row.form) for row in read(content).rows] == [True, False]


@pytest.mark.parametrize("make", [a_csv, a_workbook])
def test_a_list_with_more_rows_than_it_may_have_is_refused(make: Any) -> None:
    found = read_list(make(*[ROW] * 11), a_mapping(), 10)

    assert isinstance(found, Refusal)
    assert found.code == "too_many_rows"


@pytest.mark.parametrize("make", [a_csv, a_workbook])
def test_a_row_wider_than_any_list_is_refused(make: Any) -> None:
    assert refused(make(ROW + ("x",) * COLUMNS_MAX))[0] == "row_too_large"


def test_a_list_may_have_as_many_rows_as_it_may() -> None:
    assert len(read(a_csv(*[ROW] * ROWS_MAX)).rows) == ROWS_MAX


@pytest.mark.parametrize("padding", [b"\x1a", b"\x1a\x1a", b"\n\x1a"])
def test_what_old_systems_write_behind_a_file_is_no_row(padding: bytes) -> None:
    assert said_of(read(a_csv(ROW) + padding)) == said_of(read(a_csv(ROW)))
