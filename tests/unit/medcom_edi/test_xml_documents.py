"""OIOXML's own rules: encodings, no document types, limits, and elements that repeat or are missing."""

from __future__ import annotations

import pytest

from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import EdiRefused, EdiTranslation
from connectors.medcom_edi.xml_documents import ELEMENTS_MAX, NESTING_MAX, TEXT_CHARACTERS_MAX
from tests.unit.medcom_edi.builders import (
    Notice,
    a_document,
    a_letter,
    edited,
    letters_of,
    refusal_of,
    translation_of,
)

LAUGHS = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Emessage>&b;</Emessage>'


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252"])
def test_a_document_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = a_letter("DIS01_1", ".xml").decode("cp1252").replace("windows-1252", encoding)

    assert translation_of(text.encode(encoding)) == translation_of(a_letter("DIS01_1", ".xml"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_document_that_declares_no_encoding_is_utf8_or_windows_1252(encoding: str) -> None:
    text = a_letter("DIS01_1", ".xml").decode("cp1252").partition("?>")[2]

    assert translation_of(text.encode(encoding)) == translation_of(a_letter("DIS01_1", ".xml"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (LAUGHS, "document_type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Emessage/>', "document_type"),
        (b"<Emessage><!--<!DOCTYPE--></Emessage>", "document_type"),
        (b"<Emessage>&undefined;</Emessage>", "not_xml"),
        (b"<Emessage>", "not_xml"),
        (b"<Emessage>\x01</Emessage>", "not_xml"),
        (b"<Emessage/>", "element_missing"),
        (b"<Other/>", "wrong_document"),
        ("<Emessage/>".encode("utf-16"), "wrong_encoding"),
        (b'<?xml version="1.0" encoding="utf-16"?><Emessage/>', "wrong_encoding"),
        (b'<?xml version="1.0" encoding="utf-8"?><Emessage>\xe6</Emessage>', "wrong_encoding"),
        (b"<a>" * (NESTING_MAX + 1) + b"</a>" * (NESTING_MAX + 1), "nesting_too_deep"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "not_xml"),
        (b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>", "too_many_elements"),
    ],
)
def test_what_is_no_document_of_ours_is_refused_by_name(body: bytes, code: str) -> None:
    assert refusal_of(body, Syntax.OIOXML).code == code


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        (">2505544840<", ">3102544840<", "invalid_cpr", "NotificationOfDischarge.Patient.CivilRegistrationNumber"),
        (">uoplyst<", ">indlagt<", "unknown_code", "NotificationOfDischarge.Patient.EpisodeOfCareStatusCode"),
        (">nytbrev<", ">brev<", "unknown_code", "NotificationOfDischarge.Letter.StatusCode"),
        ("<StatusCode>nytbrev</StatusCode>", "", "element_missing", "NotificationOfDischarge.Letter.StatusCode"),
        (">XDIS17<", ">XDIS20<", "message_type_not_taken", "NotificationOfDischarge.Letter.TypeCode"),
        (
            "NotificationOfDischarge",
            "NotificationOfAdmission",
            "message_type_not_taken",
            "NotificationOfAdmission.Letter.TypeCode",
        ),
        ("21:15", "24:15", "invalid_time", "NotificationOfDischarge.Discharge"),
        ("21:15", "9:15", "invalid_time", "NotificationOfDischarge.Discharge"),
        (">kommunenummer<", ">andet<", "unknown_code", "NotificationOfDischarge.Receiver.IdentifierCode"),
        (">4202090<", "><b>4202090</b><", "wrong_form", "NotificationOfDischarge.Sender.Identifier"),
        (
            ">4202090<",
            ">" + "4" * (TEXT_CHARACTERS_MAX + 1) + "<",
            "element_too_long",
            "NotificationOfDischarge.Sender.Identifier",
        ),
        ("</Patient>", "</Patient><Patient/>", "element_repeated", "NotificationOfDischarge.Patient"),
    ],
)
def test_a_rule_of_the_letter_that_is_broken_is_named_with_its_element(
    old: str, new: str, code: str, field: str
) -> None:
    refusal = refusal_of(edited(a_letter("DIS17_1", ".xml"), old, new))

    assert (refusal.code, refusal.field) == (code, field)


def test_comments_and_instructions_say_nothing() -> None:
    body = edited(a_letter("DIS17_1", ".xml"), "<Patient>", "<!-- a --><?b c?><Patient>")

    assert translation_of(body) == translation_of(a_letter("DIS17_1", ".xml"))


def test_names_of_the_senders_own_are_not_repeated() -> None:
    body = edited(a_letter("DIS17_1", ".xml"), "NotificationOfDischarge", "HansAndersen")

    assert "HansAndersen" not in str(refusal_of(body))


def test_each_letter_of_a_document_has_its_own_outcome_and_one_of_another_sender_none_of_its_own() -> None:
    stranger = Notice(identifier="EPIC2", sender_gln="5790000143054")

    first, second = letters_of(a_document(Notice(), stranger))

    assert isinstance(first, EdiTranslation)
    assert isinstance(second, EdiRefused)
    assert second.refusal.code == "party_count"


def test_a_letter_that_names_no_sender_is_refused_and_the_others_are_taken() -> None:
    letters = a_document(Notice(identifier="EPIC2"), Notice())
    body = letters.replace(b"<Sender><EANIdentifier>5790002515200</EANIdentifier>", b"<Sender>", 1)

    first, second = letters_of(body)

    assert isinstance(first, EdiRefused)
    assert first.refusal.field == "NotificationOfDischarge.Sender.EANIdentifier"
    assert isinstance(second, EdiTranslation)
