"""Every rule of a CareCommunication, each with a change that breaks it."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.medcom_fhir.builders import Json, organisation, own_provenance, resources, the

RECEIVER_GLN = "5790001348120"
Change = Callable[[Json], object]


def communication(**changes: object) -> Change:
    """Returns a change of the Communication's elements; None takes one away."""

    def change(message: Json) -> None:
        for name, value in changes.items():
            if value is None:
                the(message, "Communication").pop(name)
            else:
                the(message, "Communication")[name] = value

    return change


def category(**changes: object) -> Change:
    """Returns a change of the category's coding."""
    return lambda message: the(message, "Communication")["category"][0]["coding"][0].update(changes)


def payload(change: Callable[[Json], object]) -> Change:
    """Returns a change of the first segment."""
    return lambda message: change(the(message, "Communication")["payload"][0])


def activity(code: str) -> Change:
    """Returns a change of the message's own activity."""
    return lambda message: own_provenance(message)["activity"]["coding"][0].update(code=code)


def date_extension(segment: Json) -> Json:
    """Returns a segment's extension that says when it was written."""
    return next(one for one in segment["extension"] if one["url"].endswith("datetime-extension"))


def _encounter(message: Json) -> None:
    message["entry"].append({"fullUrl": "Encounter/e1", "resource": {"resourceType": "Encounter", "id": "e1"}})
    the(message, "Communication")["encounter"] = {"reference": "Encounter/e1"}


def _two_unreferenced_encounters(message: Json) -> None:
    for number in (1, 2):
        encounter = {"resourceType": "Encounter", "id": f"e{number}", "episodeOfCare": []}
        message["entry"].append({"fullUrl": f"Encounter/e{number}", "resource": encounter})


def _drop_patient(message: Json) -> None:
    message["entry"] = [entry for entry in message["entry"] if entry["resource"]["resourceType"] != "Patient"]
    the(message, "Communication").pop("subject")


def _two_dates(segment: Json) -> None:
    segment["extension"].append({**date_extension(segment), "valueDateTime": "2024-04-01T12:00:00+02:00"})


_ATTACHMENT = {"contentType": "application/pdf", "title": "Plan"}
_PAYLOAD = "Communication.payload[0]"

BROKEN_LETTERS: list[tuple[str, Change, str, str]] = [
    ("no focus", lambda m: the(m, "MessageHeader").pop("focus"), "element_missing", "MessageHeader.focus"),
    (
        "two foci",
        lambda m: the(m, "MessageHeader")["focus"].append(the(m, "MessageHeader")["focus"][0]),
        "element_missing",
        "MessageHeader.focus",
    ),
    ("status", communication(status="completed"), "MSG_VALUESET_VALUE_UNKNOWN", "Communication.status"),
    ("no status", communication(status=None), "element_missing", "Communication.status"),
    ("taken back", communication(status="entered-in-error"), "element_missing", "MessageHeader.focus"),
    ("no subject", communication(subject=None), "element_missing", "Communication.subject"),
    (
        "another's",
        communication(subject={"reference": "Patient/other"}),
        "unresolved_reference",
        "Communication.subject.reference",
    ),
    ("no patient", _drop_patient, "element_missing", "Communication.subject"),
    ("no category", communication(category=None), "element_missing", "Communication.category"),
    ("no coding", communication(category=[{"text": "Discharge"}]), "element_missing", "Communication.category.coding"),
    (
        "two categories",
        lambda m: the(m, "Communication")["category"].append(the(m, "Communication")["category"][0]),
        "element_repeated",
        "Communication.category",
    ),
    (
        "two codings",
        lambda m: the(m, "Communication")["category"][0]["coding"].extend(
            the(m, "Communication")["category"][0]["coding"]
        ),
        "element_repeated",
        "Communication.category.coding",
    ),
    ("category", category(code="gossip"), "MSG_VALUESET_VALUE_UNKNOWN", "Communication.category.coding.code"),
    (
        "number as category",
        category(code="2509479989"),
        "MSG_VALUESET_VALUE_UNKNOWN",
        "Communication.category.coding.code",
    ),
    (
        "category system",
        category(system="urn:oid:1.2.3"),
        "MSG_CodeSystem_VALUE_UNKNOWN",
        "Communication.category.coding.system",
    ),
    ("priority", communication(priority="stat"), "MSG_VALUESET_VALUE_UNKNOWN", "Communication.priority"),
    ("not prioritised", communication(priority="asap"), "priority_not_allowed", "Communication.priority"),
    (
        "other without topic",
        lambda m: (category(code="other")(m), communication(topic=None)(m)),
        "element_missing",
        "Communication.topic.text",
    ),
    ("no identifier", communication(identifier=None), "element_missing", "Communication.identifier"),
    (
        "two identifiers",
        communication(identifier=[{"value": "urn:uuid:a"}, {"value": "urn:uuid:b"}]),
        "element_repeated",
        "Communication.identifier",
    ),
    (
        "identifier form",
        communication(identifier=[{"value": "a b"}]),
        "invalid_id",
        "Communication.identifier.value",
    ),
    (
        "number as identifier",
        communication(identifier=[{"value": "250947-9989"}]),
        "identifier_in_id",
        "Communication.identifier",
    ),
    ("no payload", communication(payload=None), "element_missing", "Communication.payload.contentString"),
    (
        "attachments alone",
        payload(lambda p: (p.pop("contentString"), p.update(contentAttachment=_ATTACHMENT))),
        "element_missing",
        "Communication.payload.contentString",
    ),
    ("no content", payload(lambda p: p.pop("contentString")), "element_missing", f"{_PAYLOAD}.content"),
    (
        "two contents",
        payload(lambda p: p.update(contentAttachment=_ATTACHMENT)),
        "element_missing",
        f"{_PAYLOAD}.content",
    ),
    ("empty text", payload(lambda p: p.update(contentString=" ")), "MSG_Datatype_Wrong", f"{_PAYLOAD}.contentString"),
    ("number as text", payload(lambda p: p.update(contentString=7)), "MSG_Datatype_Wrong", f"{_PAYLOAD}.contentString"),
    (
        "no date",
        payload(lambda p: p["extension"].remove(date_extension(p))),
        "element_missing",
        f"{_PAYLOAD}.extension",
    ),
    ("two dates", payload(_two_dates), "element_repeated", f"{_PAYLOAD}.extension"),
    (
        "date only",
        payload(lambda p: date_extension(p).update(valueDateTime="2024-05-01")),
        "time_without_offset",
        f"{_PAYLOAD}.extension[0].valueDateTime",
    ),
    ("activity", activity("retell-message"), "MSG_VALUESET_VALUE_UNKNOWN", "Provenance.activity.coding.code"),
    ("stay's activity", activity("admit-inpatient"), "MSG_VALUESET_VALUE_UNKNOWN", "Provenance.activity.coding.code"),
    ("copy", activity("carboncopy-message"), "MSG_VALUESET_VALUE_UNKNOWN", "Provenance.activity.coding.code"),
    ("reply to nothing", activity("reply-message"), "element_missing", "Provenance.entity.what.reference"),
    ("forward of nothing", activity("forward-message"), "element_missing", "Provenance.entity.what.reference"),
    ("modified nothing", activity("modified-message"), "element_missing", "Provenance.entity.what.reference"),
    ("no episode", _encounter, "element_missing", "Encounter.episodeOfCare.identifier"),
    ("two encounters", _two_unreferenced_encounters, "element_missing", "Communication.encounter"),
    (
        "not ours",
        lambda m: organisation(m, RECEIVER_GLN)["identifier"][1].update(value="123451000016009"),
        "MSG_Receiver_Identifier_UNKNOWN",
        "MessageHeader.destination.receiver",
    ),
    ("bundle time", lambda m: m.update(timestamp="2150-01-01T00:00:00Z"), "time_ahead", "Bundle.timestamp"),
    (
        "segment time",
        payload(lambda p: date_extension(p).update(valueDateTime="2150-01-01T00:00:00Z")),
        "time_ahead",
        f"{_PAYLOAD}.extension[0].valueDateTime",
    ),
    (
        "second patient",
        lambda m: m["entry"].append(
            {"fullUrl": "Patient/p2", "resource": {**resources(m, "Patient")[0], "id": "p2"}},
        ),
        "patient_count",
        "Bundle.entry.resource.ofType(Patient)",
    ),
]
