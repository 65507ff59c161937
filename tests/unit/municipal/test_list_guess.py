"""Proposals for a mapping: right for what is known, silent about nothing."""

from __future__ import annotations

import pytest

from connectors.municipal.fields import FIELDS, REQUIRED, ListEvent
from connectors.municipal.guess import guessed
from connectors.municipal.mapping import mapping_from
from connectors.municipal.synonyms import CODES, COLUMNS
from schemas.refusals import Refusal
from tests.unit.municipal.builders import LISTS, ODD, a_csv, a_workbook, read

CONTENT = (LISTS / f"{ODD}.csv").read_bytes()
CONSTANTS = {"programme": "stime", "person.municipality": "0217"}


def proposal(content: bytes, constants: dict[str, str] | None = None) -> str:
    text = guessed(content, CONSTANTS if constants is None else constants)
    assert isinstance(text, str), text
    return text


def test_the_odd_spreadsheet_is_read_by_its_proposal_as_by_the_mapping_made_by_hand() -> None:
    by_hand = read(CONTENT, mapping_from((LISTS / f"{ODD}.toml").read_text(encoding="utf-8"), ODD))

    proposed = read(CONTENT, mapping_from(proposal(CONTENT), "proposal"))

    assert [row.form for row in proposed.rows] == [row.form for row in by_hand.rows]


def test_what_nothing_fills_is_said() -> None:
    assert '# "status" = "..."' in proposal(a_csv(names=("CPR", "Startdato")))


def test_a_consent_beside_a_referral_is_not_taken_for_its_decision() -> None:
    names = ("CPR-nummer", "Henvist fra", "Henvisningsdato", "Samtykke")

    shown = proposal(a_csv(("0105109996", "BUP", "01-11-2026", "nej"), names=names))

    assert 'ignore = ["Samtykke"]' in shown
    assert "rejected" not in shown


def test_what_nothing_fills_is_said_with_the_codes_that_it_may_have() -> None:
    assert "say here one of: waiting, active, completed" in proposal(a_csv(names=("CPR", "Startdato")))


def test_a_word_that_is_not_recognised_is_left_to_who_knows_the_list() -> None:
    content = a_csv(("0105109996", "sendt hjem", "01-11-2026"), names=("CPR", "Status", "Dato"))

    assert '# "sendt hjem" = ...' in proposal(content)


def test_names_and_remarks_are_not_repeated_from_columns_that_hold_no_codes() -> None:
    assert "Åberg" not in proposal(CONTENT)
    assert "ringer" not in proposal(CONTENT)


def test_zeros_are_taken_for_lost_only_where_no_number_has_kept_one() -> None:
    kept = a_csv(("0105109996", "x"), ("203088882", "x"), ("1112089994", "x"), names=("CPR", "Sagsnr"))
    lost = a_csv(("105109996", "x"), ("1112089994", "x"), names=("CPR", "Sagsnr"))

    assert "zero_lost" not in proposal(kept)
    assert "zero_lost = true" in proposal(lost)


@pytest.mark.parametrize(
    ("names", "event"),
    [
        (("CPR-nummer", "Samtykke", "Givet af", "Samtykkedato"), ListEvent.CONSENT),
        (("CPR", "Afsnit", "Planlagt udskrivning"), ListEvent.DISCHARGE),
        (("Personnummer", "Henvist fra", "Visitation", "Henvisningsdato"), ListEvent.REFERRAL),
        (("CPR", "Status", "Startdato"), ListEvent.ENROLMENT),
    ],
)
def test_what_a_list_is_about_is_told_by_its_names(names: tuple[str, ...], event: ListEvent) -> None:
    for content in (a_csv(("x",) * len(names), names=names), a_workbook(("x",) * len(names), names=names)):
        assert f'event = "{event}"' in proposal(content)


def test_names_over_two_lines_are_put_together_where_the_lower_ones_stand_twice() -> None:
    proposed = proposal((LISTS / "visitationsliste.xlsx").read_bytes())

    assert "header = [3, 4]" in proposed
    assert '"Borger CPR" = "person.cpr"' in proposed
    assert '"Henvisning Dato" = "occurred_at"' in proposed


def test_a_running_number_is_no_id_since_it_differs_in_every_list() -> None:
    assert '= "subject"' not in proposal(a_csv(names=("CPR", "Løbenr", "Startdato")))


def test_a_file_without_any_known_name_is_refused() -> None:
    refusal = guessed(b"a;b\n1;2\n", {})

    assert isinstance(refusal, Refusal)
    assert refusal.code == "no_header"


def test_every_synonym_is_for_a_field_and_a_code_that_there_is() -> None:
    fields = {name for known in FIELDS.values() for name in known}
    codes = {code for known in FIELDS.values() for one in known.values() for code in one.codes}

    assert COLUMNS.keys() <= fields
    assert CODES.keys() <= codes
    assert set().union(*REQUIRED.values()) <= COLUMNS.keys()
