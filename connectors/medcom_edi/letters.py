"""A letter, checked: what both syntaxes' fields say, or the first rule that they break."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.cpr import CPR, PersonNumber, person_number
from connectors.identifying_text import ADVICE, RULE, telling_id
from connectors.medcom_edi.codes import NOTICES, PATIENT_STATUSES, SPECIALTIES, LetterStatus, LetterType, PatientStatus
from connectors.medcom_edi.parties import Party, read_party
from connectors.medcom_edi.reading import (
    LetterTime,
    coded,
    end_of,
    episode_of_field,
    letter_time_of,
    reference_of,
    taken_type,
)
from connectors.medcom_edi.refusing import letter_refusal
from connectors.person_details import PersonDetails, detail_of
from schemas.codes import Specialty

if TYPE_CHECKING:
    from connectors.medcom_edi.fields import FieldValue, LetterFields, PatientFields

_LETTER_NUMBER_CHARACTERS_MAX = 14


@dataclass(frozen=True, slots=True)
class EdiLetter:
    """Everything that is taken from a letter; free text and diagnoses are not even read.

    ``thread`` is the number that a letter and its corrections have in common: a notice's NotificationIdentifier, else
    the letter's own. ``episode`` is None where the letter names none. ``ended`` of a discharge notice and ``started``
    of an admission notice are never None.
    """

    kind: LetterType
    identifier: str
    status: LetterStatus
    authorised: LetterTime
    thread: str
    episode: str | None
    sender: Party
    receiver: Party
    specialty: Specialty
    number: PersonNumber
    patient_status: PatientStatus | None
    started: LetterTime | None
    ended: LetterTime | None
    details: PersonDetails = field(repr=False)


def read_letter(fields: LetterFields) -> EdiLetter:
    """Returns the letter that the fields say; raises RefusedError at the first rule that is broken."""
    kind = taken_type(fields.type_code)
    identifier = reference_of(fields.identifier)
    notification = _notification(fields, kind)
    number = _number(fields.patient)
    started, ended = _period(fields, kind)
    letter = EdiLetter(
        kind=kind,
        identifier=identifier,
        status=coded(fields.status, tuple(LetterStatus)),
        authorised=letter_time_of(fields.authorised, started if kind is LetterType.ADMISSION_NOTICE else ended),
        thread=notification or identifier,
        episode=_episode(fields, kind),
        sender=read_party(fields.sender),
        receiver=read_party(fields.receiver),
        specialty=SPECIALTIES.get(fields.specialty.text or "", Specialty.UNKNOWN),
        number=number,
        patient_status=_patient_status(fields.patient_status, kind),
        started=started,
        ended=ended,
        details=_details(fields.patient, number),
    )
    _refuse_identifying_ids(fields, letter)
    return letter


def _period(fields: LetterFields, kind: LetterType) -> tuple[LetterTime | None, LetterTime | None]:
    """Returns when the stay, or the visits, began and ended; a notice tells the one that it is of."""
    is_start, is_end = kind is LetterType.ADMISSION_NOTICE, kind is LetterType.DISCHARGE_NOTICE
    started = letter_time_of(fields.started) if is_start or fields.started.text is not None else None
    ended = end_of(fields.ended, fields.authorised) if is_end or fields.ended.text is not None else None
    return started, ended


def _refuse_identifying_ids(fields: LetterFields, letter: EdiLetter) -> None:
    ids = (
        (fields.identifier, letter.identifier),
        (fields.notification, letter.thread),
        (fields.episode, letter.episode),
    )
    parties = ((party.path, party.identifier) for party in (letter.sender, letter.receiver))
    texts = [(path, held) for path, held in (*((said.path, text) for said, text in ids), *parties) if held is not None]
    if (path := telling_id(texts, letter.details)) is not None:
        raise letter_refusal("identifier_in_id", path, RULE, ADVICE)


def _notification(fields: LetterFields, kind: LetterType) -> str | None:
    return episode_of_field(fields.notification) if kind in NOTICES else None


def _episode(fields: LetterFields, kind: LetterType) -> str | None:
    """Returns the episode of care's id.

    A notice's NotificationIdentifier is that (medcomdk/dk-medcom-hospitalnotification, "Map between OIOXML Advis and
    FHIR HospitalNotification"). Older systems put a letter's number there, the first one's of a thread, which names no
    episode: a letter's number has at most 14 characters (MedCom, LetterType), an episode's id is a UUID.
    """
    if kind not in NOTICES:
        return episode_of_field(fields.episode)
    number = episode_of_field(fields.notification)
    return None if number is None or len(number) <= _LETTER_NUMBER_CHARACTERS_MAX else number


def _patient_status(said: FieldValue, kind: LetterType) -> PatientStatus | None:
    allowed = PATIENT_STATUSES.get(kind)
    if said.text is None or allowed is None:
        return None
    return coded(said, sorted(allowed))


def _number(patient: PatientFields) -> PersonNumber:
    """Returns the patient's CPR number, else the number that stands in for one."""
    said = patient.number if patient.number.text is not None else patient.alternative_number
    if said.text is None:
        raise letter_refusal("element_missing", patient.number.path, "the patient is identified by a CPR number")
    return person_number(CPR, said.text.replace("-", ""), said.path)


def _details(patient: PatientFields, number: PersonNumber) -> PersonDetails:
    name = _joined(" ", patient.given_name, patient.surname)
    place = _joined(" ", patient.postcode, patient.district)
    lines = [*(one.text for one in (patient.street, patient.suburb) if one.text), *([place] if place else [])]
    return PersonDetails(
        number.system, number.number, name, detail_of(", ".join(lines)), detail_of(patient.phone.text or "")
    )


def _joined(separator: str, *fields: FieldValue) -> str | None:
    return detail_of(separator.join(one.text for one in fields if one.text))
