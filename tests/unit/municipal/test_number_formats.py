"""What numbers of a spreadsheet show as: dates, times, and numbers with the zeros that people see."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from connectors.municipal.number_formats import displayed_number, format_of, formats_of, is_date
from connectors.municipal.sheets import Cell, Unfit


def show(text: str, code: str, *, counts_from_1904: bool = False) -> Cell:
    return displayed_number(text, format_of(code), counts_from_1904=counts_from_1904)


@pytest.mark.parametrize(
    "form", ["dd-mm-yyyy", "d. mmm yy", "[$-406]d. mmmm yyyy;@", "yyyy-mm-dd hh:mm", "m/d/yy", "h:mm"]
)
def test_a_format_of_days_months_or_hours_shows_a_date(form: str) -> None:
    assert is_date(form)


@pytest.mark.parametrize(
    "form", ["", "General", "0", "0.00", "#,##0", '0 "dage"', "[Red]0", "[h]:mm", "@", '"måned" 0']
)
def test_any_other_format_shows_none(form: str) -> None:
    assert not is_date(form)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("46266", datetime(2026, 9, 1)),  # noqa: DTZ001 Excel knows no zones
        ("46266.5", datetime(2026, 9, 1, 12)),  # noqa: DTZ001
        ("46266.604166666664", datetime(2026, 9, 1, 14, 30)),  # noqa: DTZ001
        ("1", datetime(1900, 1, 1)),  # noqa: DTZ001
        ("61", datetime(1900, 3, 1)),  # noqa: DTZ001
        ("0.25", time(6)),
        ("-1", Unfit.ERROR),
        ("99999999999", Unfit.ERROR),
        ("1e400", Unfit.ERROR),
        ("nan", Unfit.ERROR),
        ("9" * 40, Unfit.ERROR),
        ("x", Unfit.ERROR),
    ],
)
def test_a_number_with_the_format_of_a_date_is_that_date(text: str, expected: date | time | Unfit) -> None:
    assert show(text, "dd-mm-yyyy") == expected


def test_days_count_from_1904_where_the_workbook_says_so() -> None:
    assert show("44804", "dd-mm-yyyy", counts_from_1904=True) == datetime(2026, 9, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "expected"), [("12", 12), ("-12.50", -12.5), ("+1.5E+2", 150.0), (".5", 0.5), ("5.", 5.0), ("+7", 7)]
)
def test_a_number_is_written_as_the_format_has_it(text: str, expected: float) -> None:
    assert show(text, "") == expected


@pytest.mark.parametrize(
    "text", ["1_000", "\u0663", " 12 ", "12\u00a0", "nan", "infinity", "INF", "1e", "e5", ".", "0x1", "1,5", "--1", ""]
)
def test_no_other_spelling_of_a_number_is_one(text: str) -> None:
    assert show(text, "") is Unfit.ERROR


@pytest.mark.parametrize(
    "form", ["0000000000", "000000-0000", "000000\\-0000", '000000"-"0000', "[$-406]000000-0000;@", "000000 0000"]
)
def test_a_number_shows_the_zeros_that_its_format_gives_it(form: str) -> None:
    assert show("105109996", form) == "0105109996"


@pytest.mark.parametrize("form", ["", "0", "0.00", "#,##0", "General", "@"])
def test_without_such_a_format_a_number_has_its_own_digits(form: str) -> None:
    assert show("105109996", form) == 105109996


def test_styles_that_can_not_be_read_show_numbers_as_they_are() -> None:
    assert formats_of(b"<styleSheet") == ()
