"""Every published letter gives the events derived by hand from the standard, the same in both syntaxes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import ReceivedReceipt
from tests.unit.medcom_edi.builders import (
    GOLDEN,
    LETTERS,
    MESSAGES,
    a_letter,
    letters_of,
    outcome_of,
    refusal_of,
    translation_of,
)

# Which rule each broken file breaks, by what its author did to the admission notice that they are made of.
BROKEN = {
    "DIS20_ERROR_ENC0": ("wrong_encoding", "interchange"),  # in UTF-8
    "DIS20_ERROR_UNB0": ("element_missing", "UNB.5"),  # no number of the interchange
    "DIS20_ERROR_UNB1": ("segment_missing", "UNB"),
    "DIS20_ERROR_UNB2": ("segment_repeated", "UNB"),
    "DIS20_ERROR_UNB3": ("segment_repeated", "UNZ"),  # two interchanges
    "DIS20_ERROR_UNH0": ("element_missing", "UNH.1"),
    "DIS20_ERROR_UNH1": ("segment_missing", "UNH"),
    "DIS20_ERROR_UNH2": ("reference_mismatch", "UNT.2"),
    "DIS20_ERROR_UNT0": ("count_mismatch", "UNT.1"),
    "DIS20_ERROR_UNT1": ("segment_missing", "UNT"),
    "DIS20_ERROR_UNT2": ("reference_mismatch", "UNT.2"),
    "DIS20_ERROR_UNZ0": ("reference_mismatch", "UNZ.2"),
    "DIS20_ERROR_UNZ1": ("count_mismatch", "UNZ.1"),
    "DIS20_ERROR_UNZ2": ("reference_mismatch", "UNZ.2"),
    "DIS20_ERROR_UNZ3": ("segment_missing", "UNZ"),
    "DIS20_ERROR_XSL0": ("party_count", "S01.NAD+SOR"),  # the sender in another role
    "DIS20_ERROR_XSL1": ("unknown_code", "S11.PAS.1"),  # a patient's status that no admission notice has
    "DIS20_ERROR_XSL2": ("invalid_time", "S11.DTM.1"),  # a time in another format
    "DIS91_ERROR_XSL0": ("party_count", "S01.NAD+SSP"),  # an admission notice that says to be a correspondence
}
OTHER_TYPES = ("REF02_1", "DIS91_3")
RECEIPTS = ("CTL01_1", "CTL02_1", "CTL03_1")


@pytest.mark.parametrize("suffix", [".edi", ".xml"])
@pytest.mark.parametrize("name", LETTERS)
def test_a_published_letter_gives_the_expected_events(name: str, suffix: str) -> None:
    lines = (GOLDEN / f"{name}.expected.jsonl").read_text(encoding="utf-8").splitlines()

    events = translation_of(a_letter(name, suffix)).events

    assert [
        {"topic": topic, "key": event.youth_id, "event": event.model_dump(mode="json")} for topic, event in events
    ] == [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_the_same_letter_in_either_syntax(name: str) -> None:
    edifact, oioxml = translation_of(a_letter(name, ".edi")), translation_of(a_letter(name, ".xml"))

    assert edifact.letter_id == oioxml.letter_id
    assert edifact.content_digest == oioxml.content_digest
    assert edifact.details == oioxml.details


@pytest.mark.parametrize("name", LETTERS)
def test_an_envelope_says_the_same_in_either_syntax(name: str) -> None:
    edifact, oioxml = (outcome_of(a_letter(name, suffix)).interchange for suffix in (".edi", ".xml"))

    assert edifact is not None
    assert oioxml is not None
    assert replace(edifact, syntax=Syntax.OIOXML) == oioxml
    assert edifact.wants_positive_receipt is (name == "REF06_1")


def test_separators_that_are_the_standards_need_no_una() -> None:
    assert translation_of(a_letter("DIS20_ok_UNA")) == translation_of(a_letter("DIS20_1"))


@pytest.mark.parametrize("name", BROKEN)
def test_a_published_broken_file_is_refused_with_field_and_rule(name: str) -> None:
    refusal = refusal_of(a_letter(name))

    assert (refusal.code, refusal.field) == BROKEN[name]
    assert refusal.rule
    assert refusal.help


@pytest.mark.parametrize("suffix", [".edi", ".xml"])
@pytest.mark.parametrize("name", OTHER_TYPES)
def test_a_letter_of_another_type_is_refused_by_its_type(name: str, suffix: str) -> None:
    assert refusal_of(a_letter(name, suffix)).code == "message_type_not_taken"


@pytest.mark.parametrize("suffix", [".edi", ".xml"])
@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_is_known_as_one(name: str, suffix: str) -> None:
    assert letters_of(a_letter(name, suffix)) == (ReceivedReceipt(name[:5]),)


def test_no_expectation_and_no_file_is_an_orphan() -> None:
    expected = sorted(path.name.removesuffix(".expected.jsonl") for path in GOLDEN.glob("*.jsonl"))
    files = {path.stem for path in MESSAGES.iterdir()} - {"README"}

    assert expected == LETTERS
    assert files == {*LETTERS, *BROKEN, *OTHER_TYPES, *RECEIPTS, "DIS20_ok_UNA"}
