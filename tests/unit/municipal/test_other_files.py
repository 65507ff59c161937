"""A file that is no list is refused by the name of what it is, whatever its own name says."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest

from connectors.municipal.rows import read_list
from schemas.refusals import Refusal
from tests.unit.municipal.builders import ROW, ROWS_MAX, a_csv, a_mapping, a_workbook, read, with_part

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500
TABLE = "<table border=1><tr><th>CPR</th></tr><tr><td>010510-9996</td></tr></table>"
STRICT = b'<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"><sheets/></workbook>'
MAIL = b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\nContent-Type: text/html\r\n'
SPREADSHEET_2003 = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>'
)


def an_archive(*names: str) -> bytes:
    """Returns a ZIP file with parts of these names."""
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, b"<x/>")
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (f"<html><head><meta charset=utf-8></head><body>{TABLE}</body></html>".encode(), "a web page, not a workbook"),
        (f"\r\n <!DOCTYPE html>\n<html>{TABLE}</html>".encode(), "a web page, not a workbook"),
        (f"\ufeff<HTML>{TABLE}</HTML>".encode(), "a web page, not a workbook"),
        (f"\ufeff<html>{TABLE}</html>".encode("utf-16"), "a web page, not a workbook"),
        (TABLE.encode(), "a web page, not a workbook"),
        (f'<?xml version="1.0"?><html>{TABLE}</html>'.encode(), "a web page, not a workbook"),
        (MAIL, "a web page, not a workbook"),
        (SPREADSHEET_2003.encode(), "an XML spreadsheet of Excel 2003"),
        (b'<?xml version="1.0"?><liste><borger/></liste>', "an XML document"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"{\\rtf1\\ansi CPR;Sag}", "an RTF document"),
        (OLE + "Workbook".encode("utf-16-le"), "a workbook of Excel 97-2003 (.xls)"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a workbook with a password"),
        (OLE + "WordDocument".encode("utf-16-le"), "an Office document of before 2007"),
        (b"\x09\x08\x10\x00\x00\x06\x10\x00", "a workbook of before Excel 97"),
        (b"ID;PWXL;N;E\r\nP;PGeneral", "a SYLK file"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\x1f\x8b\x08\x00", "a packed file"),
        (an_archive("mimetype", "content.xml"), "an OpenDocument file (.ods)"),
        (an_archive("[Content_Types].xml", "xl/workbook.bin"), "a binary workbook (.xlsb)"),
        (an_archive("[Content_Types].xml", "word/document.xml"), "a Word document"),
        (an_archive("liste.csv"), "a ZIP archive"),
        (with_part(a_workbook(ROW), "xl/workbook.xml", STRICT), "a Strict Open XML workbook"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(content: bytes, kind: str) -> None:
    found = read_list(content, a_mapping(), ROWS_MAX)

    assert isinstance(found, Refusal)
    assert (found.code in {"not_a_list", "not_xlsx"}, found.field) == (True, "file")
    assert found.rule == f"a list is an Excel workbook (.xlsx), CSV or JSON; this file is {kind}"
    assert found.help


@pytest.mark.parametrize("first", ["ID;Person", "<5 år", "BMI", "%", "Content-Type", "MIME", "{navn}"])
def test_a_list_whose_first_name_looks_like_such_a_file_is_read(first: str) -> None:
    names = (first, "CPR", "Sag", "Status", "Dato")
    mapping = a_mapping(layout={"other_columns": "ignore", "delimiter": ";"})

    if first.startswith("{"):
        assert isinstance(read_list(a_csv(("x", *ROW), names=names), mapping, ROWS_MAX), Refusal)
    else:
        content = a_csv((*["x"] * (1 + first.count(";")), *ROW), names=names)
        assert [bool(row.form) for row in read(content, mapping).rows] == [True]


def test_a_workbook_with_macros_is_a_workbook() -> None:
    assert read(with_part(a_workbook(ROW), "xl/vbaProject.bin", b"\x00")).rows[0].form is not None


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("docProps/core.xml", b"<created>27-11-2026 10:00"),
        ("docProps/app.xml", b"\xff\xfe nothing"),
        ("xl/theme/theme1.xml", b""),
        ("xl/calcChain.xml", b"<<<"),
        ("xl/tables/table1.xml", b"<table><autoFilter ref='nowhere'/>"),
        ("xl/comments1.xml", b"\x00"),
    ],
)
def test_faults_in_parts_that_nobody_reads_cost_nothing(part: str, content: bytes) -> None:
    assert read(with_part(a_workbook(ROW), part, content)).rows[0].form is not None


@pytest.mark.parametrize(
    "styles",
    [
        b'<fills count="1"><fill/></fills>',
        b'<fills><fill><patternFill patternType="solid"><fgColor rgb="#FFFF00"/></patternFill></fill></fills>',
        b'<fonts><font><sz val="eleven"/><color rgb="rgb(0,0,0)"/></font></fonts><cellXfs><xf numFmtId="x"/></cellXfs>',
        b'<dxfs count="nine"><dxf/></dxfs><cellStyles><cellStyle name=""/></cellStyles>',
    ],
)
def test_faults_in_styles_that_excel_forgives_cost_nothing(styles: bytes) -> None:
    sheet = b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%b</styleSheet>' % styles

    assert read(with_part(a_workbook(ROW), "xl/styles.xml", sheet)).rows[0].form is not None
