"""CPR numbers, codes, words and numbers as they stand in lists' cells."""

from __future__ import annotations

from datetime import date, datetime
from time import process_time
from typing import Any

import pytest

from connectors.municipal.mapping import Mapping
from connectors.municipal.rows import read_list
from tests.unit.municipal.builders import NAMES, ROW, a_csv, a_mapping, a_workbook, problems, the_row

ZERO_LOST = {"values": {"zero_lost": True}}


def with_cell(column: str, value: str, mapping: Mapping | None = None) -> tuple[dict[str, Any] | None, list[Any]]:
    """Returns the form and what is wrong with a row that has the value in the column."""
    cells = list(ROW)
    cells[NAMES.index(column)] = value
    row = the_row(a_csv(tuple(cells)), mapping)
    return row.form, problems(row)


def with_field(name: str, value: str, **changes: Any) -> tuple[Any, list[Any]]:
    """Returns the field's value, and what is wrong, where one column more fills it."""
    columns = a_mapping().columns | {"Mere": (name,)}
    row = the_row(a_csv((*ROW, value), names=(*NAMES, "Mere")), a_mapping(columns=columns, **changes))
    part, _, last = name.rpartition(".")
    form: dict[str, Any] = row.form or {}
    return (form.get("person", {}) if part else form).get(last), problems(row)


@pytest.mark.parametrize("written", ["0105109996", "010510-9996", " 010510 9996 "])
def test_a_number_is_the_same_with_and_without_its_hyphen(written: str) -> None:
    form, _ = with_cell("CPR", written)

    assert form is not None
    assert form["person"] == {"cpr": "0105109996"}


def test_nine_digits_are_refused_unless_the_mapping_says_that_excel_ate_zeros() -> None:
    assert with_cell("CPR", "105109996") == (None, [("CPR", "invalid_cpr")])


def test_nine_digits_get_their_zero_back_where_the_mapping_says_so() -> None:
    form, _ = with_cell("CPR", "105109996", a_mapping(**ZERO_LOST))

    assert form is not None
    assert form["person"] == {"cpr": "0105109996"}


def test_a_number_with_a_lost_zero_and_one_with_it_are_the_same_statements_key() -> None:
    mapping = a_mapping(
        columns={"CPR": "person.cpr", "Status": "status", "Dato": "occurred_at"},
        statement=["CPR"],
        ignore=["Sag"],
        **ZERO_LOST,
    )

    lost, kept = (the_row(a_csv((number, *ROW[1:])), mapping).key for number in ("105109996", "010510-9996"))

    assert lost == kept is not None


def test_a_number_that_excel_shows_in_scientific_form_is_refused() -> None:
    assert with_cell("CPR", "1,05E+08") == (None, [("CPR", "number_too_long")])


def test_a_row_without_a_number_is_refused() -> None:
    assert with_cell("CPR", " ") == (None, [("CPR", "missing_field")])


def test_a_word_stands_for_the_code_that_the_mapping_says_whatever_its_capitals_and_blanks() -> None:
    form, _ = with_cell("Status", "  I  GANG. ", a_mapping(codes={"Status": {"i gang": "active"}}))

    assert form is not None
    assert form["status"] == "active"


def test_an_empty_cell_may_stand_for_a_code_too() -> None:
    form, _ = with_cell("Status", "", a_mapping(codes={"Status": {"": "waiting"}}))

    assert form is not None
    assert form["status"] == "waiting"


def test_a_word_that_the_mapping_does_not_have_is_refused_and_never_guessed() -> None:
    assert with_cell("Status", "i gang") == (None, [("Status", "unknown_code")])


@pytest.mark.parametrize("written", ['="0105109996"', "=A1"])
def test_a_formula_is_refused(written: str) -> None:
    cells = (written.replace('"', '""'), *ROW[1:])
    row = the_row(a_csv((f'"{cells[0]}"', *cells[1:])))

    assert problems(row) == [("CPR", "formula_cell")]


@pytest.mark.parametrize(("written", "code"), [("217", "0217"), ("0217", "0217")])
def test_a_municipality_gets_its_leading_zero_back(written: str, code: str) -> None:
    assert with_field("person.municipality", written) == (code, [])


def test_a_municipality_by_name_is_refused_where_the_mapping_does_not_have_it() -> None:
    assert with_field("person.municipality", "Helsingør") == (None, [("Mere", "unknown_code")])


@pytest.mark.parametrize(("written", "value"), [("Ja", True), ("x", True), ("nej", False), ("", None)])
def test_yes_and_no_are_the_mappings_words(written: str, value: bool | None) -> None:
    assert with_field("person.protected", written) == (value, [])


@pytest.mark.parametrize(("written", "value"), [("1.234", 1234), ("12,00", 12), ("7", 7), ("1.234,0", 1234)])
def test_a_whole_number_may_have_a_decimal_comma_and_points_between_thousands(written: str, value: int) -> None:
    assert with_field("source_sequence", written) == (value, [])


@pytest.mark.parametrize("written", ["1,5", "1.23", "1e3", "-", "12 stk"])
def test_anything_else_is_no_whole_number(written: str) -> None:
    assert with_field("source_sequence", written) == (None, [("Mere", "wrong_form")])


def test_a_code_that_a_cell_holds_by_several_words_is_told_once() -> None:
    cell, words = "mor, far og den unge", {"mor": "plan", "far": "plan", "den unge": "aftercare"}

    found = with_field("needs", cell, event="referral", codes={"Mere": words}, constants={"referred_from": "PPR"})

    assert found == (["plan", "aftercare"], [])


def test_reasons_are_codes_or_the_mappings_words() -> None:
    codes = {"Mere": {"Uden for målgruppe": "not_target_group"}}

    assert with_field("reason_code", "uden for målgruppe", codes=codes) == ("not_target_group", [])
    assert with_field("reason_code", "Flyttet til Horsens") == (None, [("Mere", "unknown_code")])


def test_a_long_number_of_excels_is_refused_since_its_last_digits_are_gone() -> None:
    row = the_row(a_workbook((ROW[0], 4412110000160031, *ROW[2:])))

    assert problems(row) == [("Sag", "number_too_long")]


def test_the_day_of_the_status_is_the_day_on_which_it_was_told_where_one_column_tells_both() -> None:
    form, _ = with_cell("Dato", "2026-11-01")

    assert form is not None
    assert form["status_at"] == form["occurred_at"] == "2026-10-31T23:00:00+00:00"


def test_no_text_of_a_refusal_repeats_a_value() -> None:
    cells = ("999999-1234x", "S-1", "Hemmeligt", "99-99-2026")
    found = the_row(a_csv(cells)).problems

    assert [problem.column for problem in found] == ["Status", "Dato"]
    assert not any(cell in str(problem) for cell in cells for problem in found)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (datetime(2026, 11, 1), "2026-11-01"),  # noqa: DTZ001 Excel knows no zones
        (date(2026, 11, 1), "2026-11-01"),
        ("1. november 2026", "2026-11-01"),
        (datetime(2026, 11, 1, 14, 30), None),  # noqa: DTZ001
        ("01-11-2026 kl. 00.00", None),
        ("2026-11-01T00:00:00+01:00", None),
    ],
)
def test_a_row_says_whether_its_time_is_a_day_alone(cell: Any, day: str | None) -> None:
    form = the_row(a_workbook((*ROW[:3], cell))).form

    assert form is not None
    assert form.get("occurred_on") == day


@pytest.mark.parametrize("name", ["status_at", "sent_at"])
def test_another_times_day_is_its_start_and_says_nothing_of_when_it_happened(name: str) -> None:
    columns = a_mapping().columns | {"Mere": (name,)}
    row = the_row(
        a_csv((*ROW[:3], "01-11-2026 10:00", "01-11-2026"), names=(*NAMES, "Mere")), a_mapping(columns=columns)
    )

    assert row.form is not None
    assert (row.form[name], "occurred_on" in row.form) == ("2026-10-31T23:00:00+00:00", False)


def test_an_hour_that_no_day_has_is_refused() -> None:
    assert with_cell("Dato", "29-03-2026 02:30")[1][0][0] == "Dato"
    assert with_cell("Dato", "29-03-2026 03:30")[1] == []


@pytest.mark.parametrize("unit", ["T ", " ", "1", "kl.", "T kl. 1"])
def test_a_cell_is_read_for_a_date_in_time_that_grows_with_its_length_alone(unit: str) -> None:
    """A cell has room for 4,000 signs, and what reads a date tries in several ways where it begins."""

    def seconds(length: int) -> float:
        cells = list(ROW)
        cells[NAMES.index("Dato")] = ("1" + unit * length)[: length - 1] + "x"
        began = process_time()
        read_list(a_csv(*([tuple(cells)] * 10)), a_mapping(), 1_000)
        return process_time() - began

    def grows_faster() -> bool:
        few, many = seconds(480), seconds(3_840)
        return many > 8 * 4 * max(few, 0.001)

    assert not all(grows_faster() for _ in range(4))


def test_a_number_with_sixty_added_to_its_day_is_known_here_too() -> None:
    form, wrong = with_cell("CPR", "610510-9996")

    assert wrong == []
    assert form is not None
    assert form["person"] == {"cpr": "6105109996"}
