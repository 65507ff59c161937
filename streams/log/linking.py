"""Tells vault and log that two numbers are one person's, or not after all: what an administrator decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.person_details import PersonDetails
from connectors.vault.identities import PersonUpdate
from connectors.vault.number_links import NumberLink
from schemas.events import Person
from schemas.identifiers import derived_id
from schemas.internal import own_header
from streams.log.writing import outbound_of, write_all

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.cpr import PersonNumber
    from connectors.kafka.connection import KafkaConnection
    from connectors.vault.identities import PersonStore
    from connectors.vault.number_links import NumberLinks
    from connectors.vault.store import SqlVault

_SOURCE = "operations"


class CircularLinkError(Exception):
    """Raised where a number that was replaced would come back as the one that replaces it."""


@dataclass(frozen=True, slots=True)
class Vault:
    """The rooms of the vault that a link concerns."""

    ids: SqlVault
    identities: PersonStore
    links: NumberLinks


def link_numbers(
    connection: KafkaConnection, vault: Vault, numbers: tuple[PersonNumber, PersonNumber], at: datetime, *, linked: bool
) -> Person:
    """Returns the event that says so, once vault and broker have it: the first number was replaced by the second.

    May be repeated, and must be where it raises: VaultUnavailableError, KafkaError. Raises CircularLinkError.
    """
    replaced, by = (vault.ids.youth_id(one.system, one.number) for one in numbers)
    if linked and vault.links.leads_back(replaced, by):
        raise CircularLinkError("these numbers are linked the other way round; `brobygger persons unlink` undoes that")
    kept = zip((replaced, by), numbers, strict=True)
    vault.identities.keep([PersonUpdate(one, PersonDetails(of.system, of.number), at) for one, of in kept])
    vault.links.record([NumberLink(replaced, by, linked, at)])
    event = link_event(replaced, by, at, linked=linked)
    write_all(connection, [outbound_of("persons", event)])
    return event


def link_event(replaced: str, by: str, at: datetime, *, linked: bool) -> Person:
    """Returns the event under the replaced number's youth id."""
    what = "linked_to" if linked else "unlinked_from"
    event_id = derived_id("number link", replaced, by, what, at.isoformat())
    header = own_header(event_id, f"link {event_id}", at) | {"source": _SOURCE}
    return Person.model_validate(header | {"youth_id": replaced, what: by})
