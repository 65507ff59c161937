"""What came of a message: values, matched with ``assert_never``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.medcom_fhir.codes import ResponseCode
    from connectors.medcom_fhir.letters import Addressing
    from connectors.medcom_fhir.organisations import Organisation
    from connectors.medcom_fhir.patients import LinkedNumber
    from connectors.person_details import PersonDetails
    from schemas.events import Correspondence, Discharge, Person
    from schemas.refusals import Refusal

    Events = tuple[tuple[str, Discharge | Correspondence | Person], ...]

_NOT_CONTENT = {"sent_at", "recorded_at", "specialty", "municipality"}


@dataclass(frozen=True, slots=True)
class FhirTranslation:
    """A message and the events it becomes, each with the short name of its topic; what it states goes first.

    ``letter_id`` tells a resubmission (same letter, new Bundle) and ``content_digest`` whether it says
    the same: it covers what the letter says but not when the message was sent or recorded. ``details`` are for the
    vault, ``linked`` for who may link numbers.
    """

    addressing: Addressing
    letter_id: UUID
    content_digest: str
    events: Events
    details: PersonDetails = field(repr=False)
    linked: tuple[LinkedNumber, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FhirOutOfScope:
    """A valid message about nobody of any programme's ages: acknowledged ok, unpublished, counted by its topic."""

    addressing: Addressing
    letter_id: UUID
    reason: str
    topic: str = "discharges"


@dataclass(frozen=True, slots=True)
class ReceivedAcknowledgement:
    """An Acknowledgement addressed to us: never acknowledged, answered with 202 and no body.

    ``response_identifier`` is the MessageHeader.id of what it acknowledges. ``sender`` is who acknowledges, absent
    where the Bundle doesn't tell: such a one settles nothing.
    """

    bundle_id: str
    response_identifier: str
    response_code: ResponseCode
    sender: Organisation | None


@dataclass(frozen=True, slots=True)
class FhirRefused:
    """A message that is not taken; ``addressing`` is None where nobody can be answered (HTTP 400).

    ``topic`` is where a message of its kind would have gone.
    """

    refusal: Refusal
    addressing: Addressing | None
    topic: str = "discharges"


FhirOutcome = FhirTranslation | FhirOutOfScope | ReceivedAcknowledgement | FhirRefused


def bundle_digest(events: Events, unpublished: str = "") -> str:
    """Returns a digest of what a letter says, the same for a letter that is sent again.

    What reference data added is left out, because it may change in between. It holds the youth id,
    which is random, so that no number can be found by trying (EDPB 01/2025). ``unpublished`` is a digest of what the
    letter says beside its events.
    """
    said = [[topic, event.model_dump(mode="json", exclude=_NOT_CONTENT)] for topic, event in events]
    text = json.dumps([*said, unpublished] if unpublished else said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
