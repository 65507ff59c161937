"""Every rule that a message can break: the code, the place, and never a value."""

from __future__ import annotations

import json

import pytest

from connectors.medcom_fhir.outcomes import FhirRefused
from tests.unit.medcom_fhir.breaking import BROKEN, SENDER_GLN, Change, encounter
from tests.unit.medcom_fhir.builders import (
    a_message,
    organisation,
    outcome_of,
    own_provenance,
    refusal_of,
    the,
)


@pytest.mark.parametrize(("change", "code", "field"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
def test_a_broken_rule_is_refused_with_its_code_and_place(change: Change, code: str, field: str) -> None:
    message = a_message()
    change(message)

    refusal = refusal_of(message)

    assert (refusal.code, refusal.field) == (code, field)
    assert "2509479989" not in json.dumps(refusal.as_dict())


@pytest.mark.parametrize("activity", ["revise-discharge-inpatient-home", "cancel-discharge-inpatient-home"])
def test_a_message_that_revises_or_cancels_names_what(activity: str) -> None:
    message = a_message()
    own_provenance(message)["activity"]["coding"][0]["code"] = activity
    own_provenance(message).pop("entity")

    assert refusal_of(message).field == "Provenance.entity.what.reference"


def test_a_followed_letter_is_named_by_an_id() -> None:
    message = a_message()
    own_provenance(message)["entity"][0]["what"]["reference"] = "MessageHeader/æ"

    assert refusal_of(message).code == "invalid_id"


def test_two_organisations_under_one_id_with_different_content_are_refused_in_any_order() -> None:
    message = a_message()
    twin = json.loads(
        json.dumps(next(entry for entry in message["entry"] if entry["resource"] is organisation(message, SENDER_GLN)))
    )
    twin["resource"]["name"] = "Somewhere else"
    message["entry"].append(twin)

    assert refusal_of(message).code == "conflicting_resources"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda message: message.update(timestamp="2150-01-01T00:00:00Z"), "Bundle.timestamp"),
        (
            encounter(period={"start": "2025-12-01T10:00:00Z", "end": "2026-01-02T00:00:01Z"}),
            "Encounter.period.end",
        ),
    ],
)
def test_a_step_that_lies_more_than_a_day_after_its_receipt_is_refused(change: Change, field: str) -> None:
    message = a_message()
    change(message)

    refusal = refusal_of(message)

    assert (refusal.code, refusal.field) == ("time_ahead", field)


def test_a_step_within_a_day_of_its_receipt_is_taken() -> None:
    message = a_message()
    the(message, "Encounter")["period"] = {"start": "2025-12-01T10:00:00Z", "end": "2026-01-02T00:00:00Z"}

    assert not isinstance(outcome_of(message), FhirRefused)
