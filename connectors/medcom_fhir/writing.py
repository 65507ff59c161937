"""What every message that is written has in common: organisations, Provenances, narratives, entries.

Sources: medcomdk/dk-medcom-messaging (MedComMessagingMessageHeader, -Organization, -Provenance).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from connectors.medcom_fhir.codes import (
    ACTIVITY_CODES,
    DESTINATION_USE,
    DESTINATION_USE_CODES,
    EVENT_CODES,
    GLN,
    SOR,
)

if TYPE_CHECKING:
    from connectors.medcom_fhir.organisations import Organisation

Json = dict[str, Any]
MESSAGING_PROFILES = "http://medcomfhir.dk/ig/messaging/StructureDefinition"


def entry(canonical: str, identifier: str, resource: Json) -> Json:
    """Returns a Bundle's entry for a resource, which gets this id."""
    identified = {"resourceType": resource["resourceType"], "id": identifier, **resource}
    return {"fullUrl": f"{canonical}/{resource['resourceType']}/{identifier}", "resource": identified}


def event_coding(code: str) -> Json:
    """Returns MessageHeader.eventCoding."""
    return {"system": EVENT_CODES, "code": code}


def primary_destination(receiver: Organisation, reference: Json) -> Json:
    """Returns MessageHeader.destination of the primary receiver, whose resource ``reference`` names."""
    use = {"url": DESTINATION_USE, "valueCoding": {"system": DESTINATION_USE_CODES, "code": "primary"}}
    return {"extension": [use], "endpoint": endpoint(receiver), "receiver": reference}


def provenance(profile: str, target: str, at: str, activity: str) -> Json:
    """Returns a Provenance whose agent and entities the caller adds."""
    return {
        "resourceType": "Provenance",
        "meta": {"profile": [profile]},
        "text": narrative(target, at, activity),
        "target": [{"reference": target}],
        "occurredDateTime": at,
        "recorded": at,
        "activity": {"coding": [{"system": ACTIVITY_CODES, "code": activity}]},
    }


def organisation(identifier: str, held: Organisation, name: str | None = None) -> Json:
    """Returns an organisation that sends or receives."""
    named = {"name": name} if name else {}
    return {
        "resourceType": "Organization",
        "meta": {"profile": [f"{MESSAGING_PROFILES}/medcom-messaging-organization"]},
        "text": narrative(identifier, held.gln, held.sor, *named.values()),
        "identifier": [{"system": GLN, "value": held.gln}, {"system": SOR, "value": held.sor}],
        **named,
    }


def endpoint(held: Organisation) -> str:
    """Returns the address that MedCom's network knows an organisation by."""
    return sor_system(held.sor)


def sor_system(sor: str) -> str:
    """Returns the system of ids that an organisation makes itself (MedCom, "Episode of care identifier")."""
    return f"https://sor2.sum.dsdn.dk/#id={sor}"


def narrative(*lines: str) -> Json:
    """Returns the narrative, which MedCom requires in every resource of a message that is exchanged."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'}
