"""EDIFACT's own rules: separators, release characters, limits, several messages, and nothing repeated in a refusal."""

from __future__ import annotations

import pytest

from connectors.medcom_edi.edifact_lexer import (
    COMPONENT_CHARACTERS_MAX,
    COMPONENTS_MAX,
    ELEMENTS_MAX,
    SEGMENT_CHARACTERS_MAX,
    SEGMENTS_MAX,
    read_edifact_segments,
)
from connectors.medcom_edi.outcomes import EdiRefused, EdiTranslation
from connectors.medcom_edi.refusing import BODY_BYTES_MAX
from tests.unit.medcom_edi.builders import (
    Notice,
    a_letter,
    an_interchange,
    edited,
    letters_of,
    refusal_of,
    translation_of,
)


def test_una_may_name_other_separators() -> None:
    text = a_letter().decode("iso-8859-1")
    other = text.translate(str.maketrans(":+'?", "|*~!"))

    assert translation_of(other.encode("iso-8859-1")) == translation_of(a_letter())


def test_a_released_separator_is_text_and_a_released_release_character_too() -> None:
    (segment,) = read_edifact_segments(rb"FTX+a?+b?:c?'d??e+f'")

    assert segment.elements == (("a+b:c'd?e",), ("f",))


def test_una_may_say_that_there_is_no_release_character() -> None:
    (segment,) = read_edifact_segments(b"UNA:+.  'FTX+a?+b'")

    assert segment.elements == (("a?",), ("b",))


def test_text_that_looks_like_una_is_text() -> None:
    body = edited(a_letter("DIS91_1"), "Venlig hilsen", "?'UNA:+.? ?'hilsen")

    assert translation_of(body) == translation_of(a_letter("DIS91_1"))


def test_a_letter_may_stand_on_one_line() -> None:
    body = b"".join(line for line in a_letter().splitlines())

    assert translation_of(body) == translation_of(a_letter())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "segment_missing"),
        (b"UNB", "segment_unterminated"),
        (b"UNA:+", "invalid_una"),
        (b"UNA++.? 'UNB+UNOC:3'", "invalid_una"),
        (b"UNAa+.? 'UNB+UNOC:3'", "invalid_una"),
        (b"UNB+UNOA:1+1:14+2:14+250101:0101+1'", "wrong_encoding"),
        (b"unb+UNOC:3'", "invalid_segment"),
        (b"UNB+UNOC:3+a\x00'", "control_character"),
        (b"UNB+UNOC:3+a?'", "segment_unterminated"),
        ("UNB+UNOC:3+Bj\u00f8rn'".encode(), "wrong_encoding"),
        (b"UNB+" + b"a" * (COMPONENT_CHARACTERS_MAX + 1) + b"'", "component_too_long"),
        (b"UNB+" + b":" * COMPONENTS_MAX + b"'", "too_many_components"),
        (b"UNB" + b"+" * (ELEMENTS_MAX + 1) + b"'", "too_many_elements"),
        (b"UNB+" + b"a" * SEGMENT_CHARACTERS_MAX + b"'", "segment_too_long"),
        (b"UNB'" * (SEGMENTS_MAX + 1), "too_many_segments"),
        (b"U" * (BODY_BYTES_MAX + 1), "body_too_large"),
    ],
)
def test_what_is_no_interchange_is_refused_by_name(body: bytes, code: str) -> None:
    assert refusal_of(body).code == code


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("PNA+PAT+2505544840", "PNA+PAT+3102544840", "invalid_cpr", "S07.PNA.2"),
        ("PNA+PAT+2505544840", "PNA+PAT+", "element_missing", "S07.PNA.2"),
        ("S07+07'\nPNA+PAT+2505544840:::CPR:IM'\n", "", "element_missing", "S07.PNA.2"),
        ("PAS+UP'", "PAS+HS'", "unknown_code", "S11.PAS.1"),
        ("PAS+UP'", "PAS+UP'\nPAS+DE'", "segment_repeated", "S11.PAS"),
        ("DTM+90:200001242115:203'\n", "", "element_missing", "S11.DTM.1"),
        ("DTM+90:200001242115:203", "DTM+90:200002302115:203", "invalid_time", "S11.DTM.1"),
        ("DTM+90:200001242115:203", "DTM+90:20000124:102", "invalid_time", "S11.DTM.1"),
        ("DTM+137:20000124213000:204'\n", "", "element_missing", "DTM.1"),
        ("S11+11'\nGIS+N'", "S11+11'\nGIS+X'", "unknown_code", "S11.GIS.1"),
        ("S11+11'\nGIS+N'\nGIS+P'\n", "S11+11'\n", "element_missing", "S11.GIS.1"),
        ("BGM+EPI++9+NA", "BGM+EPI++1+NA", "unknown_code", "BGM.3"),
        ("BGM+EPI++9+NA'\n", "", "segment_missing", "BGM"),
        ("4202090:SKS:SST", "4202090:XYZ:SST", "unknown_code", "S01.NAD.2"),
        ("4202090:SKS:SST", ":SKS:SST", "element_missing", "S01.NAD.2"),
        ("4202090:SKS:SST", "42 20:SKS:SST", "wrong_form", "S01.NAD.2"),
        ("UNB+UNOC:3+5790000143054:14", "UNB+UNOC:3+DKKMDKMDNET:14", "invalid_gln", "UNB.2"),
        ("D1730C", "D1830C", "message_type_not_taken", "UNH.2"),
        ("D1730C", "K98100", "message_type_not_taken", "UNH.2"),
        ("RFF+REI:24681012", "RFF+REI:2468 1012", "wrong_form", "S11.RFF.1"),
    ],
)
def test_a_rule_of_the_letter_that_is_broken_is_named_with_its_segment(
    old: str, new: str, code: str, field: str
) -> None:
    lines = b"\n".join(a_letter().splitlines()).replace(b"'\n", b"'\n")

    refusal = refusal_of(edited(lines, old, new))

    assert (refusal.code, refusal.field) == (code, field)


def test_each_message_of_an_interchange_has_its_own_outcome() -> None:
    good, bad = Notice(), Notice(identifier="EPIC2", number="3102104840")
    other = Notice(kind="20", identifier="EPIC3", patient_status=("HS", "indlagt"))

    first, second, third = letters_of(an_interchange(good, bad, other))

    assert isinstance(first, EdiTranslation)
    assert isinstance(second, EdiRefused)
    assert isinstance(third, EdiTranslation)
    assert second.refusal.code == "invalid_cpr"


def test_a_release_character_that_releases_nothing_is_refused() -> None:
    body = a_letter().replace(b"UNA:+.? '", b"UNA:+.? ?").replace(b"'", b"?")

    assert refusal_of(body).code == "invalid_una"
