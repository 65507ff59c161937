"""MedCom's FHIR messages to canonical events: a pure mapping but for the vault behind ``YouthIdLookup``.

Sources: medcomdk/dk-medcom-messaging, medcomdk/MedCom-FHIR-Communication ("Reliable Messaging", "MessageHeader,
identifiers and timestamps"); each message type names its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.cpr import refuse_unborn
from connectors.medcom_fhir.acknowledgement_reading import read_acknowledgement
from connectors.medcom_fhir.bundle import Bundle, read_bundle
from connectors.medcom_fhir.care_communication import events_of_care_letter, read_care_letter
from connectors.medcom_fhir.codes import (
    ACKNOWLEDGEMENT,
    CARE_COMMUNICATION,
    EVENT_CODES,
    HOSPITAL_NOTIFICATION,
    OTHER_EVENT_CODES,
    ErrorCode,
)
from connectors.medcom_fhir.decoding import decode
from connectors.medcom_fhir.door import is_of_age
from connectors.medcom_fhir.hospital_notification import read_notification
from connectors.medcom_fhir.letters import Addressing, addressing_of, event_code
from connectors.medcom_fhir.nodes import fhir_refusal
from connectors.medcom_fhir.notification import notification_events
from connectors.medcom_fhir.outcomes import (
    FhirOutcome,
    FhirOutOfScope,
    FhirRefused,
    FhirTranslation,
    bundle_digest,
)
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_fhir.care_communication import CareLetter
    from connectors.medcom_fhir.door import FhirMappingContext
    from connectors.medcom_fhir.notification import Notification
    from connectors.medcom_fhir.patients import Patient

_TOPICS = {HOSPITAL_NOTIFICATION: "discharges", CARE_COMMUNICATION: "correspondence"}


def translate_bundle(message: bytes, door: FhirMappingContext, recorded_at: datetime) -> FhirOutcome:
    """Returns what came of a message, whatever its bytes; raises nothing but what the vault raises.

    No text in the outcome repeats a personal value. The vault is asked last, and only for a message that
    will be published.
    """
    addressing, topic = None, _TOPICS[HOSPITAL_NOTIFICATION]
    try:
        bundle = read_bundle(decode(message))
        addressing = addressing_of(bundle, door.own)
        bundle.refuse_modified()
        header = bundle.header
        code = event_code(header)
        if code == ACKNOWLEDGEMENT:
            return read_acknowledgement(bundle, header)
        if code == CARE_COMMUNICATION:
            topic = _TOPICS[code]
            return _of_care_letter(read_care_letter(bundle, header, door, recorded_at), bundle, door, recorded_at)
        _check_event_code(code)
        return _of_notification(read_notification(bundle, header, door, recorded_at), bundle, door, recorded_at)
    except RefusedError as error:
        return FhirRefused(error.refusal, addressing, topic)


def _of_notification(
    said: Notification, bundle: Bundle, door: FhirMappingContext, recorded_at: datetime
) -> FhirOutcome:
    addressing = _addressing(said, bundle)
    if not is_of_age(said.patient, door.ages, said.stay.started_at, said.occurred_at):
        refuse_unborn(said.patient.number, "Patient.identifier", recorded_at)
        return FhirOutOfScope(addressing, said.letter_id, "age")
    events = notification_events(said, _youth_id(said.patient, door), recorded_at)
    patient = said.patient
    return FhirTranslation(addressing, said.letter_id, bundle_digest(events), events, patient.details, patient.linked)


def _of_care_letter(said: CareLetter, bundle: Bundle, door: FhirMappingContext, recorded_at: datetime) -> FhirOutcome:
    addressing = _addressing(said, bundle)
    if not is_of_age(said.patient, door.ages, said.occurred_at, said.occurred_at):
        refuse_unborn(said.patient.number, "Patient.identifier", recorded_at)
        return FhirOutOfScope(addressing, said.letter_id, "age", _TOPICS[CARE_COMMUNICATION])
    events = events_of_care_letter(said, _youth_id(said.patient, door), recorded_at)
    patient, digest = said.patient, bundle_digest(events, said.said)
    return FhirTranslation(addressing, said.letter_id, digest, events, patient.details, patient.linked)


def _addressing(said: Notification | CareLetter, bundle: Bundle) -> Addressing:
    return Addressing(bundle.id, said.header_id, said.sender, said.receiver, said.link)


def _youth_id(patient: Patient, door: FhirMappingContext) -> str:
    return door.identities.youth_id(patient.number.system, patient.number.number)


def _check_event_code(code: str | None) -> None:
    path = "MessageHeader.eventCoding.code"
    if code == HOSPITAL_NOTIFICATION:
        return
    if code is None:
        raise fhir_refusal("element_missing", path, "the element is required")
    if code in OTHER_EVENT_CODES:
        raise fhir_refusal(
            ErrorCode.MESSAGE_TYPE_NOT_TAKEN,
            path,
            "this door takes HospitalNotification and CareCommunication",
            "send it to the person or system it concerns",
        )
    raise fhir_refusal(ErrorCode.NOT_IN_CODE_SYSTEM, path, f"the code is one of {EVENT_CODES}")
