"""One letter's fault costs that letter; what is wrong with the whole is answered too, since UNB is read first."""

from __future__ import annotations

import pytest

from connectors.medcom_edi.edifact_lexer import SEGMENTS_MAX, VALUES_MAX
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import EdiRefused, EdiTranslation, InterchangeOutcome, Unreadable
from connectors.medcom_edi.translate import translate_interchange
from tests.unit.medcom_edi.builders import (
    RECORDED_AT,
    Notice,
    a_document,
    a_door,
    a_letter,
    an_interchange,
    edited,
    letters_of,
    outcome_of,
    translation_of,
)

FIRST, SECOND = Notice(), Notice(identifier="EPIC2", notification="1" * 32)
BOTH = an_interchange(FIRST, SECOND)
NAME = b"Psykiatrien:Afsnit?+1"


@pytest.mark.parametrize("sign", [b"\r\n", b"\n", b"\t", b"\x96", b"\x85", b"\x80"])
def test_a_line_break_a_tab_or_a_sign_of_windows_1252_in_a_text_costs_nothing(sign: bytes) -> None:
    body = a_letter("DIS91_1").replace(b"Venlig", b"Ven" + sign + b"lig", 1)

    assert translation_of(body).events == translation_of(a_letter("DIS91_1")).events


def test_a_sign_of_windows_1252_in_a_name_is_that_sign() -> None:
    body = edited(Notice().edifact(), "PNA+PAT+0105104840:::CPR:IM", "PNA+PAT+0105104840:::CPR:IM+++SU:Holm@+FO:Ane")

    assert translation_of(body.replace(b"@", b"\x96")).details.name == "Ane Holm\u2013"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (NAME, b"a\x01b", "control_character"),
        (NAME, b"a" * 2_000, "component_too_long"),
        (NAME, b":" * 200, "too_many_components"),
        (b"S02+02'", b"s02'", "invalid_segment"),
        (b"S02+02'", b"'", "invalid_segment"),
        (b"S02+02'", b"S02+" + b"a:" * 9_000 + b"'", "segment_too_long"),
        (b"UNT+23+EPIC394310433'", b"", "segment_missing"),
        (b"UNT+23+EPIC394310433'", b"UNT+99+EPIC394310433'", "count_mismatch"),
        (b"UNH+EPIC394310433+", b"UNH++", "element_missing"),
        (b"UNH+EPIC394310433+", b"UNH+a\x01+", "control_character"),
    ],
)
def test_a_broken_segment_costs_its_letter_alone(old: bytes, new: bytes, code: str) -> None:
    assert old in BOTH

    broken, whole = letters_of(BOTH.replace(old, new, 1))

    assert isinstance(broken, EdiRefused)
    assert broken.refusal.code == code
    assert isinstance(whole, EdiTranslation)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"UNZ+2+KUVERT1'", b"", "segment_missing"),
        (b"UNZ+2+KUVERT1'", b"UNZ+2+KUVERT1", "segment_unterminated"),
        (b"UNZ+2+KUVERT1'", b"UNZ+3+KUVERT1'", "count_mismatch"),
        (b"UNZ+2+KUVERT1'", b"UNZ+2+KUVERT2'", "reference_mismatch"),
        (b"UNZ+2+KUVERT1'", b"UNZ+2+K\x01'", "control_character"),
        (NAME, "Bj\u00f8rn".encode(), "wrong_encoding"),
        (NAME, b"'" * (SEGMENTS_MAX + 1), "too_many_segments"),
        (NAME, b":" * (VALUES_MAX + 1), "too_many_elements"),
    ],
)
def test_whoever_sent_what_is_broken_as_a_whole_is_known(old: bytes, new: bytes, code: str) -> None:
    assert old in BOTH

    outcome = translate_interchange(BOTH.replace(old, new, 1), Syntax.EDIFACT, a_door(), RECORDED_AT)

    assert isinstance(outcome, Unreadable)
    assert outcome.refusal.code == code
    assert outcome.interchange == outcome_of(BOTH).interchange


@pytest.mark.parametrize("number", ["2", "02", "0002", "00000000000002"])
def test_counts_are_numbers(number: str) -> None:
    body = BOTH.replace(b"UNZ+2+", f"UNZ+{number}+".encode()).replace(b"UNT+23+", b"UNT+000023+")

    assert outcome_of(body) == outcome_of(BOTH)


@pytest.mark.parametrize("number", ["", "+2", "2.0", "\u00b2", "two", "3"])
def test_what_is_not_the_number_is_none(number: str) -> None:
    body = BOTH.replace(b"UNZ+2+", f"UNZ+{number}+".encode("iso-8859-1"))

    assert not isinstance(outcome_of(body), InterchangeOutcome)


@pytest.mark.parametrize("padding", [b"\x1a", b"\x00", b"\x00" * 511, b"   ", b"\r\n\x1a\x1a", b" \r\n \t\x00"])
def test_what_fills_a_file_up_says_nothing(padding: bytes) -> None:
    assert outcome_of(BOTH + padding) == outcome_of(BOTH)
    assert outcome_of(Notice().oioxml() + padding) == outcome_of(Notice().oioxml())


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n", b"\xef\xbb\xbf \t\r\n"])
def test_what_stands_before_an_interchange_says_nothing(before: bytes) -> None:
    assert outcome_of(before + BOTH) == outcome_of(BOTH)


@pytest.mark.parametrize("line_end", [b"  \r\n", b"\t\n", b" ", b"\r\n\r\n", b" \n  "])
def test_blanks_before_and_after_a_line_end_say_nothing(line_end: bytes) -> None:
    assert outcome_of(BOTH.replace(b"'\n", b"'" + line_end)) == outcome_of(BOTH)


def test_a_document_whose_first_letter_repeats_its_sender_is_answered_and_the_other_letter_taken() -> None:
    sender = b"<Sender><EANIdentifier>5790002515200</EANIdentifier>"
    body = a_document(FIRST, SECOND).replace(sender, b"<Sender/>" + sender, 1)

    broken, whole = letters_of(body)

    assert isinstance(broken, EdiRefused)
    assert broken.refusal.code == "element_repeated"
    assert isinstance(whole, EdiTranslation)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"  \n", b"\n\n", b"\r\n\r\n"])
def test_a_line_end_may_end_segments(line_end: bytes) -> None:
    assert b"?'" not in BOTH
    lines = BOTH.replace(b"UNA:+.? '\n", b"UNA:+.? \n").replace(b"'\n", line_end)

    assert outcome_of(lines) == outcome_of(BOTH)
