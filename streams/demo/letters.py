"""HospitalNotification 3.0 Bundles as a hospital's EPJ sends them, for the demo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.reference import Reference
    from streams.demo.people import YoungPerson

_MEDCOM = "http://medcomfhir.dk/ig"
_SOR = "urn:oid:1.2.208.176.1.1"
_GLN = "https://www.gs1.org/gln"
_CPR = "urn:oid:1.2.208.176.1.2"
_IDS = UUID("2d8c5e0e-6f1e-5b0a-9d52-0c9b6f6f4e11")
_STATUS = {
    "admit-inpatient": "in-progress",
    "revise-discharge-inpatient-home": "finished",
    "discharge-inpatient-home": "finished",
    "cancel-discharge-inpatient-home": "in-progress",
    "start-leave-inpatient": "onleave",
    "end-leave-inpatient": "in-progress",
}


@dataclass(frozen=True, slots=True)
class DemoOrganisation:
    """One party of a message."""

    sor: str
    gln: str
    name: str

    def resource(self) -> dict[str, Any]:
        """Returns the FHIR Organization."""
        identifiers = [{"system": _GLN, "value": self.gln}, {"system": _SOR, "value": self.sor}]
        return {"resourceType": "Organization", "id": f"o{self.sor}", "identifier": identifiers, "name": self.name}

    def reference(self) -> dict[str, str]:
        """Returns a reference to it."""
        return {"reference": f"Organization/o{self.sor}"}


@dataclass(slots=True)
class DemoStay:
    """A stay that is told step by step; each step is one message that retells those before it."""

    person: YoungPerson
    hospital: DemoOrganisation
    receiver: DemoOrganisation
    episode: str
    admitted_at: datetime
    _history: list[dict[str, Any]] = field(default_factory=list)
    _headers: list[str] = field(default_factory=list)

    def step(self, activity: str, at: datetime) -> dict[str, Any]:
        """Returns the message of a step that happened at a time."""
        header = str(uuid5(_IDS, f"{self.episode}|{len(self._headers)}"))
        self._history.append(self._provenance(header, activity, at))
        self._headers.append(header)
        resources = [
            self._message_header(header),
            self._patient(),
            self._encounter(activity, at),
            self.hospital.resource(),
            self.receiver.resource(),
            *self._history,
        ]
        return {
            "resourceType": "Bundle",
            "id": str(uuid5(_IDS, f"bundle|{header}")),
            "type": "message",
            "timestamp": at.isoformat(),
            "entry": [
                {"fullUrl": f"https://medcomfhir.dk/ig/{one['resourceType']}/{one['id']}", "resource": one}
                for one in resources
            ],
        }

    def _message_header(self, header: str) -> dict[str, Any]:
        use = {
            "url": f"{_MEDCOM}/messaging/StructureDefinition/medcom-messaging-destinationUseExtension",
            "valueCoding": {
                "system": f"{_MEDCOM}/terminology/CodeSystem/medcom-messaging-destinationUse",
                "code": "primary",
            },
        }
        coding = {
            "system": f"{_MEDCOM}/terminology/CodeSystem/medcom-messaging-eventCodes",
            "code": "hospital-notification-message",
        }
        endpoint = f"https://sor2.sum.dsdn.dk/#id={self.receiver.sor}"
        return {
            "resourceType": "MessageHeader",
            "id": header,
            "eventCoding": coding,
            "destination": [{"extension": [use], "endpoint": endpoint, "receiver": self.receiver.reference()}],
            "sender": self.hospital.reference(),
            "source": {"endpoint": f"https://sor2.sum.dsdn.dk/#id={self.hospital.sor}"},
            "focus": [{"reference": f"Encounter/e{self.episode}"}],
        }

    def _patient(self) -> dict[str, Any]:
        name = {"use": "official", "family": self.person.last_name, "given": [self.person.first_name]}
        identifier = [{"system": _CPR, "value": self.person.cpr}]
        return {"resourceType": "Patient", "id": "patient", "identifier": identifier, "name": [name]}

    def _encounter(self, activity: str, at: datetime) -> dict[str, Any]:
        period = {"start": self.admitted_at.isoformat()}
        if _STATUS[activity] == "finished":
            period["end"] = at.isoformat()
        identifier = {"system": f"https://sor2.sum.dsdn.dk/#id={self.hospital.sor}", "value": self.episode}
        return {
            "resourceType": "Encounter",
            "id": f"e{self.episode}",
            "status": _STATUS[activity],
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": "Patient/patient"},
            "episodeOfCare": [{"identifier": identifier}],
            "period": period,
            "serviceProvider": self.hospital.reference(),
        }

    def _provenance(self, header: str, activity: str, at: datetime) -> dict[str, Any]:
        coding = {"system": f"{_MEDCOM}/terminology/CodeSystem/medcom-messaging-activityCodes", "code": activity}
        provenance: dict[str, Any] = {
            "resourceType": "Provenance",
            "id": f"p{header}",
            "target": [{"reference": f"MessageHeader/{header}"}],
            "occurredDateTime": at.isoformat(),
            "recorded": at.isoformat(),
            "activity": {"coding": [coding]},
            "agent": [{"who": self.hospital.reference()}],
        }
        if self._headers:
            role = "removal" if activity.startswith("cancel-") else "revision"
            what = {"reference": f"MessageHeader/{self._headers[-1]}"}
            provenance["entity"] = [{"role": role, "what": what}]
        return provenance


def a_stay(
    reference: Reference, person: YoungPerson, hospital_sor: str, episode: str, admitted_at: datetime
) -> DemoStay:
    """Returns a stay at a unit, told to the home municipality; LookupError where reference data lacks either."""
    unit = reference.unit(hospital_sor)
    if unit is None or unit.gln is None:
        raise LookupError(f"units.toml: no unit {hospital_sor} with a GLN")
    fictional = [one for one in reference.receivers if one.fictional and one.municipality == person.municipality]
    if not fictional:
        raise LookupError(f"receivers.toml: no fictional receiver of municipality {person.municipality}")
    receiver = DemoOrganisation(fictional[0].sor, fictional[0].gln, fictional[0].name)
    return DemoStay(person, DemoOrganisation(unit.sor, unit.gln, unit.name), receiver, episode, admitted_at)
