"""To whom a refusal is answered, and which messages are answered to nobody."""

from __future__ import annotations

import pytest

from connectors.medcom_fhir.decoding import BODY_BYTES_MAX
from connectors.medcom_fhir.outcomes import FhirRefused
from tests.unit.medcom_fhir.breaking import BROKEN
from tests.unit.medcom_fhir.builders import (
    a_door,
    a_message,
    outcome_of,
    the,
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_body"),
        (b"{", "not_json"),
        (b'{"a": NaN}', "not_a_number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
        (b"[]", "not_an_object"),
        (b'"Bundle"', "not_an_object"),
        ('{"a": "ø"}'.encode("latin-1"), "wrong_encoding"),
        ('{"a": "ø"}'.encode("utf-16"), "nul_byte"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b" " * (BODY_BYTES_MAX + 1), "body_too_large"),
        (b"{}", "not_a_bundle"),
        (b'{"resourceType": "Patient"}', "not_a_bundle"),
    ],
)
def test_bytes_that_are_no_message_are_refused_and_cannot_be_addressed(content: bytes, code: str) -> None:
    outcome = outcome_of(content)

    assert isinstance(outcome, FhirRefused)
    assert outcome.refusal.code == code
    assert outcome.addressing is None


@pytest.mark.parametrize(
    ("name", "addressable"),
    [
        ("type", True),
        ("event", True),
        ("home care observation", True),
        ("no provenance", True),
        ("header order", True),
        ("receiver", True),
        ("receiver GLN", True),
        ("sender", False),
        ("sender GLN", False),
        ("id", False),
    ],
)
def test_a_refused_message_is_addressed_unless_ids_or_sender_are_missing(name: str, addressable: bool) -> None:
    message = a_message()
    next(change for held, change, *_ in BROKEN if held == name)(message)

    outcome = outcome_of(message)

    assert isinstance(outcome, FhirRefused)
    assert (outcome.addressing is not None) is addressable


def test_a_message_without_receiver_is_not_addressed_by_a_door_without_an_organisation_of_its_own() -> None:
    message = a_message()
    the(message, "MessageHeader").pop("destination")

    outcome = outcome_of(message, a_door(answers=False))

    assert isinstance(outcome, FhirRefused)
    assert outcome.addressing is None


def test_a_defective_acknowledgement_is_refused_and_never_acknowledged() -> None:
    message = a_message("ack-21-ok")
    the(message, "MessageHeader").pop("response")

    outcome = outcome_of(message)

    assert isinstance(outcome, FhirRefused)
    assert outcome.addressing is None
