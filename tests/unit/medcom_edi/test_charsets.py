"""A name comes out right, or its letter is refused as a contradiction, whatever transport and declaration say."""

from __future__ import annotations

import pytest

from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import EdiTranslation, InterchangeOutcome, Unreadable
from connectors.medcom_edi.translate import translate_interchange
from tests.unit.medcom_edi.builders import RECORDED_AT, Notice, a_door

NAME = "Åse Sørensen"
TOLD = [None, "utf-8", "iso-8859-1", "windows-1252"]


def _written(declared: str | None, encoding: str, name: str = NAME) -> bytes:
    given, family = name.split(" ")
    text = Notice().oioxml().decode("cp1252")
    text = text.replace(
        "</CivilRegistrationNumber>",
        f"</CivilRegistrationNumber><PersonSurnameName>{family}</PersonSurnameName>"
        f"<PersonGivenName>{given}</PersonGivenName>",
    )
    declaration = "" if declared is None else f' encoding="{declared}"'
    return text.replace(' encoding="windows-1252"', declaration).encode(encoding)


def _name_or_code(body: bytes, charset: str | None) -> str | None:
    outcome = translate_interchange(body, Syntax.OIOXML, a_door(), RECORDED_AT, charset)
    if isinstance(outcome, Unreadable):
        return outcome.refusal.code
    assert isinstance(outcome, InterchangeOutcome)
    [letter] = outcome.letters
    assert isinstance(letter, EdiTranslation)
    return letter.details.name


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("declared", TOLD)
@pytest.mark.parametrize("charset", TOLD)
def test_a_name_is_right_or_what_is_said_of_it_contradicts_itself(
    charset: str | None, declared: str | None, encoding: str
) -> None:
    told = {charset, declared} - {None}
    agrees = encoding == "utf-8" or told != {"utf-8"}

    assert _name_or_code(_written(declared, encoding), charset) == (NAME if agrees else "wrong_encoding")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_a_byte_order_mark_says_utf_8_whatever_else_is_said(mark: bytes) -> None:
    assert _name_or_code(mark + _written("iso-8859-1", "utf-8"), "windows-1252") == NAME


def test_who_says_iso_8859_1_and_means_windows_1252_is_understood() -> None:
    assert _name_or_code(_written("iso-8859-1", "cp1252", "Åse Sørensen\u2013Holm"), None) == "Åse Sørensen\u2013Holm"


@pytest.mark.parametrize("charset", ["koi8-r", "base64", ""])
def test_a_charset_that_no_letter_is_in_says_nothing(charset: str) -> None:
    assert _name_or_code(_written("windows-1252", "cp1252"), charset) == NAME
