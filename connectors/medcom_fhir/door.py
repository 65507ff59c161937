"""What a door needs to take messages in, and the checks that every kind of message passes at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.ages import was_of_age
from connectors.identifying_text import ADVICE, RULE, telling_id
from connectors.medcom_fhir.nodes import fhir_refusal
from schemas.rules import CLOCK_SKEW_MAX, refuse_untimely

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from connectors.medcom_fhir.identities import YouthIdLookup
    from connectors.medcom_fhir.organisations import Organisation
    from connectors.medcom_fhir.patients import Patient
    from schemas.reference import Reference

_AHEAD_HELP = "correct the time, and the sender's clock if it is that, and send a new message"


@dataclass(frozen=True, slots=True)
class FhirMappingContext:
    """What a door needs to take messages in.

    ``ages`` are the ages, in whole years, of all programmes together. ``own`` answers for a message that
    names no receiver; without it such a message is answered with HTTP 400. ``ahead_max`` is by how much what has
    happened may lie after its receipt; None, without limit, is for where a demo sets the calendar ahead.
    """

    identities: YouthIdLookup
    reference: Reference
    ages: range
    own: Organisation | None = None
    ahead_max: timedelta | None = CLOCK_SKEW_MAX


def refuse_times_ahead(
    door: FhirMappingContext, happened: Mapping[str, datetime | None], recorded_at: datetime
) -> None:
    """Raises RefusedError for the first field whose time lies further ahead than the door allows, or a life ago."""
    if door.ahead_max is not None:
        refuse_untimely(happened, recorded_at + door.ahead_max, _AHEAD_HELP)


def refuse_identifying_ids(patient: Patient, ids: Mapping[str, str | None]) -> None:
    """Raises RefusedError where an id that would be published or logged says who somebody is. ``ids`` are by path."""
    texts = [(path, held) for path, held in ids.items() if held is not None]
    if (path := telling_id(texts, patient.details)) is not None:
        raise fhir_refusal("identifier_in_id", path, RULE, ADVICE)


def is_of_age(patient: Patient, ages: range, first_at: datetime, last_at: datetime) -> bool:
    """Returns whether the patient had one of these ages at any time between two moments."""
    return was_of_age(patient.number.birth_date, ages, first_at, last_at)
