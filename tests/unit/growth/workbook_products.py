"""Lists of two parts, one of which is named from every place in the other; each in the size that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from tests.unit.municipal.builders import ROW, a_workbook

Make = Callable[[int], bytes]
UNSEEN = "\u200b"
_OF_SPREADSHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OF_DOCUMENTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OF_PACKAGES = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET, _BOOK, _STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/strings.xml"
_BOOK_RELATED = "xl/_rels/workbook.xml.rels"
_BY_NUMBER = '<c t="s"><v>0</v></c>'


def a_book(parts: dict[str, str]) -> bytes:
    """Returns a workbook of one row with parts replaced, or with more."""
    written = BytesIO()
    with ZipFile(BytesIO(a_workbook(ROW))) as old, ZipFile(written, "w", ZIP_DEFLATED) as new:
        for name, part in ({one: old.read(one).decode() for one in old.namelist()} | parts).items():
            new.writestr(name, part)
    return written.getvalue()


def a_sheet(rows: str, beside: str = "", namespace: str = _OF_SPREADSHEETS) -> str:
    """Returns the part of a sheet."""
    return f'<worksheet xmlns="{namespace}">{beside}<sheetData>{rows}</sheetData></worksheet>'


def related(*others: tuple[str, str, str]) -> str:
    """Returns a part of relationships, each of an id, a kind and a target."""
    found = "".join(f'<Relationship Id="{key}" Type="x/{kind}" Target="{target}"/>' for key, kind, target in others)
    return f'<Relationships xmlns="{_OF_PACKAGES}">{found}</Relationships>'


def naming(*keys: str, beside: str = "") -> str:
    """Returns the part of a workbook with a sheet for each relationship's id."""
    sheets = "".join(f'<sheet name="{place}" r:id="{key}"/>' for place, key in enumerate(keys))
    return (
        f'<workbook xmlns="{_OF_SPREADSHEETS}" xmlns:r="{_OF_DOCUMENTS}"><sheets>{sheets}</sheets>{beside}</workbook>'
    )


def with_strings(strings: str, *sheets: str) -> bytes:
    """Returns a workbook of these sheets, whose cells name texts by number."""
    keys = [f"s{place}" for place in range(len(sheets))]
    others = [(key, "worksheet", f"{key}.xml") for key in keys]
    parts = {f"xl/{key}.xml": sheet for key, sheet in zip(keys, sheets, strict=True)}
    named = {_BOOK: naming(*keys), _BOOK_RELATED: related(*others, ("t", "sharedStrings", "strings.xml"))}
    return a_book(parts | named | {_STRINGS: f'<sst xmlns="{_OF_SPREADSHEETS}">{strings}</sst>'})


def _shared(text: Callable[[int], str]) -> Make:
    """Returns what makes a workbook of ten cells for each size, which all name one text."""
    return lambda size: with_strings(f"<si>{text(size)}</si>", a_sheet(f"<row>{_BY_NUMBER * 10}</row>" * size))


def _in_each_other(size: int) -> bytes:
    text = f"<t>{'_x' * 5_000 * size}</t>"
    return with_strings("<si>" * size + text + "</si>" * size, a_sheet(""))


def _cells_in_each_other(size: int) -> bytes:
    text = f"<t>{UNSEEN * 1_500 * size}</t>"
    return a_book({_SHEET: a_sheet("<row>" + '<c t="inlineStr">' * size + text + "</c>" * size + "</row>")})


def _one_sheet_often(size: int) -> bytes:
    named = {_BOOK: naming(*["s"] * size * 20), _BOOK_RELATED: related(("s", "worksheet", "worksheets/sheet1.xml"))}
    return a_book(named | {_SHEET: a_sheet("<row/>" * size * 1_000)})


def _one_sheet_by_many_names(size: int) -> bytes:
    keys = [f"s{place}" for place in range(size * 20)]
    others = [(key, "worksheet", "worksheets/sheet1.xml") for key in keys]
    return a_book({_BOOK: naming(*keys), _BOOK_RELATED: related(*others), _SHEET: a_sheet("<row/>" * size * 1_000)})


def _long_namespace(size: int) -> bytes:
    return a_book({_SHEET: a_sheet("<row/>" * size * 1_000, namespace=_OF_SPREADSHEETS + "x" * size * 4_000)})


def _long_path(size: int) -> bytes:
    path = "a/" * size * 1_000
    others = [(f"s{place}", "theme", "a") for place in range(size * 200)]
    package = related(("w", "officeDocument", f"{path}workbook.xml"))
    parts = {
        "_rels/.rels": package,
        f"{path}workbook.xml": naming(),
        f"{path}_rels/workbook.xml.rels": related(*others),
    }
    return a_book(parts)


def _long_format(size: int) -> bytes:
    styles = (
        f'<styleSheet xmlns="{_OF_SPREADSHEETS}"><numFmts><numFmt numFmtId="200" formatCode="{"[" * 30 * size}"/>'
        f'</numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>'
    )
    cells = '<c s="0"><v>1</v></c>' * 100
    return a_book({"xl/styles.xml": styles, _SHEET: a_sheet(f"<row>{cells}</row>" * size)})


def _beside_the_cells(size: int) -> bytes:
    columns, merged, names = (
        f"<{around}>{one * size * 200}</{around}>"
        for around, one in (
            ("cols", '<col min="1" max="200"/>'),
            ("mergeCells", '<mergeCell ref="A1:GR900"/>'),
            ("definedNames", '<definedName name="a">A1:GR900</definedName>'),
        )
    )
    named = {_BOOK: naming("s", beside=names), _BOOK_RELATED: related(("s", "worksheet", "worksheets/sheet1.xml"))}
    return a_book(named | {_SHEET: a_sheet("<row><c><v>1</v></c></row>" * size * 100, columns + merged)})


def _far_columns(size: int) -> bytes:
    return a_book({_SHEET: a_sheet(f'<row><c t="b" r="{_column(24 * size)}1"><v>1</v></c></row>' * size * 100)})


def _column(place: int) -> str:
    return (chr(ord("A") + place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _keys(size: int) -> bytes:
    keys = ",".join(f'"{key}":1' for key in range(24 * size))
    return f"[{{{keys}}}{',{}' * size * 100}]".encode()


def _csv_columns(size: int) -> bytes:
    return (";".join(["CPR", "Sag", "Status", "Dato"] + [""] * 20 * size) + "\n" + "x\n" * size * 100).encode()


#: Each pair of parts, and the size from which it grows.
PRODUCTS: dict[str, tuple[Make, int]] = {
    "a text nobody sees, and the cells that name it": (_shared(lambda size: f"<t>{UNSEEN * 400 * size}</t>"), 10),
    "a text of many parts, and the cells that name it": (
        _shared(lambda size: f"<r><t>{UNSEEN}</t></r>" * 400 * size),
        10,
    ),
    "a text, and texts around it": (_in_each_other, 7),
    "a text, and cells around it": (_cells_in_each_other, 7),
    "a sheet, and the names of one relationship": (_one_sheet_often, 1),
    "a sheet, and relationships": (_one_sheet_by_many_names, 1),
    "a namespace, and elements of it": (_long_namespace, 3),
    "a path, and relationships from it": (_long_path, 2),
    "a format, and the cells that show it": (_long_format, 1),
    "columns, merged cells and names, and cells": (_beside_the_cells, 1),
    "a place far to the right, and rows": (_far_columns, 1),
    "keys, and rows of JSON": (_keys, 1),
    "columns, and rows of CSV": (_csv_columns, 1),
}
