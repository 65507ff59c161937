"""Dates as people in Denmark write them, and nothing that could mean two days."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from connectors.municipal.dates import DateForm, NoDateError, day_in, moment_in

DANISH = (DateForm.ISO, DateForm.DAY_FIRST, DateForm.WRITTEN_OUT)
CHRISTMAS = date(2026, 12, 24)


@pytest.mark.parametrize(
    "text",
    [
        *("24-12-2026", "24.12.26", "24/12/2026", "2026-12-24", "24. december 2026", "24. dec. 2026", "24 Dec 26"),
        *("den 24. december 2026", "24-12-2026 14:30", "24.12.2026 kl. 14.30", "2026-12-24T14:30", "24.december 2026"),
        *("24/12-2026", "24/12-26", "24/12 2026", "d. 24/12-2026 kl. 9.05", "d.24. december 2026"),
    ],
)
def test_the_same_day_written_in_any_danish_way_is_that_day(text: str) -> None:
    assert day_in(text, DANISH) == CHRISTMAS


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "24-12",
            "12/24/2026",
            "31-02-2026",
            "24-12.2026",
            "0-1-2026",
            "24. julemaaned 2026",
            "46380",
            "20261224",
        ),
        *("24-12-026", "24-12-20266", "2026-12-24 25:00", "2026-12-24 14:3", "i morgen", "24-12-2026 x", "²4-12-2026"),
        *("24-12/2026", "24/12.2026", "24-12 2026", "24/12-", "d 24/12-2026"),
    ],
)
def test_what_is_no_date_or_could_be_two_is_none(text: str) -> None:
    with pytest.raises(NoDateError):
        day_in(text, DANISH)


def test_a_year_of_two_digits_is_of_this_century() -> None:
    assert day_in("1.1.99", DANISH) == date(2099, 1, 1)


def test_the_month_comes_first_only_where_the_mapping_says_so() -> None:
    assert day_in("12/24/2026", [DateForm.MONTH_FIRST]) == CHRISTMAS


def test_a_date_without_a_time_stays_a_day() -> None:
    assert moment_in("01-07-2026", DANISH) == date(2026, 7, 1)


def test_a_time_is_danish_time() -> None:
    assert moment_in("24-12-2026 kl. 14.30", DANISH) == datetime.fromisoformat("2026-12-24T13:30:00+00:00")


def test_a_time_with_an_offset_is_taken_as_it_stands() -> None:
    moment = moment_in("2026-12-24T14:30:00+02:00", [DateForm.DAY_FIRST])

    assert moment == datetime.fromisoformat("2026-12-24T12:30:00+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24 14:30:00.0000000", "2026-12-24T13:30:00+00:00"),
        ("2026-12-24 14:30:15.123", "2026-12-24T13:30:15.123+00:00"),
        ("24-12-2026 14:30:15,5", "2026-12-24T13:30:15.5+00:00"),
        ("2026-12-24T14:30:15.1234567", "2026-12-24T13:30:15.123456+00:00"),
        ("2026-12-24 14:30:00+01", "2026-12-24T13:30:00+00:00"),
        ("2026-12-24 14:30:00.0000000 +01:00", "2026-12-24T13:30:00+00:00"),
        ("2026-12-24 14:30:15.123456+00", "2026-12-24T14:30:15.123456+00:00"),
    ],
)
def test_a_time_as_databases_write_it_is_that_time(text: str, expected: str) -> None:
    assert moment_in(text, DANISH) == datetime.fromisoformat(expected)


def test_an_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    assert moment_in("25-10-2026 02:30", DANISH) == datetime.fromisoformat("2026-10-25T00:30:00+00:00")
