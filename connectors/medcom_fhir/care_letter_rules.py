"""The rules that a CareCommunication 5.0 keeps, checked on a Bundle; for tests alone.

Sources: medcomdk/dk-medcom-carecommunication (MedComCareCommunicationMessage, -MessageHeader, -Provenance,
MedComCareCommunication; invariants 1-15), medcomdk/dk-medcom-messaging, medcomdk/dk-medcom-core, hl7dk/dk-core.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.medcom_fhir.bundle import Bundle, read_bundle
from connectors.medcom_fhir.codes import CARE_COMMUNICATION
from connectors.medcom_fhir.communications import read_communication
from connectors.medcom_fhir.identifiers import resource_id
from connectors.medcom_fhir.letters import event_code, receiver_of, sender_of
from connectors.medcom_fhir.nodes import Node
from connectors.medcom_fhir.provenance import current_link, current_nodes
from connectors.medcom_fhir.times import required_time
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.medcom_fhir.writing import Json

_DEFINITION = re.compile(
    r"http://medcomfhir.dk/ig/messagedefinitions/MessageDefinition/MedComCareCommunicationMessageDefinition\|5\.\d{1,2}"
)
_URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PHONE = re.compile(r"[+]?[-0-9]+")
_EXTENSIONS = {f"medcom-core-{name}-extension" for name in ("datetime", "identifier", "practitioner", "contact")}
_PROFILES = {
    "MessageHeader": "carecommunication/StructureDefinition/medcom-careCommunication-messageHeader",
    "Provenance": "carecommunication/StructureDefinition/medcom-careCommunication-provenance",
    "Communication": "carecommunication/StructureDefinition/medcom-careCommunication-communication",
    "Patient": "core/StructureDefinition/medcom-core-patient",
    "Encounter": "core/StructureDefinition/medcom-core-encounter",
    "PractitionerRole": "core/StructureDefinition/medcom-core-practitionerrole",
    "Practitioner": "core/StructureDefinition/medcom-core-practitioner",
    "Organization": "messaging/StructureDefinition/medcom-messaging-organization",
}


def defects_of_care_letter(bundle: Json) -> tuple[str, ...]:
    """Returns every rule that a Bundle breaks as a CareCommunication 5.0, none where it is valid."""
    try:
        message = read_bundle(Node(bundle, "Bundle"))
        return tuple(_defects(message, message.header))
    except RefusedError as error:
        return (f"{error.refusal.field}: {error.refusal.rule}",)


def _defects(bundle: Bundle, header: Node) -> Iterator[str]:
    resource_id(bundle.node)
    required_time(bundle.node, "timestamp")
    if event_code(header) != CARE_COMMUNICATION:
        yield "MessageHeader.eventCoding.code: the event is care-communication-message"
    if not _DEFINITION.fullmatch(header.text("definition")):
        yield "MessageHeader.definition: version 5.x of CareCommunication's (carecommunication-definition-url)"
    if len(header.children("destination")) != 1:
        yield "MessageHeader.destination: no carbon copy"
    header.child("source").text("endpoint")
    sender_of(bundle, header), receiver_of(bundle, header)
    read_communication(bundle, header, retracts=False)
    yield from _resource_defects(bundle)
    yield from _patient_defects(bundle)
    yield from _segment_defects(bundle)
    yield from _encounter_defects(bundle)
    yield from _provenance_defects(bundle, resource_id(header))


def _resource_defects(bundle: Bundle) -> Iterator[str]:
    for resource in bundle.resources:
        resource_id(resource.node)
        profile = _PROFILES.get(resource.type)
        held = resource.node.child("meta").value.get("profile") or [""]
        if profile is None or not str(held[0]).startswith(f"http://medcomfhir.dk/ig/{profile}"):
            yield f"{resource.type}.meta.profile: its own (carecommunication-1 and -3)"
        text = resource.node.child("text")
        if text.text("status") not in {"generated", "extensions"} or "<div" not in str(text.value.get("div")):
            yield f"{resource.type}.text: a narrative"


def _patient_defects(bundle: Bundle) -> Iterator[str]:
    patients = bundle.of_type("Patient")
    if len(patients) != 1:
        yield "Bundle.entry: exactly one Patient (carecommunication-2)"
    for patient in patients:
        if not patient.children("identifier"):
            yield "Patient.identifier: at least one (dk-core-patient)"
        official = [name for name in patient.children("name") if name.optional_text("use") == "official"]
        if not official or not all("family" in name.value or "_family" in name.value for name in official):
            yield "Patient.name: an official one, with a family name or why it is absent"


def _segment_defects(bundle: Bundle) -> Iterator[str]:
    for communication in bundle.of_type("Communication"):
        for identifier in communication.children("identifier"):
            if not _URN.fullmatch(identifier.text("value")):
                yield "Communication.identifier: a urn:uuid (medcom-uuidv4)"
        for payload in communication.children("payload"):
            held = {one.text("url").rpartition("/")[2]: one for one in payload.children("extension")}
            missing = _EXTENSIONS - held.keys()
            if missing and "contentString" in payload.value:
                yield "payload.extension: a text has date, identifier, author and contact"
            if missing:
                continue
            yield from _extension_defects(bundle, held)


def _extension_defects(bundle: Bundle, held: dict[str, Node]) -> Iterator[str]:
    identifier = held["medcom-core-identifier-extension"].child("valueIdentifier")
    if not _URN.fullmatch(identifier.text("value")):
        yield "payload identifier: a urn:uuid (medcom-uuidv4)"
    bundle.resolve(identifier.child("assigner"), "Organization")
    contact = held["medcom-core-contact-extension"].child("valueContactPoint")
    if contact.text("system") != "phone" or not _PHONE.fullmatch(contact.text("value")):
        yield "payload contact: a telephone number (medcom-core-contact)"
    role = bundle.resolve(held["medcom-core-practitioner-extension"].child("valueReference"), "PractitionerRole")
    if role.optional_child("organization") is None:
        yield "PractitionerRole.organization: there (medcom-core-practitionerrole)"
    practitioner = bundle.resolve(role.child("practitioner"), "Practitioner")
    if not practitioner.children("name"):
        yield "Practitioner.name: there (carecommunication-4 and -8)"
    codes = role.children("code")
    if not codes or any(("text" in code.value) is ("coding" in code.value) for code in codes):
        yield "PractitionerRole.code: a coding or a text (carecommunication-7)"


def _encounter_defects(bundle: Bundle) -> Iterator[str]:
    referred = [one.optional_child("encounter") for one in bundle.of_type("Communication")]
    if bool(bundle.of_type("Encounter")) is not any(one is not None for one in referred):
        yield "Communication.encounter: there if and only if the Bundle has an Encounter (carecommunication-15)"
    for encounter in bundle.of_type("Encounter"):
        encounter.text("status"), encounter.child("class").text("code"), encounter.child("class").text("system")
        bundle.resolve(encounter.child("subject"), "Patient")
        for episode in encounter.children("episodeOfCare"):
            episode.child("identifier").text("system")


def _provenance_defects(bundle: Bundle, header_id: str) -> Iterator[str]:
    link = current_link(bundle, header_id)
    if (link.activity == "new-message") is (link.follows is not None):
        yield "Provenance.entity: a reply or forward names what it follows, and a new letter nothing"
    for node in current_nodes(bundle, header_id):
        required_time(node, "occurredDateTime"), required_time(node, "recorded")
        for agent in node.children("agent"):
            bundle.resolve(agent.child("who"), "Organization")
        named = [
            one.child("what").child("identifier").text("value")
            for one in node.children("entity")
            if one.text("role") == "source"
        ]
        if not named:
            yield "Provenance.entity: at least one payload"
