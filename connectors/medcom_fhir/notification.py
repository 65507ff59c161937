"""A HospitalNotification that has been read, and the events it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_fhir.classification import NotificationStep, RevisionMode
from connectors.sender_ids import normalised
from schemas.codes import Remark, Specialty
from schemas.events import Discharge, Person
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from connectors.medcom_fhir.organisations import Organisation
    from connectors.medcom_fhir.patients import Patient
    from connectors.medcom_fhir.provenance import ProvenanceEntry
    from connectors.medcom_fhir.stays import EncounterStay


@dataclass(frozen=True, slots=True)
class Notification:
    """Everything that a HospitalNotification says; ``named`` is the letter that it follows."""

    header_id: str
    sender: Organisation
    receiver: Organisation
    municipality: str
    sent_at: datetime
    link: ProvenanceEntry
    patient: Patient
    stay: EncounterStay
    step: NotificationStep
    occurred_at: datetime
    letter_id: UUID
    specialty: Specialty
    named: UUID | None


def notification_events(
    notification: Notification,
    youth_id: str,
    recorded_at: datetime,
) -> tuple[tuple[str, Discharge | Person], ...]:
    """Returns the ``discharges`` and the ``persons`` event of a notification, each with its topic."""
    return (
        ("discharges", _discharge(notification, youth_id, recorded_at)),
        ("persons", _person(notification, youth_id, recorded_at)),
    )


def _discharge(notification: Notification, youth_id: str, recorded_at: datetime) -> Discharge:
    step, stay = notification.step, notification.stay
    return Discharge(
        event_id=notification.letter_id,
        source=f"sor:{notification.sender.sor}",
        correlation_id=derived_id("episode", stay.episode),
        occurred_at=notification.occurred_at,
        sent_at=notification.sent_at,
        recorded_at=recorded_at,
        youth_id=youth_id,
        subject=normalised(notification.header_id),
        revises=notification.named if step.mode is RevisionMode.REVISE else None,
        cancels=notification.named if step.mode is RevisionMode.CANCEL else None,
        episode_id=stay.episode,
        status=step.stay_status,
        stay_class=step.stay_class,
        unit=stay.unit,
        specialty=notification.specialty,
        notification=step.notification,
        remarks=_remarks(notification),
        said_alive=notification.patient.deceased is False,
    )


def _person(notification: Notification, youth_id: str, recorded_at: datetime) -> Person:
    return Person(
        event_id=derived_id("person", str(notification.letter_id)),
        source=f"sor:{notification.sender.sor}",
        correlation_id=derived_id("episode", notification.stay.episode),
        occurred_at=notification.occurred_at,
        sent_at=notification.sent_at,
        recorded_at=recorded_at,
        youth_id=youth_id,
        subject=normalised(notification.header_id),
        birth_date=notification.patient.number.birth_date,
        municipality=notification.municipality,
        protected=notification.patient.protected,
    )


def _remarks(notification: Notification) -> tuple[Remark, ...]:
    remarks = []
    if not notification.step.consistent:
        remarks.append(Remark.INCONSISTENT_STATUS)
    if notification.patient.number.is_replacement:
        remarks.append(Remark.NONSTANDARD_IDENTIFIER)
    return tuple(remarks)
