"""Where a list's names stand, which columns it must and may have, and which rows are statements."""

from __future__ import annotations

import pytest

from tests.unit.municipal.builders import NAMES, ROW, a_csv, a_mapping, problems, read, refused, the_row


def test_titles_and_blank_lines_above_the_names_are_passed_over() -> None:
    content = b"Udtraek;26.11.2026;;\n;;;\n" + a_csv(ROW)

    assert the_row(content).number == 4


def test_names_differ_by_capitals_and_blanks_alone() -> None:
    assert the_row(a_csv(ROW, names=(" cpr ", "SAG", "status.", "Dato"))).form is not None


def test_names_over_two_lines_are_put_together_and_merged_cells_go_on() -> None:
    content = a_csv(ROW, names=("Borger;;Forløb;\nCPR", "Sag", "Status", "Dato"))
    columns = {
        "Borger CPR": "person.cpr",
        "Borger Sag": "subject",
        "Forløb Status": "status",
        "Forløb Dato": "occurred_at",
    }

    row = the_row(content, a_mapping(columns=columns, layout={"header": [1, 2]}))

    assert (row.number, bool(row.form)) == (3, True)


def test_a_mapped_column_that_is_missing_is_named() -> None:
    assert refused(a_csv(ROW[:3], names=NAMES[:3])) == ("missing_column", "Dato")


def test_a_mapped_column_that_stands_twice_is_named() -> None:
    assert refused(a_csv((*ROW, "x"), names=(*NAMES, "dato"))) == ("duplicate_column", "Dato")


def test_an_unknown_column_is_told_by_its_place_since_its_name_may_say_anything() -> None:
    assert refused(a_csv((*ROW, "x"), names=(*NAMES, "Jens Hansen"))) == ("unknown_column", "column 5")


def test_an_unknown_column_is_taken_where_the_mapping_ignores_it_or_all() -> None:
    content = a_csv((*ROW, "x"), names=(*NAMES, "Bemærkning"))

    assert the_row(content, a_mapping(ignore=["Bemærkning"])).form is not None
    assert the_row(content, a_mapping(layout={"other_columns": "ignore"})).form is not None


def test_an_empty_column_is_no_column() -> None:
    content = a_csv((ROW[0], "", *ROW[1:]), names=(NAMES[0], "", *NAMES[1:]))

    assert the_row(content).form is not None


def test_a_row_longer_than_the_names_is_refused_and_a_shorter_one_has_empty_cells() -> None:
    found = read(a_csv((*ROW, "more"), (*ROW, ""), ROW[:3]))

    assert [problems(row) for row in found.rows] == [[(None, "row_too_long")], [], [("Dato", "missing_field")]]


@pytest.mark.parametrize("first", ["I alt", "ialt:", "TOTAL", "Sum af sager", "I alt: 12", "Antal=3"])
def test_a_total_is_no_statement(first: str) -> None:
    assert len(read(a_csv(ROW, (first, "12", "", ""))).rows) == 1


def test_a_word_that_only_begins_like_a_total_is_a_statements() -> None:
    found = read(a_csv(ROW, ("Totalrenovering", "12", "", "")))

    assert len(found.rows) == 2


def test_a_row_that_begins_like_a_total_and_has_a_number_is_a_statement() -> None:
    mapping = a_mapping(columns={"Sag": "subject", "CPR": "person.cpr", "Status": "status", "Dato": "occurred_at"})

    found = read(a_csv(("Total", *ROW[::2], ROW[3]), names=("Sag", "CPR", "Status", "Dato")), mapping)

    assert len(found.rows) == 1


REPORT = b"""Forloeb pr. 27-11-2026;;;
;;;
"CPR-
nr.";"Sag ";"Sta-
tus";Dato
010510-9996;S-1;active;01-11-2026
CPR-nr.;Sag;Status;Dato
251108-9991;S-2;active;01-11-2026
Antal borgere: 2;;;
Side 1 af 1;;;
"""
PRINTED = {"columns": {"CPR-nr.": "person.cpr", "Sag": "subject", "Status": "status", "Dato": "occurred_at"}}


def test_names_that_are_broken_over_lines_are_found_and_their_repeats_are_no_rows() -> None:
    found = read(REPORT, a_mapping(**PRINTED))

    assert [(row.number, bool(row.form)) for row in found.rows] == [(4, True), (6, True), (8, False)]
    assert (found.ignored, found.above) == (2, 1)
    assert found.rows[-1].key is None


def test_a_person_above_the_names_that_were_found_is_reported_and_known_by_nothing() -> None:
    found = read(REPORT.replace(b'"CPR-\nnr."', b"Borgerens nummer"), a_mapping(**PRINTED))

    assert [(row.number, problems(row)) for row in found.rows[:2]] == [(4, [(None, "row_above_names")]), (6, [])]
    assert (found.rows[0].key, found.above) == (None, 2)


def test_two_columns_that_differ_by_signs_alone_are_two() -> None:
    names = ("CPR", "Sag", "Sag*", "Status", "Dato")
    columns = {"CPR": "person.cpr", "Sag*": "subject", "Status": "status", "Dato": "occurred_at"}

    row = the_row(a_csv((ROW[0], "S-0", *ROW[1:]), names=names), a_mapping(columns=columns, ignore=["Sag"]))

    assert row.form is not None
    assert row.form["subject"] == "S-1"


def test_a_list_of_names_alone_has_no_rows() -> None:
    assert read(a_csv()).rows == ()
