"""A municipality's odd spreadsheet: what is no statement in it, what fails, and what comes back."""

from __future__ import annotations

from connectors.municipal.failed import failed_rows
from connectors.municipal.mapping import load_mapping
from connectors.municipal.sheets import FileKind
from tests.unit.municipal.builders import LISTS, ODD, problems, read

CONTENT = (LISTS / f"{ODD}.csv").read_bytes()
MAPPING = load_mapping(LISTS / f"{ODD}.toml")


def test_an_empty_row_and_the_total_are_ignored_and_counted() -> None:
    assert read(CONTENT, MAPPING).ignored == 2


def test_it_is_found_to_be_windows_1252_with_semicolons() -> None:
    sheet = read(CONTENT, MAPPING).sheet

    assert (sheet.encoding, sheet.delimiter) == ("cp1252", ";")


def test_a_row_that_fails_is_told_by_number_column_and_rule_and_the_others_go_on() -> None:
    found = read(CONTENT.replace(b"14.08.26;Afsluttet", b"31.02.26;Skr\xe6vt"), MAPPING)

    assert [row.number for row in found.rows if row.problems] == [4]
    assert problems(found.rows[1]) == [("Startdato", "impossible_date"), ("Status", "unknown_code")]


def test_failed_rows_come_back_with_titles_names_and_reasons_in_the_sheets_own_form() -> None:
    found = read(CONTENT, MAPPING)

    kind, content = failed_rows(found, {4: "Startdato: a date exists"})

    assert kind is FileKind.CSV
    lines = content.decode("cp1252").split("\r\n")
    assert lines == [
        "Udtræk fra Børn og Unge pr. 26.11.2026;;;;;;;;",
        "CPR-nr.;Navn;;Indsats;Startdato;Status;Statusdato;Forventet slut;Bemærkninger;brobygger_reason",
        "203088882;Prøve Østergaard;;STIME;14.08.26;Afsluttet;15. november 2026;24.12.26;;Startdato: a date exists",
        "",
    ]


def test_what_came_back_can_be_sent_again_and_is_known_to_be_a_part() -> None:
    whole = read(CONTENT, MAPPING)

    part = read(failed_rows(whole, {4: "why"})[1], MAPPING)

    assert part.is_part
    assert not whole.is_part
    assert [row.form for row in part.rows] == [whole.rows[1].form]
