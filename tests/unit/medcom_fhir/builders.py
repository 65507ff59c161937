"""Messages and doors for the tests: published Bundles, and variations of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from connectors.medcom_fhir.door import FhirMappingContext
from connectors.medcom_fhir.organisations import Organisation
from connectors.medcom_fhir.outcomes import FhirOutcome, FhirRefused, FhirTranslation
from connectors.medcom_fhir.translate import translate_bundle
from schemas.events import Correspondence, Discharge, Person
from schemas.reference import Reference, load_reference
from schemas.refusals import Refusal

ROOT = Path(__file__).parents[3]
MESSAGES = ROOT / "tests" / "messages" / "medcom-fhir"
GOLDEN = ROOT / "tests" / "golden" / "medcom_fhir"
RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)
PUBLISHED = sorted(path.stem for path in MESSAGES.glob("*.json") if not path.stem.startswith("ack"))
INVALID = frozenset(
    {
        "cc-R-Tek-M-invalid-no-segment-id",
        "cc-R-Tek-Y-invalid-no-content",
        "hn-2.0-STOR-no-leave-period",
    }
)
NOTIFICATIONS = [name for name in PUBLISHED if name.startswith("hn") and name not in INVALID]
CARE_LETTERS = [name for name in PUBLISHED if not name.startswith("hn") and name not in INVALID]
Json = dict[str, Any]


class FixedIdentities:
    """Gives every person the same youth id, and remembers who was asked for."""

    def __init__(self) -> None:
        """Starts with nobody asked for."""
        self.asked: list[tuple[str, str]] = []

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the fixed id."""
        self.asked.append((identifier_system, value))
        return "youth-0001"


@cache
def the_reference() -> Reference:
    """Returns the reference data that ships."""
    return load_reference(ROOT / "reference")


def a_door(
    ages: range = range(150), identities: FixedIdentities | None = None, *, answers: bool = True
) -> FhirMappingContext:
    """Returns a door that takes every age, unless said."""
    service = the_reference().service
    own = Organisation(service.sor, service.gln) if answers else None
    return FhirMappingContext(identities or FixedIdentities(), the_reference(), ages, own)


def a_message(name: str = "hn-06-SLHJ-discharge-home") -> Json:
    """Returns a published message, a discharge home unless said."""
    message: Json = json.loads((MESSAGES / f"{name}.json").read_text(encoding="utf-8"))
    return message


def outcome_of(message: Json | bytes, door: FhirMappingContext | None = None) -> FhirOutcome:
    """Returns what comes of a message."""
    content = message if isinstance(message, bytes) else json.dumps(message).encode()
    return translate_bundle(content, door or a_door(), RECORDED_AT)


def translation_of(message: Json, door: FhirMappingContext | None = None) -> FhirTranslation:
    """Returns the translation of a message that is taken."""
    outcome = outcome_of(message, door)
    assert isinstance(outcome, FhirTranslation), outcome
    return outcome


def discharge_of(message: Json, door: FhirMappingContext | None = None) -> Discharge:
    """Returns the discharges event of a message that is taken."""
    event = translation_of(message, door).events[0][1]
    assert isinstance(event, Discharge)
    return event


def correspondence_of(message: Json, door: FhirMappingContext | None = None) -> Correspondence:
    """Returns the correspondence event of a message that is taken."""
    event = translation_of(message, door).events[0][1]
    assert isinstance(event, Correspondence)
    return event


def rows_of(outcome: FhirOutcome) -> list[Json]:
    """Returns the lines of a golden file: the events, or the refusal."""
    if isinstance(outcome, FhirRefused):
        return [{"refused": outcome.refusal.as_dict()}]
    assert isinstance(outcome, FhirTranslation), outcome
    return [
        {"topic": topic, "key": event.youth_id, "event": event.model_dump(mode="json")}
        for topic, event in outcome.events
    ]


def person_of(message: Json, door: FhirMappingContext | None = None) -> Person:
    """Returns the persons event of a message that is taken."""
    event = translation_of(message, door).events[1][1]
    assert isinstance(event, Person)
    return event


def refusal_of(message: Json | bytes, door: FhirMappingContext | None = None) -> Refusal:
    """Returns why a message was refused."""
    outcome = outcome_of(message, door)
    assert isinstance(outcome, FhirRefused), outcome
    return outcome.refusal


def the(message: Json, resource_type: str) -> Json:
    """Returns a message's first resource of a type, for changing it in place."""
    return next(resource for resource in resources(message, resource_type))


def resources(message: Json, resource_type: str) -> list[Json]:
    """Returns a message's resources of a type."""
    return [entry["resource"] for entry in message["entry"] if entry["resource"]["resourceType"] == resource_type]


def own_provenance(message: Json) -> Json:
    """Returns the Provenance whose target is the message's header."""
    target = f"MessageHeader/{the(message, 'MessageHeader')['id']}"
    return next(item for item in resources(message, "Provenance") if item["target"][0]["reference"] == target)


def organisation(message: Json, gln: str) -> Json:
    """Returns the organisation with a GLN."""
    return next(
        item
        for item in resources(message, "Organization")
        if any(identifier["value"] == gln for identifier in item["identifier"])
    )


def a_chain(*activities: str, status: str, deceased: bool | None = None, **encounter: Any) -> Json:
    """Returns a message whose Provenances tell these activities, oldest first, the last one its own.

    ``encounter`` replaces elements of the Encounter; a cancellation takes the role removal.
    """
    message = a_message()
    template = own_provenance(message)
    message["entry"] = [entry for entry in message["entry"] if entry["resource"]["resourceType"] != "Provenance"]
    own = the(message, "MessageHeader")["id"]
    letters = [f"letter-{number}" for number in range(len(activities) - 1)] + [own]
    for number, activity in enumerate(activities):
        link = {
            **template,
            "id": f"provenance-{number}",
            "target": [{"reference": f"MessageHeader/{letters[number]}"}],
            "activity": {"coding": [{**template["activity"]["coding"][0], "code": activity}]},
        }
        link.pop("entity")
        if number:
            cancels = activity.startswith("cancel-") or (letters[number] == own and deceased is False)
            link["entity"] = [
                {
                    "role": "removal" if cancels else "revision",
                    "what": {"reference": f"MessageHeader/{letters[number - 1]}"},
                }
            ]
        url = f"https://medcomfhir.dk/ig/hospitalnotification/Provenance/{link['id']}"
        message["entry"].append({"fullUrl": url, "resource": link})
    the(message, "Encounter").update(status=status, **encounter)
    if deceased is not None:
        the(message, "Patient")["deceasedBoolean"] = deceased
    return message
