"""Every rule that a message can break: the code, the place, and never a value."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from connectors.medcom_fhir.decoding import BODY_BYTES_MAX, ENTRIES_MAX
from connectors.medcom_fhir.outcomes import Refused
from tests.unit.medcom_fhir.builders import (
    Json,
    a_door,
    a_message,
    organisation,
    outcome_of,
    own_provenance,
    refusal_of,
    resources,
    the,
)

SENDER_GLN, RECEIVER_GLN = "5790000209354", "5790001348120"
Change = Callable[[Json], object]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
        (b"[]", "not_an_object"),
        (b'"Bundle"', "not_an_object"),
        ('{"a": "ø"}'.encode("latin-1"), "wrong_encoding"),
        ('{"a": "ø"}'.encode("utf-16"), "wrong_encoding"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b" " * (BODY_BYTES_MAX + 1), "body_too_large"),
        (b"{}", "not_a_bundle"),
        (b'{"resourceType": "Patient"}', "not_a_bundle"),
    ],
)
def test_bytes_that_are_no_message_are_refused_and_cannot_be_addressed(content: bytes, code: str) -> None:
    outcome = outcome_of(content)

    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == code
    assert outcome.addressing is None


def _swap(message: Json) -> None:
    message["entry"][0], message["entry"][1] = message["entry"][1], message["entry"][0]


def _drop(resource_type: str) -> Change:
    def change(message: Json) -> None:
        message["entry"] = [item for item in message["entry"] if item["resource"]["resourceType"] != resource_type]

    return change


def _number(value: str, system: str = "urn:oid:1.2.208.176.1.2") -> Change:
    return lambda message: the(message, "Patient")["identifier"].__setitem__(0, {"system": system, "value": value})


def _identifiers(gln: str, change: Callable[[list[Json]], object]) -> Change:
    return lambda message: change(organisation(message, gln)["identifier"])


def _encounter(**changes: object) -> Change:
    return lambda message: the(message, "Encounter").update(changes)


def _activity(code: object) -> Change:
    return lambda message: own_provenance(message)["activity"]["coding"][0].update(code=code)


def _event(code: str) -> Change:
    return lambda message: the(message, "MessageHeader")["eventCoding"].update(code=code)


BROKEN: list[tuple[str, Change, str, str]] = [
    ("type", lambda m: m.update(type="batch"), "MSG_VALUESET_VALUE_UNKNOWN", "Bundle.type"),
    ("id", lambda m: m.pop("id"), "element_missing", "Bundle.id"),
    ("id form", lambda m: m.update(id="a b"), "invalid_id", "Bundle.id"),
    ("timestamp", lambda m: m.pop("timestamp"), "element_missing", "Bundle.timestamp"),
    ("header order", _swap, "message_header_not_first", "Bundle.entry[0].resource"),
    ("two headers", lambda m: m["entry"].append(m["entry"][0]), "message_header_repeated", "Bundle.entry"),
    ("too many", lambda m: m["entry"].extend(m["entry"][1:2] * ENTRIES_MAX), "too_many_entries", "Bundle.entry"),
    ("event", _event("hospital-party"), "MSG_CodeSystem_VALUE_UNKNOWN", "MessageHeader.eventCoding.code"),
    (
        "no event",
        lambda m: the(m, "MessageHeader").pop("eventCoding"),
        "element_missing",
        "MessageHeader.eventCoding.code",
    ),
    (
        "care communication",
        _event("care-communication-message"),
        "MSG_RECEIVER_UNABLE_TO_RECEIVE_MSG_TYPE",
        "MessageHeader.eventCoding.code",
    ),
    ("no provenance", _drop("Provenance"), "provenance_missing", "Bundle.entry.resource.ofType(Provenance)"),
    (
        "no own provenance",
        lambda m: own_provenance(m)["target"][0].update(reference="MessageHeader/other"),
        "current_provenance_missing",
        "Provenance.target",
    ),
    (
        "two own provenances",
        lambda m: resources(m, "Provenance")[0].update(target=own_provenance(m)["target"]),
        "current_provenance_repeated",
        "Provenance.target",
    ),
    ("no patient", _drop("Patient"), "patient_count", "Bundle.entry.resource.ofType(Patient)"),
    (
        "two patients",
        lambda m: m["entry"].append(m["entry"][1]),
        "patient_count",
        "Bundle.entry.resource.ofType(Patient)",
    ),
    ("sender", lambda m: the(m, "MessageHeader").pop("sender"), "sender_identifier_missing", "MessageHeader.sender"),
    (
        "sender GLN",
        _identifiers(SENDER_GLN, lambda ids: ids.pop(0)),
        "sender_identifier_missing",
        "Organization.identifier",
    ),
    (
        "sender SOR",
        _identifiers(SENDER_GLN, lambda ids: ids.pop(1)),
        "sender_identifier_missing",
        "Organization.identifier",
    ),
    (
        "receiver",
        lambda m: the(m, "MessageHeader").pop("destination"),
        "MSG_Receiver_Identifier_MISSING",
        "MessageHeader.destination.receiver",
    ),
    (
        "receiver GLN",
        _identifiers(RECEIVER_GLN, lambda ids: ids.pop(0)),
        "MSG_Receiver_Identifier_MISSING",
        "Organization.identifier",
    ),
    (
        "receiver SOR",
        _identifiers(RECEIVER_GLN, lambda ids: ids.pop(1)),
        "MSG_Receiver_Identifier_MISSING",
        "Organization.identifier",
    ),
    (
        "GLN digits",
        _identifiers(RECEIVER_GLN, lambda ids: ids[0].update(value="5790001348121")),
        "invalid_gln",
        "Organization.identifier.value",
    ),
    (
        "not ours",
        _identifiers(RECEIVER_GLN, lambda ids: ids[1].update(value="123451000016009")),
        "MSG_Receiver_Identifier_UNKNOWN",
        "MessageHeader.destination.receiver",
    ),
    ("activity", _activity("admit-elsewhere"), "MSG_VALUESET_VALUE_UNKNOWN", "Provenance.activity.coding.code"),
    (
        "other messages' activity",
        _activity("new-message"),
        "MSG_VALUESET_VALUE_UNKNOWN",
        "Provenance.activity.coding.code",
    ),
    ("class", _encounter(**{"class": {"code": "AMB"}}), "MSG_VALUESET_VALUE_UNKNOWN", "Encounter.class.code"),
    ("no class", lambda m: the(m, "Encounter").pop("class"), "element_missing", "Encounter.class"),
    ("status", _encounter(status="planned"), "MSG_VALUESET_VALUE_UNKNOWN", "Encounter.status"),
    ("no start", lambda m: the(m, "Encounter")["period"].pop("start"), "element_missing", "Encounter.period.start"),
    ("no end", lambda m: the(m, "Encounter")["period"].pop("end"), "element_missing", "Encounter.period.end"),
    (
        "no offset",
        lambda m: the(m, "Encounter")["period"].update(end="2022-12-18T09:45:30"),
        "time_without_offset",
        "Encounter.period.end",
    ),
    (
        "date only",
        lambda m: the(m, "Encounter")["period"].update(end="2022-12-18"),
        "time_without_offset",
        "Encounter.period.end",
    ),
    (
        "30 February",
        lambda m: the(m, "Encounter")["period"].update(end="2022-02-30T09:45:30Z"),
        "invalid_time",
        "Encounter.period.end",
    ),
    (
        "year 1",
        lambda m: the(m, "Encounter")["period"].update(end="0001-01-01T00:00:00+14:00"),
        "invalid_time",
        "Encounter.period.end",
    ),
    (
        "no episode",
        lambda m: the(m, "Encounter").pop("episodeOfCare"),
        "element_missing",
        "Encounter.episodeOfCare.identifier",
    ),
    (
        "no unit",
        lambda m: the(m, "Encounter")["serviceProvider"].update(reference="Organization/none"),
        "unresolved_reference",
        "Encounter.serviceProvider.reference",
    ),
    (
        "another's stay",
        lambda m: the(m, "Encounter")["subject"].update(reference="Patient/other"),
        "unresolved_reference",
        "Encounter.subject.reference",
    ),
    ("CPR letters", _number("25094799A9"), "invalid_cpr", "Patient.identifier[0].value"),
    ("CPR hyphen", _number("250947-9989"), "invalid_cpr", "Patient.identifier[0].value"),
    ("CPR date", _number("3102109989"), "invalid_cpr", "Patient.identifier[0].value"),
    (
        "CPR as X-eCPR",
        _number("2509479989", "urn:oid:1.2.208.176.1.6.1.1"),
        "invalid_cpr",
        "Patient.identifier[0].value",
    ),
    ("X-eCPR form", _number("0703925VJ5", "urn:oid:1.2.208.176.1.6.1.1"), "invalid_cpr", "Patient.identifier[0].value"),
    ("other system", _number("2509479989", "urn:oid:1.2.3"), "MSG_VALUESET_VALUE_UNKNOWN", "Patient.identifier.system"),
    (
        "number as id",
        lambda m: the(m, "Encounter")["episodeOfCare"][0]["identifier"].update(value="250947-9989"),
        "identifier_in_id",
        "Bundle",
    ),
    (
        "deceased",
        lambda m: the(m, "Patient").update(deceasedBoolean="false"),
        "MSG_Datatype_Wrong",
        "Patient.deceasedBoolean",
    ),
    ("long text", _encounter(status="x" * 2000), "MSG_Element_To_Long", "Encounter.status"),
]


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
    own_provenance(message)["entity"][0]["what"]["reference"] = "MessageHeader/\ud800"

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
    ("name", "addressable"),
    [
        ("type", True),
        ("event", True),
        ("care communication", True),
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

    assert isinstance(outcome, Refused)
    assert (outcome.addressing is not None) is addressable


def test_a_message_without_receiver_is_not_addressed_by_a_door_without_an_organisation_of_its_own() -> None:
    message = a_message()
    the(message, "MessageHeader").pop("destination")

    outcome = outcome_of(message, a_door(answers=False))

    assert isinstance(outcome, Refused)
    assert outcome.addressing is None


def test_a_defective_acknowledgement_is_refused_and_never_acknowledged() -> None:
    message = a_message("ack-21-ok")
    the(message, "MessageHeader").pop("response")

    outcome = outcome_of(message)

    assert isinstance(outcome, Refused)
    assert outcome.addressing is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda message: message.update(timestamp="2150-01-01T00:00:00Z"), "Bundle.timestamp"),
        (
            _encounter(period={"start": "2025-12-01T10:00:00Z", "end": "2026-01-02T00:00:01Z"}),
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

    assert not isinstance(outcome_of(message), Refused)
