"""Workbooks made to hurt: entities under any name, bombs, endless rows; each refused, in time linear in its bytes."""

from __future__ import annotations

import pytest

from connectors.municipal.rows import read_list
from connectors.municipal.sheets import CELLS_MAX
from schemas.refusals import Refusal
from tests.unit.growth.workbook_products import a_book, a_sheet, naming, related, with_strings
from tests.unit.municipal.builders import ROW, a_csv, a_mapping, a_workbook, problems, refused, the_row, with_part

ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%b</sheetData></worksheet>'
SHEET_1 = "xl/worksheets/sheet1.xml"
RELATED = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="x/worksheet" Target="%b"/></Relationships>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "name",
    [
        *(
            SHEET_1,
            "xl/workbook.xml",
            "xl/styles.xml",
            "xl/_rels/workbook.xml.rels",
            "_rels/.rels",
            "docProps/core.xml",
        ),
        *("xl/worksheets/sheet9.dat", "xl/theme/theme1.xml", "anything", "[Content_Types].xml", "XL/Workbook.XML.bak"),
    ],
)
def test_a_part_that_declares_entities_is_refused_whatever_its_name(name: str, encoding: str) -> None:
    assert refused(with_part(a_workbook(ROW), name, ENTITIES.encode(encoding))) == ("unsafe_xml", "file")


def test_a_sheet_under_another_name_declares_none_either() -> None:
    hidden = with_part(a_workbook(ROW), "xl/list.dat", b"<!DOCTYPE x><x/>")

    assert refused(with_part(hidden, "xl/_rels/workbook.xml.rels", RELATED % b"list.dat")) == ("unsafe_xml", "file")


def test_a_sheet_under_another_name_is_read() -> None:
    rows = b"".join(
        b"<row>%b</row>" % b"".join(b'<c t="inlineStr"><is><t>%b</t></is></c>' % cell.encode() for cell in row)
        for row in (("CPR", "Sag", "Status", "Dato"), ROW)
    )
    renamed = with_part(a_workbook(), "xl/list.dat", SHEET % rows)

    row = the_row(with_part(renamed, "xl/_rels/workbook.xml.rels", RELATED % b"/XL/List.dat"))

    assert (row.number, problems(row)) == (2, [])


@pytest.mark.long
@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (b"<row>" + b"<c/>" * 2_100_000 + b"</row>", "file_too_large"),
        (b"<row/>" * 2_100_000, "file_too_large"),
        ((b"<row>" + b"<c><v>1</v></c>" * 180 + b"</row>") * 900 * 4, "too_many_rows"),
        (b"<row>" * 100, "not_xlsx"),
        (b'<row r="2"/><row r="1"/>', "not_xlsx"),
        (b'<row r="1"><c r="B1"/><c r="A1"/></row>', "not_xlsx"),
        (b'<row><c t="s"><v>7</v></c></row>', "not_xlsx"),
        (b'<row><c r="AAAA1"/></row>', "not_xlsx"),
        (b"<row><c><v>" + b"9" * 5_000_000 + b"</v></c></row>", "missing_column"),
    ],
)
def test_what_no_list_holds_is_refused(rows: bytes, code: str) -> None:
    assert refused(with_part(a_workbook(), SHEET_1, SHEET % rows))[0] == code


@pytest.mark.long
def test_a_list_has_no_more_cells_than_it_may() -> None:
    wide = ("x",) * 200
    fitting, too_many = (a_csv(*[wide] * rows, names=wide) for rows in (CELLS_MAX // 200 - 1, CELLS_MAX // 200))

    assert [_code(content) for content in (fitting, too_many)] == ["missing_column", "file_too_large"]


def test_one_text_that_every_cell_names_counts_as_often_as_it_is_named() -> None:
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%b</t></si></sst>' % (
        b"x" * 4_000
    )
    related = RELATED.replace(b"</Rel", b'<Relationship Id="s" Type="x/sharedStrings" Target="strings.xml"/></Rel')
    sheet = SHEET % ((b"<row>" + b'<c t="s"><v>0</v></c>' * 100 + b"</row>") * 100)
    book = with_part(with_part(a_workbook(), SHEET_1, sheet), "xl/strings.xml", strings)

    named = with_part(book, "xl/_rels/workbook.xml.rels", related % b"worksheets/sheet1.xml")

    assert refused(named) == ("file_too_large", "file")


def test_texts_of_all_sheets_count_together() -> None:
    rows = ("<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>") * 20
    of_one_sheet, of_five = (
        with_strings(f"<si><t>{'x' * 2_000}</t></si>", *[a_sheet(rows)] * count) for count in (1, 5)
    )

    assert [refused(content)[0] for content in (of_one_sheet, of_five)] == ["missing_column", "file_too_large"]


def test_a_part_that_is_two_sheets_is_refused_by_that_name() -> None:
    twice = {"xl/workbook.xml": naming("s", "s"), "xl/_rels/workbook.xml.rels": related(("s", "worksheet", "a.xml"))}

    assert refused(a_book(twice | {"xl/a.xml": a_sheet("")})) == ("repeated_sheet", "file")


@pytest.mark.parametrize("length", [255, 256])
def test_a_namespace_has_its_length(length: int) -> None:
    found = refused(a_book({SHEET_1: f'<x xmlns="{"x" * length}"/>'}))

    assert found[0] == ("not_xlsx" if length > 255 else "empty_file")


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"[]," * 4_000_000 + b"[]]",
        b'{"a":1}' + b"\n" * 10_000_000,
        b"CPR;Sag;Status;Dato\n" + b";" * 10_000_000,
        b"CPR;Sag;Status;Dato\n" + b"\n" * 10_000_000,
    ],
    ids=["values", "lines", "cells", "rows"],
)
def test_more_of_anything_than_a_list_has_is_refused_before_it_is_taken_apart(content: bytes) -> None:
    assert refused(content)[0] in {"file_too_large", "too_many_rows", "row_too_large"}


def _code(content: bytes) -> str:
    found = read_list(content, a_mapping(), CELLS_MAX)
    assert isinstance(found, Refusal)
    return found.code
