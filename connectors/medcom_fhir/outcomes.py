"""What came of a message: values, matched with ``assert_never``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.medcom_fhir.codes import ResponseCode
    from connectors.medcom_fhir.letters import Addressing
    from connectors.person_details import PersonDetails
    from schemas.events import Discharge, Person
    from schemas.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Translation:
    """A HospitalNotification and the events it becomes, each with the short name of its topic.

    ``letter_id`` tells a resubmission (same letter, new Bundle) and ``content_digest`` whether it says
    the same: it covers the events but not when the message was sent or recorded. ``details`` are for the vault.
    """

    addressing: Addressing
    letter_id: UUID
    content_digest: str
    events: tuple[tuple[str, Discharge | Person], ...]
    details: PersonDetails = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A valid message about nobody of any programme's ages: acknowledged ok, unpublished, counted."""

    addressing: Addressing
    letter_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivedAcknowledgement:
    """An Acknowledgement addressed to us: never acknowledged, answered with 202 and no body.

    ``response_identifier`` is the MessageHeader.id of what it acknowledges.
    """

    bundle_id: str
    response_identifier: str
    response_code: ResponseCode


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is not taken; ``addressing`` is None where nobody can be answered (HTTP 400)."""

    refusal: Refusal
    addressing: Addressing | None


Outcome = Translation | OutOfScope | ReceivedAcknowledgement | Refused
