"""Numbers that replace each other, as a MedCom message says them: Patient.link of FHIR, in JSON.

They count from a client that was given the role ``persons`` alone, since a link joins two young people; from others
the message is taken without them. What is no number of ours, or links otherwise (refer, seealso), is passed over.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.cpr import SYSTEMS, PersonNumber, person_number
from connectors.gateway.clients import Role
from connectors.person_details import PersonDetails
from connectors.vault.identities import Stated
from connectors.vault.number_links import Link
from schemas.events import Person
from schemas.identifiers import derived_id
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.gateway.clients import Client
    from connectors.gateway.ports import Desk
    from connectors.medcom_fhir.outcomes import Translation

_LINKS_MAX = 8
_REPLACES, _REPLACED_BY = "replaces", "replaced-by"


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """What a message links: for the vault, and for the ``persons`` topic."""

    stated: tuple[Stated, ...] = field(default=(), repr=False)
    links: tuple[Link, ...] = ()
    events: tuple[tuple[str, Person], ...] = ()

    async def keep(self, desk: Desk) -> None:
        """Has the vault keep numbers and links, before anything is published; raises what the vault does."""
        await asyncio.to_thread(desk.identities.keep, self.stated)
        await asyncio.to_thread(desk.links.record, self.links)


def links_of(desk: Desk, client: Client, translation: Translation, message: bytes) -> MessageLinks:
    """Returns what a message links, youth ids allotted; nothing where its sender may not link. Blocks on the vault."""
    about = translation.events[0][1]
    if Role.PERSONS not in client.roles or about.youth_id is None:
        return MessageLinks()
    stated, links = list[Stated](), list[Link]()
    seen = {(translation.details.system, translation.details.number)}
    for relation, other in numbers_linked(message):
        if (other.system, other.number) in seen:
            continue
        seen.add((other.system, other.number))
        youth_id = desk.vault.youth_id(other.system, other.number)
        pair = (about.youth_id, youth_id) if relation == _REPLACED_BY else (youth_id, about.youth_id)
        if desk.links.leads_back(*pair):
            continue
        stated.append(Stated(youth_id, PersonDetails(other.system, other.number), about.sent_at))
        links.append(Link(*pair, linked=True, occurred_at=about.occurred_at))
    events = tuple(("persons", _event(translation, link)) for link in links)
    return MessageLinks(tuple(stated), tuple(links), events)


def numbers_linked(message: bytes) -> Iterator[tuple[str, PersonNumber]]:
    """Yields how the patient of a Bundle is linked with which numbers; nothing where the bytes are no such Bundle."""
    try:
        bundle = json.loads(message)
    except (ValueError, RecursionError):
        return
    patients = [one for one in _resources(bundle) if one.get("resourceType") == "Patient"]
    links = [link for patient in patients for link in _objects(patient.get("link"))]
    for link in links[:_LINKS_MAX]:
        relation, other = link.get("type"), link.get("other")
        number = _number(other.get("identifier")) if isinstance(other, dict) else None
        if number is not None and isinstance(relation, str) and relation in {_REPLACES, _REPLACED_BY}:
            yield relation, number


def _number(identifier: Any) -> PersonNumber | None:
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if system not in SYSTEMS or not isinstance(value, str):
        return None
    try:
        return person_number(system, value, "Patient.link.other.identifier.value")
    except RefusedError:
        return None


def _resources(bundle: Any) -> Iterator[dict[str, Any]]:
    for entry in _objects(bundle.get("entry") if isinstance(bundle, dict) else None):
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _event(translation: Translation, link: Link) -> Person:
    about = translation.events[0][1]
    return Person(
        event_id=derived_id("message link", str(translation.letter_id), link.youth_id, link.linked_to),
        source=about.source,
        correlation_id=about.correlation_id,
        causation_id=translation.letter_id,
        occurred_at=about.occurred_at,
        sent_at=about.sent_at,
        recorded_at=about.recorded_at,
        youth_id=link.youth_id,
        statement_id=about.statement_id,
        linked_to=link.linked_to,
    )
