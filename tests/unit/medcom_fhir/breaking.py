"""Every rule of a message, each with a change that breaks it."""

from __future__ import annotations

from collections.abc import Callable

from connectors.medcom_fhir.decoding import ENTRIES_MAX
from tests.unit.medcom_fhir.builders import (
    Json,
    organisation,
    own_provenance,
    resources,
    the,
)

SENDER_GLN, RECEIVER_GLN = "5790000209354", "5790001348120"
_ELSEWHERE = "https://fhir.example.org/StructureDefinition"
Change = Callable[[Json], object]


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


def encounter(**changes: object) -> Change:
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
    ("implicit rules", lambda m: m.update(implicitRules=_ELSEWHERE), "unknown_modifier", "Bundle.implicitRules"),
    (
        "modified stay",
        encounter(modifierExtension=[{"url": f"{_ELSEWHERE}/negated", "valueBoolean": True}]),
        "unknown_modifier",
        "Encounter.modifierExtension",
    ),
    (
        "modified patient",
        lambda m: the(m, "Patient").update(modifierExtension=[{"url": f"{_ELSEWHERE}/animal"}]),
        "unknown_modifier",
        "Patient.modifierExtension",
    ),
    (
        "own provenance of nothing",
        lambda m: own_provenance(m).pop("target"),
        "current_provenance_missing",
        "Provenance.target",
    ),
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
        "home care observation",
        _event("homecareobservation-message"),
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
    ("class", encounter(**{"class": {"code": "AMB"}}), "MSG_VALUESET_VALUE_UNKNOWN", "Encounter.class.code"),
    ("no class", lambda m: the(m, "Encounter").pop("class"), "element_missing", "Encounter.class"),
    ("status", encounter(status="planned"), "MSG_VALUESET_VALUE_UNKNOWN", "Encounter.status"),
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
    ("nobody's number", lambda m: the(m, "Patient").pop("identifier"), "element_missing", "Patient.identifier"),
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
        "Encounter.episodeOfCare.identifier",
    ),
    (
        "deceased",
        lambda m: the(m, "Patient").update(deceasedBoolean="false"),
        "MSG_Datatype_Wrong",
        "Patient.deceasedBoolean",
    ),
    ("long text", encounter(status="x" * 2000), "MSG_Element_To_Long", "Encounter.status"),
]
