"""Mapping files: what may stand in them, and how what may not is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.municipal.mapping import MappingError, load_mapping, mapping_from
from tests.unit.municipal.builders import LISTS, ODD, ROW, a_csv, a_mapping, the_row

COLUMNS = {"CPR": "person.cpr", "Status": "status", "Dato": "occurred_at"}


def test_a_mapping_file_is_read() -> None:
    assert load_mapping(LISTS / f"{ODD}.toml").topic == "enrolments"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"columns": COLUMNS | {"Sag": "subject", "X": "colour"}},
            "no field of a list of enrolments: colour; it has: ended_on,",
        ),
        ({"columns": COLUMNS | {"Sag": "subject", "X": "status"}}, "['status'] are filled twice"),
        ({"constants": {}}, "nothing fills programme: map a column to it, or say it once under [constants]"),
        ({"columns": {"CPR": "person.cpr", "Sag": "subject", "Status": "status"}}, "one of ['occurred_at'"),
        ({"columns": COLUMNS}, "statement names columns"),
        ({"statement": ["CPR"]}, "statement names columns"),
        ({"columns": COLUMNS, "statement": ["Sag"]}, "['Sag'] are not"),
        ({"ignore": ["CPR"]}, "a column that is ignored fills no field"),
        ({"steps": True, "mode": "snapshot"}, "a list of steps has mode changes"),
        ({"missing": {"status": "completed"}}, "only what is missing from a snapshot"),
        ({"mode": "snapshot", "missing": {"status": "gone"}}, "[missing] status is a code"),
        ({"mode": "snapshot", "missing": {}}, "either cancelled, or has a status"),
        ({"codes": {"Status": {"i gang": "aktiv"}}}, "a word stands for one of"),
        ({"codes": {"CPR": {"1": "2"}}}, "not for CPR numbers"),
        ({"constants": {"programme": "stime", "person.municipality": "Helsingør"}}, "such as 0217"),
        ({"values": {"dates": ["day_first", "month_first"]}}, "not both"),
        ({"layout": {"encoding": "ebcdic"}}, "encoding"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_a_mapping_may_not_say_is_told_with_its_rule(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*") as error:
        a_mapping(**changes)

    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [("event = ", "is not TOML"), ('event = "enrolment"\nmode = "changes"', "columns: Field required")],
)
def test_an_error_names_the_file_and_the_field(text: str, told: str) -> None:
    with pytest.raises(MappingError) as error:
        mapping_from(text, "lists/x.toml")

    assert str(error.value).startswith("lists/x.toml")
    assert told in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="can't be read"):
        load_mapping(tmp_path / "x.toml")


def test_a_list_that_does_not_tell_when_is_taken_where_the_mapping_says_so() -> None:
    row = the_row(a_csv(ROW), a_mapping(columns=COLUMNS | {"Sag": "subject", "Dato": "expected_end_on"}, undated=True))

    assert row.form is not None
    assert "occurred_at" not in row.form


@pytest.mark.parametrize(
    ("status", "told"),
    [("active", "2025-12-23T23:00:00+00:00"), ("completed", "2026-10-30T23:00:00+00:00"), ("waiting", None)],
)
def test_a_course_tells_by_its_own_dates_when_where_no_column_does(status: str, told: str | None) -> None:
    columns = {"CPR": "person.cpr", "Sag": "subject", "Status": "status", "Fra": "started_on", "Til": "ended_on"}
    row = (*ROW[:2], status, "24-12-2025", "31-10-2026")

    form = the_row(a_csv(row, names=tuple(columns)), a_mapping(columns=columns, undated=True)).form

    assert form is not None
    assert (form.get("status_at"), form.get("occurred_at")) == (told, told)


def test_each_step_of_a_statement_is_a_row_of_its_own_where_the_mapping_says_so() -> None:
    mapping = a_mapping(steps=True)

    waiting, active = (the_row(a_csv((*ROW[:2], status, ROW[3])), mapping) for status in ("waiting", "active"))

    assert waiting.key != active.key
    assert waiting.statement == active.statement
