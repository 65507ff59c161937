"""What a letter means for a pathway, by its type and the patient's coded status; free text means nothing here.

| Letter | Patient status | Means |
|---|---|---|
| DIS20 admission notice | admitted, not told | admitted, at the admission's time |
| DIS17 discharge notice | home, elsewhere, not told | discharged home, at the discharge's time |
| DIS17 | moved to a department or hospital | no step, for a transfer is no discharge; a correction to it voids one |
| DIS01 discharge letter | admitted, inactive, not told | discharged home, where it has the discharge's time |
| DIS01, DIS02, DIS17, DIS20 | dead | deceased |
| REF01, REF06 referral | | a referral, active |
| everything else: DIS02, DIS13, DIS91, DIS01 of an outpatient or without discharge | | read by a person |

DIS02 says when the last visit was, not that the course has ended; DIS13 says in code only that a time is set, for what
stands in its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.codes import MOVES, REFERRALS, LetterStatus, LetterType, PatientStatus
from schemas.codes import StayClass, StayStatus

if TYPE_CHECKING:
    from connectors.medcom_edi.letters import EdiLetter
    from connectors.medcom_edi.reading import LetterTime

_OUTPATIENT = {PatientStatus.OUTPATIENT, PatientStatus.OUTPATIENT_RADIOLOGY}
_MAY_TELL_DEATH = {
    LetterType.DISCHARGE_LETTER,
    LetterType.OUTPATIENT_LETTER,
    LetterType.DISCHARGE_NOTICE,
    LetterType.ADMISSION_NOTICE,
}


@dataclass(frozen=True, slots=True)
class StayStep:
    """A step of a stay; ``voids`` where a correction says that there was no such step."""

    status: StayStatus
    stay_class: StayClass
    told: LetterTime
    voids: bool = False


@dataclass(frozen=True, slots=True)
class Referred:
    """A referral, active."""

    told: LetterTime


@dataclass(frozen=True, slots=True)
class FreeText:
    """What somebody has to read."""

    told: LetterTime


@dataclass(frozen=True, slots=True)
class Transfer:
    """A move within or between hospitals: the stay goes on, and the receiving department tells so."""

    told: LetterTime


Meaning = StayStep | Referred | FreeText | Transfer


def meaning_of(letter: EdiLetter) -> Meaning:
    """Returns what a letter means."""
    if letter.kind in REFERRALS:
        return Referred(letter.authorised)
    if letter.patient_status is PatientStatus.DEAD and letter.kind in _MAY_TELL_DEATH:
        return _death(letter)
    if letter.kind is LetterType.ADMISSION_NOTICE and letter.started is not None:
        return StayStep(StayStatus.ADMITTED, StayClass.INPATIENT, letter.started)
    if letter.kind is LetterType.DISCHARGE_NOTICE and letter.ended is not None:
        return _discharge(letter, letter.ended)
    if letter.kind is LetterType.DISCHARGE_LETTER and letter.ended and letter.patient_status not in _OUTPATIENT:
        return StayStep(StayStatus.DISCHARGED_HOME, StayClass.INPATIENT, letter.ended)
    return FreeText(letter.authorised)


def _death(letter: EdiLetter) -> StayStep:
    stay_class = StayClass.UNKNOWN if letter.kind is LetterType.OUTPATIENT_LETTER else StayClass.INPATIENT
    told = letter.started if letter.kind is LetterType.ADMISSION_NOTICE else letter.ended
    return StayStep(StayStatus.DECEASED, stay_class, told or letter.authorised)


def _discharge(letter: EdiLetter, ended: LetterTime) -> Meaning:
    if letter.patient_status not in MOVES:
        return StayStep(StayStatus.DISCHARGED_HOME, StayClass.INPATIENT, ended)
    if letter.status is LetterStatus.CORRECTED:
        return StayStep(StayStatus.DISCHARGED_HOME, StayClass.INPATIENT, ended, voids=True)
    return Transfer(ended)
