"""CPR numbers and their replacements: form, system and birth date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.cpr import CPR, D_ECPR, WITH_SIXTY_ADDED, X_ECPR, person_number, without_separators
from schemas.refusals import RefusedError


@pytest.mark.parametrize(
    ("number", "year"),
    [
        ("0105000000", 1900),
        ("0105993999", 1999),
        ("0105004000", 2000),
        ("0105364999", 2036),
        ("0105374000", 1937),
        ("0105994999", 1999),
        ("0105005000", 2000),
        ("0105578999", 2057),
        ("0105585000", 1858),
        ("0105998999", 1899),
        ("0105009000", 2000),
        ("0105369999", 2036),
        ("0105379000", 1937),
        ("0105999999", 1999),
    ],
)
def test_digit_seven_and_the_year_give_the_century_at_each_edge_of_the_table(number: str, year: int) -> None:
    assert person_number(CPR, number, "cpr").birth_date == date(year, 5, 1)


def test_a_leap_day_exists_in_its_own_century_alone() -> None:
    assert person_number(CPR, "2902004000", "cpr").birth_date == date(2000, 2, 29)
    with pytest.raises(RefusedError):
        person_number(CPR, "2902000000", "cpr")  # 1900 had none


def test_a_number_is_taken_whether_or_not_it_passes_modulus_11() -> None:
    passing, failing = "2110625629", "2110625628"

    assert [person_number(CPR, one, "cpr").number for one in (passing, failing)] == [passing, failing]


@pytest.mark.parametrize(
    ("given", "value", "system"),
    [
        (X_ECPR, "0703921VJ5", X_ECPR),
        (X_ECPR, "0703927VJ5", X_ECPR),
        (D_ECPR, "0703920VJ5", D_ECPR),
        (D_ECPR, "0703925VJ5", D_ECPR),
        (D_ECPR, "0703926vj5", D_ECPR),
        (CPR, "0703921VJ5", X_ECPR),
        (CPR, "0703926vj5", D_ECPR),
    ],
)
def test_a_replacement_number_has_its_own_system_and_no_birth_date(given: str, value: str, system: str) -> None:
    number = person_number(given, value, "cpr")

    assert (number.system, number.number, number.birth_date) == (system, value.upper(), None)
    assert number.is_replacement


@pytest.mark.parametrize("value", ["6105109996", "9105109996", "7002049996", "6701579999"])
@pytest.mark.parametrize("system", [CPR, WITH_SIXTY_ADDED])
def test_a_number_with_sixty_added_to_its_day_replaces_one(system: str, value: str) -> None:
    number = person_number(system, value, "cpr")

    assert (number.system, number.number, number.birth_date) == (WITH_SIXTY_ADDED, value, None)
    assert number.is_replacement


def test_a_replacement_number_is_taken_whatever_its_digits_say_of_a_date() -> None:
    assert person_number(X_ECPR, "9999991VJ5", "cpr").number == "9999991VJ5"


@pytest.mark.parametrize(
    "value", ["3102109989", "0013109989", "0100109989", "4105109989", "6013109989", "9205109989", "9102109989"]
)
def test_a_date_that_does_not_exist_is_refused_by_name(value: str) -> None:
    with pytest.raises(RefusedError) as caught:
        person_number(CPR, value, "person.cpr")

    refusal = caught.value.refusal
    assert (refusal.code, refusal.field) == ("invalid_cpr", "person.cpr")
    assert refusal.rule == "the first six digits are a date that exists"


@pytest.mark.parametrize(
    ("system", "value"),
    [
        (CPR, ""),
        (CPR, "010510999"),
        (CPR, "01051099966"),
        (CPR, "010510-9996"),
        (CPR, "٠١٠٥١٠٩٩٩٦"),
        (CPR, "0105109996\n"),
        (CPR, "0703922VJ5"),
        (X_ECPR, "0105109996"),
        (X_ECPR, "0703925VJ5"),
        (X_ECPR, "0703921V\u01315"),  # the Turkish dotless i, an I in upper case
        (D_ECPR, "0703920V\u017f5"),  # the long s, an S in upper case
        (D_ECPR, "0703921VJ5"),
        (WITH_SIXTY_ADDED, "0105109996"),
        (X_ECPR, "6105109996"),
    ],
)
def test_what_is_not_of_its_systems_form_is_refused_by_name(system: str, value: str) -> None:
    with pytest.raises(RefusedError) as caught:
        person_number(system, value, "person.value")

    refusal = caught.value.refusal
    assert (refusal.code, refusal.field) == ("invalid_cpr", "person.value")
    assert "form" in refusal.rule


def test_a_number_shows_nothing_of_itself() -> None:
    assert repr(person_number(CPR, "0105109996", "cpr")) == f"PersonNumber(system={CPR!r})"


@given(st.dates(date(1858, 1, 1), date(2057, 12, 31)), st.integers(0, 9), st.integers(0, 999))
def test_a_number_tells_the_birth_date_it_was_made_from(born: date, digit: int, serial: int) -> None:
    assume(digit in digits_of(born.year))

    found = person_number(CPR, f"{born:%d%m%y}{digit}{serial:03}", "cpr")

    assert found.birth_date == born


def digits_of(year: int) -> set[int]:
    """Returns what digit 7 may be for a year of birth, by the table of CPR-kontoret."""
    if year < 1900:
        return {5, 6, 7, 8}
    if year < 2000:
        return {0, 1, 2, 3} | ({4, 9} if year >= 1937 else set())
    return ({4, 9} if year <= 2036 else set()) | {5, 6, 7, 8}


@pytest.mark.parametrize("typed", ["010510-9996", " 0105109996", "01 05 10 9996", "010510\u00a09996", "0105109996\n"])
def test_a_number_is_kept_without_what_people_write_between_its_digits(typed: str) -> None:
    assert person_number(CPR, without_separators(typed), "cpr").number == "0105109996"
