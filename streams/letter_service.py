"""Puts the sending of letters to sources together: who writes them, and the link that each leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from connectors.medcom_fhir.care_letter_writing import ServiceOffice
from connectors.medcom_fhir.organisations import Organisation
from connectors.pages.links import ABOUT_CONSENT, LINK_TIME_MAX, ConsentLink, consent_address, links_key
from connectors.source_letters.service import LetterService, LetterSettings
from schemas.reference import load_reference
from streams.instance import connection_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from connectors.source_letters.letters import LinkOf
    from connectors.source_letters.outbox import NewLetter
    from schemas.reference import Reference
    from streams.settings import Settings


def letter_service(settings: Settings, registry: CollectorRegistry) -> LetterService | None:
    """Returns what sends notices as letters, or None where the service names no telephone that a person answers."""
    office = letter_sender_of(load_reference(settings.reference_folder))
    if office is None:
        return None
    letter_settings = LetterSettings(
        data_folder=settings.data_folder,
        kafka=connection_of(settings),
        office=office,
        link_of=links_for(settings),
        database_url=settings.letters_url,
    )
    return LetterService(letter_settings, registry)


def letter_sender_of(reference: Reference) -> ServiceOffice | None:
    """Returns who writes, or None where ``receivers.toml`` names no telephone."""
    service = reference.service
    if service.phone is None:
        return None
    return ServiceOffice(Organisation(service.sor, service.gln), service.name, service.phone)


def links_for(settings: Settings) -> LinkOf:
    """Returns what makes a letter's link: the same one whenever it is asked, good for two weeks from the notice.

    Without an address that recipients reach there are none, and the letter asks for a telephone call.
    """
    key, gateway = links_key(settings.keys_folder), settings.public_url

    def link_of(letter: NewLetter) -> str | None:
        if gateway is None or letter.kind not in ABOUT_CONSENT:
            return None
        expires_at = letter.said_at + LINK_TIME_MAX
        link = ConsentLink(UUID(letter.notice_id), UUID(letter.subject), letter.recipient, expires_at)
        return consent_address(gateway, key, link)

    return link_of
