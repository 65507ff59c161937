"""Numbers that replace each other, as a MedCom message says them: Patient.link of FHIR.

They count from a client that was given the role ``persons`` alone, since a link joins two young people; from others
the message is taken without them. What is no number of ours, or links otherwise (refer, seealso), is passed over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.gateway.clients.clients import Role
from connectors.medcom_fhir.patients import REPLACED_BY
from connectors.person_details import PersonDetails
from connectors.vault.identities import PersonUpdate
from connectors.vault.number_links import NumberLink
from schemas.events import Person
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from connectors.gateway.clients.clients import Client
    from connectors.gateway.ports import Desk
    from connectors.medcom_fhir.outcomes import FhirTranslation


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """What a message links: for the vault, and for the ``persons`` topic."""

    stated: tuple[PersonUpdate, ...] = field(default=(), repr=False)
    links: tuple[NumberLink, ...] = ()
    events: tuple[tuple[str, Person], ...] = ()

    async def keep(self, desk: Desk) -> None:
        """Has the vault keep numbers and links, before anything is published; raises what the vault does."""
        await asyncio.to_thread(desk.identities.keep, self.stated)
        await asyncio.to_thread(desk.links.record, self.links)


def links_of(desk: Desk, client: Client, translation: FhirTranslation) -> MessageLinks:
    """Returns what a message links, youth ids allotted; nothing where its sender may not link. Blocks on the vault."""
    about = translation.events[0][1]
    if Role.PERSONS not in client.roles or about.youth_id is None:
        return MessageLinks()
    stated, links = list[PersonUpdate](), list[NumberLink]()
    seen = {(translation.details.system, translation.details.number)}
    for linked in translation.linked:
        other = linked.number
        if (other.system, other.number) in seen:
            continue
        seen.add((other.system, other.number))
        youth_id = desk.vault.youth_id(other.system, other.number)
        pair = (about.youth_id, youth_id) if linked.relation == REPLACED_BY else (youth_id, about.youth_id)
        if desk.links.leads_back(*pair):
            continue
        stated.append(PersonUpdate(youth_id, PersonDetails(other.system, other.number), about.sent_at))
        links.append(NumberLink(*pair, linked=True, occurred_at=about.occurred_at))
    events = tuple(("persons", _event(translation, link)) for link in links)
    return MessageLinks(tuple(stated), tuple(links), events)


def _event(translation: FhirTranslation, link: NumberLink) -> Person:
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
        subject=about.subject,
        linked_to=link.linked_to,
    )
