"""Signs that nobody sees, and the ways in which Excel's users keep a number's zero: read as what people see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.municipal.builders import NAMES, ROW, a_csv, a_mapping, a_workbook, problems, the_row

NUMBER = "0105109996"


def number_in(cell: str) -> Any:
    """Returns the person's number of a row with this cell; None where the row is refused."""
    row = the_row(a_csv((cell, *ROW[1:])))
    return row.form and row.form["person"]["cpr"]


@pytest.mark.parametrize(
    "cell",
    [
        *(f"\x1f{NUMBER}", f"\u202a{NUMBER}\u202c", f"{NUMBER}\u200b", f"\ufeff{NUMBER}", "0105\u00ad109996"),
        *(f"\u200e{NUMBER}\u200f", f"\u2068{NUMBER}\u2069", f"{NUMBER}\u2060", f"{NUMBER}\x00".replace("\x00", "\x7f")),
        *(f"\u00a0{NUMBER}\u00a0", "010510\u202f9996", "010510\u20079996", f"\t{NUMBER}", f"{NUMBER}\ufe0f"),
        *(f"010510{dash}9996" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u2043"),
        *(f"010510 {dash} 9996" for dash in "-\u2013"),
        *(f"'{NUMBER}", f"\u2019{NUMBER}", f"\u00b4{NUMBER}", f"`{NUMBER}", f"'{NUMBER}'", "\u201c010510-9996\u201d"),
        f'"""{NUMBER}"""',
        "\uff10\uff11\uff10\uff15\uff11\uff10\uff19\uff19\uff19\uff16",
    ],
)
def test_a_number_is_the_one_that_people_see(cell: str) -> None:
    assert number_in(cell) == NUMBER


def test_a_number_that_the_sheet_shows_with_its_zero_has_it() -> None:
    from io import BytesIO  # noqa: PLC0415 this test's alone

    from openpyxl import load_workbook  # noqa: PLC0415

    workbook = load_workbook(BytesIO(a_workbook((105109996, *ROW[1:]))))
    workbook.worksheets[0]["A2"].number_format = "000000-0000"
    written = BytesIO()
    workbook.save(written)

    row = the_row(written.getvalue())

    assert row.form is not None
    assert row.form["person"]["cpr"] == NUMBER


@pytest.mark.parametrize("cell", ["=0105109996", "=A2", '="0105109996"', "=1+1"])
def test_a_formula_is_refused_by_that_name(cell: str) -> None:
    assert problems(the_row(a_csv((cell, *ROW[1:])))) == [("CPR", "formula_cell")]


def test_names_codes_and_dates_are_known_whatever_signs_are_between_their_letters() -> None:
    names = ("\ufeffC\u00adPR", "Sag\u200b", "Sta\u00adtus", "Dato\u00a0")
    row = the_row(a_csv(("010510\u20119996", "'0012", "ac\u200btive", "01\u201311\u20132026"), names=names))

    assert row.form is not None
    assert (row.form["subject"], row.form["status"], row.form["occurred_on"]) == ("0012", "active", "2026-11-01")


def test_a_letter_in_two_parts_is_the_letter() -> None:
    mapping = a_mapping(codes={"Status": {"på venteliste": "waiting"}})

    row = the_row(a_csv((*ROW[:2], "pa\u030a venteliste", ROW[3])), mapping)

    assert row.form is not None
    assert row.form["status"] == "waiting"


def test_a_row_of_signs_that_nobody_sees_is_empty() -> None:
    assert the_row(a_csv(("\u200b", "\u00ad", "", "\ufeff"), ROW)).number == 3


def test_a_name_with_an_apostrophe_keeps_it() -> None:
    mapping = a_mapping(columns=a_mapping().columns | {"Navn": ("person.name",)})

    row = the_row(a_csv((*ROW, "'t Hooft O\u2019Neill"), names=(*NAMES, "Navn")), mapping)

    assert row.form is not None
    assert row.form["person"]["name"] == "'t Hooft O\u2019Neill"
