"""A message in XML says what it says in JSON, and nothing hostile in it is followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.medcom_fhir.outcomes import FhirRefused
from connectors.medcom_fhir.xml_form import ELEMENTS_MAX
from tests.unit.medcom_fhir.builders import MESSAGES, a_message, outcome_of, own_provenance, refusal_of, the
from tests.unit.medcom_fhir.test_hostile_messages import BYTE_ACTIONS, assert_right_or_refused
from tests.unit.medcom_fhir.xml_writing import xml_of

NAMES = sorted(path.stem for path in MESSAGES.glob("*.json"))
NEWS = xml_of(a_message("cc-14-new"))


@pytest.mark.parametrize("name", NAMES)
def test_a_message_in_xml_is_the_same_as_in_json(name: str) -> None:
    message = a_message(name)

    assert outcome_of(xml_of(message)) == outcome_of(message)


def test_a_published_xml_file_gives_what_its_json_gives() -> None:
    published = (MESSAGES / "cc-14-new.xml").read_bytes()

    assert outcome_of(published) == outcome_of(a_message("cc-14-new"))


def test_line_breaks_in_a_text_count_as_such() -> None:
    message = a_message("cc-14-new")
    the(message, "Communication")["payload"][0]["contentString"] = "One\nTwo\tthree & <four>"

    assert outcome_of(xml_of(message)) == outcome_of(message)


@pytest.mark.parametrize("marked", [b"\xef\xbb\xbf" + NEWS, b"\n  " + NEWS, NEWS.replace(b'encoding="UTF-8"', b"")])
def test_blanks_a_byte_order_mark_and_no_encoding_do_no_harm(marked: bytes) -> None:
    assert outcome_of(marked) == outcome_of(NEWS)


def _with(before: bytes, after: bytes) -> bytes:
    assert before in NEWS
    return NEWS.replace(before, after, 1)


BOMB = b'<!DOCTYPE Bundle [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE Bundle SYSTEM "http://127.0.0.1:1/x.dtd">'


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (_with(b"<Bundle", BOMB + b"<Bundle"), "document_type"),
        (_with(b"<Bundle", OUTSIDE + b"<Bundle"), "document_type"),
        (_with(b'<status value="unknown"/>', b"<status>&a;</status>"), "not_xml"),
        (_with(b"UTF-8", b"ISO-8859-1"), "wrong_encoding"),
        (NEWS.decode().encode("utf-16"), "nul_byte"),
        (NEWS.replace("ø".encode(), b"\xf8"), "wrong_encoding"),
        (_with(b"http://hl7.org/fhir", b"http://hl7.org/fihr"), "not_a_bundle"),
        (b"<Bundle/>", "not_a_bundle"),
        (b"<", "not_xml"),
        (NEWS[:-10], "not_xml"),
        (NEWS + NEWS, "not_xml"),
        (b'<Bundle xmlns="http://hl7.org/fhir">' + b"<a>" * 60 + b"</a>" * 60 + b"</Bundle>", "nesting_too_deep"),
        (b'<Bundle xmlns="http://hl7.org/fhir">' + b"<a/>" * ELEMENTS_MAX + b"</Bundle>", "too_many_elements"),
        (
            _with(b'<type value="message"/>', b'<type value="message"/><type value="message"/>'),
            "MSG_VALUESET_VALUE_UNKNOWN",
        ),
        (
            _with(b'<status value="unknown"/>', b'<status value="unknown"/><status value="unknown"/>'),
            "MSG_Datatype_Wrong",
        ),
    ],
)
def test_what_is_no_message_in_xml_is_refused(message: bytes, code: str) -> None:
    assert refusal_of(message).code == code


def test_what_is_in_another_namespace_is_left_out() -> None:
    message = _with(b"<Patient>", b'<Patient><x:name xmlns:x="urn:x" value="a"><y/></x:name>')

    assert outcome_of(message) == outcome_of(NEWS)


def test_truth_is_written_as_xml_writes_it() -> None:
    message = a_message("hn-07-MORS-deceased-inpatient")
    own_provenance(message)
    odd = xml_of(message).replace(b'<deceasedBoolean value="true"/>', b'<deceasedBoolean value="yes"/>')

    assert b'<deceasedBoolean value="true"/>' in xml_of(message)
    assert refusal_of(odd).field == "Patient.deceasedBoolean"


@given(
    name=st.sampled_from(NAMES),
    action=st.sampled_from(sorted(BYTE_ACTIONS)),
    bounds=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_no_change_of_a_messages_bytes_ends_in_an_exception(
    name: str, action: str, bounds: tuple[float, float]
) -> None:
    content = xml_of(a_message(name))
    first, last = sorted(int(bound * len(content)) for bound in bounds)

    assert_right_or_refused(outcome_of(BYTE_ACTIONS[action](content, first, last)))


@given(st.binary(max_size=200))
def test_no_bytes_end_in_an_exception(content: bytes) -> None:
    assert isinstance(outcome_of(b"<" + content), FhirRefused)
