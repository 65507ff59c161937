"""CareCommunication 5.0, written: a letter from this service to whoever wrote to it about a young person.

It says no more of the young person than the receiver has written here itself: whom it is about is told by the
receiver's own letter and episode of care, never by number or name, which nobody here may see. MedComCorePatient asks
for a name and an identifier: the name is masked (HL7 data-absent-reason), the identifier is the receiver's letter's.

Sources: medcomdk/dk-medcom-carecommunication (MedComCareCommunication, -MessageHeader, -Provenance; invariants 1-15),
medcomdk/dk-medcom-core (MedComCorePatient, -Encounter, -PractitionerRole, -Practitioner), hl7dk/dk-core (Patient).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connectors.medcom_fhir.codes import CARE_COMMUNICATION, CATEGORY_CODES
from connectors.medcom_fhir.writing import (
    Json,
    endpoint,
    entry,
    event_coding,
    narrative,
    organisation,
    primary_destination,
    provenance,
    sor_system,
)
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.medcom_fhir.organisations import Organisation

CARE_PROFILES = "http://medcomfhir.dk/ig/carecommunication/StructureDefinition"
CORE_PROFILES = "http://medcomfhir.dk/ig/core/StructureDefinition"
DEFINITION = "http://medcomfhir.dk/ig/messagedefinitions/MessageDefinition/MedComCareCommunicationMessageDefinition|5.0"
CATEGORY = "psychiatry-social-disability"
_CANONICAL = "https://medcomfhir.dk/ig/carecommunication"
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")  # people read these times
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ENCOUNTER_CLASSES = "http://medcomfhir.dk/ig/terminology/CodeSystem/medcom-core-encounter-act-codes"


@dataclass(frozen=True, slots=True)
class AnsweredMessage:
    """The receiver's own letter that this one answers: its MessageHeader.id, and the episode of care it named."""

    header_id: str
    episode: str | None


@dataclass(frozen=True, slots=True)
class ServiceOffice:
    """Who writes: the service's own organisation, its name, and the telephone number under which a person answers."""

    organisation: Organisation
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class OutgoingLetter:
    """A letter to be written. ``letter_id`` is its MessageHeader.id; those of one ``thread`` belong together."""

    letter_id: UUID
    thread: UUID
    sender: ServiceOffice
    receiver: Organisation
    topic: str
    text: str = field(repr=False)
    written_at: datetime
    answered: AnsweredMessage


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sending of a letter; the ids of its parts are derived from the letter, that of the Bundle from this too."""

    letter: OutgoingLetter
    sending: int
    at: str

    def id_of(self, part: str) -> str:
        return str(derived_id("care-letter", str(self.letter.letter_id), part))

    def urn_of(self, part: str) -> str:
        return f"urn:uuid:{self.id_of(part)}"

    def reference(self, resource_type: str, part: str) -> Json:
        identifier = self.header_id if part == "message-header" else self.id_of(part)
        return {"reference": f"{resource_type}/{identifier}"}

    @property
    def header_id(self) -> str:
        return str(self.letter.letter_id)

    @property
    def bundle_id(self) -> str:
        return self.id_of(f"bundle {self.sending}")


def build_care_letter(letter: OutgoingLetter, sending: int, at: datetime) -> Json:
    """Returns the Bundle of a letter's first, second or third sending, at that time.

    The same arguments give the same Bundle. A letter that is sent again has a new Bundle.id and new times of
    sending, and is the same otherwise (MedCom, "Reliable Messaging").
    """
    sheet = _Sheet(letter, sending, at.astimezone(_COPENHAGEN).isoformat(timespec="milliseconds"))
    resources = [
        (sheet.header_id, _header(sheet)),
        (sheet.id_of("patient"), _patient(sheet)),
        (sheet.id_of("communication"), _communication(sheet)),
        *([(sheet.id_of("encounter"), _encounter(sheet))] if letter.answered.episode else []),
        (sheet.id_of("role"), _role(sheet)),
        (sheet.id_of("practitioner"), _practitioner(sheet)),
        (sheet.id_of("sender"), organisation(sheet.id_of("sender"), letter.sender.organisation, letter.sender.name)),
        (sheet.id_of("receiver"), organisation(sheet.id_of("receiver"), letter.receiver)),
        (sheet.id_of("provenance"), _provenance(sheet)),
    ]
    return {
        "resourceType": "Bundle",
        "id": sheet.bundle_id,
        "meta": {"profile": [f"{CARE_PROFILES}/medcom-careCommunication-message"]},
        "type": "message",
        "timestamp": sheet.at,
        "entry": [entry(_CANONICAL, identifier, resource) for identifier, resource in resources],
    }


def _header(sheet: _Sheet) -> Json:
    letter = sheet.letter
    ends = endpoint(letter.receiver), endpoint(letter.sender.organisation)
    return {
        "resourceType": "MessageHeader",
        "meta": {"profile": [f"{CARE_PROFILES}/medcom-careCommunication-messageHeader"]},
        "text": narrative(sheet.header_id, CARE_COMMUNICATION, *ends, sheet.id_of("communication")),
        "eventCoding": event_coding(CARE_COMMUNICATION),
        "destination": [primary_destination(letter.receiver, sheet.reference("Organization", "receiver"))],
        "sender": sheet.reference("Organization", "sender"),
        "source": {"endpoint": ends[1]},
        "focus": [sheet.reference("Communication", "communication")],
        "definition": DEFINITION,
    }


def _patient(sheet: _Sheet) -> Json:
    answered, system = sheet.letter.answered, sor_system(sheet.letter.receiver.sor)
    masked = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
    return {
        "resourceType": "Patient",
        "meta": {"profile": [f"{CORE_PROFILES}/medcom-core-patient"]},
        "text": narrative(sheet.id_of("patient"), system, answered.header_id, "official", "masked"),
        "identifier": [{"system": system, "value": answered.header_id}],
        "name": [{"use": "official", "_family": masked}],
    }


def _communication(sheet: _Sheet) -> Json:
    letter, has_episode = sheet.letter, sheet.letter.answered.episode is not None
    thread = f"urn:uuid:{letter.thread}"
    return {
        "resourceType": "Communication",
        "meta": {"profile": [f"{CARE_PROFILES}/medcom-careCommunication-communication"]},
        "text": narrative(
            sheet.id_of("communication"), "unknown", CATEGORY, letter.topic, _written_at(sheet), letter.text
        ),
        "identifier": [{"value": thread}],
        "status": "unknown",
        "category": [{"coding": [{"system": CATEGORY_CODES, "code": CATEGORY}]}],
        "subject": sheet.reference("Patient", "patient"),
        "topic": {"text": letter.topic},
        **({"encounter": sheet.reference("Encounter", "encounter")} if has_episode else {}),
        "payload": [{"extension": _extensions(sheet), "contentString": letter.text}],
    }


def _extensions(sheet: _Sheet) -> list[Json]:
    identifier = {"value": sheet.urn_of("segment"), "assigner": sheet.reference("Organization", "sender")}
    contact = {"system": "phone", "value": sheet.letter.sender.phone}
    url = f"{CORE_PROFILES}/medcom-core"
    return [
        {"url": f"{url}-datetime-extension", "valueDateTime": _written_at(sheet)},
        {"url": f"{url}-identifier-extension", "valueIdentifier": identifier},
        {"url": f"{url}-practitioner-extension", "valueReference": sheet.reference("PractitionerRole", "role")},
        {"url": f"{url}-contact-extension", "valueContactPoint": contact},
    ]


def _written_at(sheet: _Sheet) -> str:
    return sheet.letter.written_at.astimezone(_COPENHAGEN).isoformat(timespec="seconds")


def _encounter(sheet: _Sheet) -> Json:
    episode, system = sheet.letter.answered.episode, sor_system(sheet.letter.receiver.sor)
    return {
        "resourceType": "Encounter",
        "meta": {"profile": [f"{CORE_PROFILES}/medcom-core-encounter"]},
        "text": narrative(sheet.id_of("encounter"), "unknown", "other", system, str(episode)),
        "status": "unknown",
        "class": {"system": _ENCOUNTER_CLASSES, "code": "other"},
        "subject": sheet.reference("Patient", "patient"),
        "episodeOfCare": [{"identifier": {"system": system, "value": episode}}],
    }


def _role(sheet: _Sheet) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "meta": {"profile": [f"{CORE_PROFILES}/medcom-core-practitionerrole"]},
        "text": narrative(sheet.id_of("role"), sheet.id_of("practitioner"), sheet.id_of("sender"), "automatisk besked"),
        "practitioner": sheet.reference("Practitioner", "practitioner"),
        "organization": sheet.reference("Organization", "sender"),
        "code": [{"text": "automatisk besked"}],
    }


def _practitioner(sheet: _Sheet) -> Json:
    """Returns the author, whom the guide wants by name: the service, because no person wrote the letter."""
    name = sheet.letter.sender.name
    return {
        "resourceType": "Practitioner",
        "meta": {"profile": [f"{CORE_PROFILES}/medcom-core-practitioner"]},
        "text": narrative(sheet.id_of("practitioner"), "Automatisk", name),
        "name": [{"given": ["Automatisk"], "family": name}],
    }


def _provenance(sheet: _Sheet) -> Json:
    target = sheet.reference("MessageHeader", "message-header")["reference"]
    preceding = {"reference": f"MessageHeader/{sheet.letter.answered.header_id}"}
    return {
        **provenance(f"{CARE_PROFILES}/medcom-careCommunication-provenance", target, sheet.at, "reply-message"),
        "agent": [{"who": sheet.reference("Organization", "sender")}],
        "entity": [
            {"role": "revision", "what": preceding},
            {"role": "source", "what": {"identifier": {"value": sheet.urn_of("segment")}}},
        ],
    }
