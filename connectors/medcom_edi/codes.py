"""MedCom's codes in these letters, in OIOXML's words and EDIFACT's codes.

Source: MedCom's schemas and translations between both syntaxes, as glasdam/edifact_converter publishes them
(data/xml/Schemas/2005/08/07/ValueLists.xsd, data/xml/XSLTs/*/EDI2XML).
"""

from __future__ import annotations

import re
from enum import StrEnum

from schemas.codes import Specialty


class LetterType(StrEnum):
    """The letters that are taken, each with MedCom's Danish name."""

    HOSPITAL_REFERRAL = "REF01"  # sygehushenvisning
    SPECIALIST_REFERRAL = "REF06"  # speciallægehenvisning
    DISCHARGE_LETTER = "DIS01"  # udskrivningsepikrise
    OUTPATIENT_LETTER = "DIS02"  # ambulantepikrise
    BOOKING = "DIS13"  # bookingsvar
    DISCHARGE_NOTICE = "DIS17"  # udskrivningsadvis
    ADMISSION_NOTICE = "DIS20"  # indlæggelsesadvis
    CORRESPONDENCE = "DIS91"  # korrespondancebrev


_VERSION = re.compile(r"X?([DHC])([0-9]{2})[0-9]{2}[A-Z]")
_FAMILIES = {"D": "DIS", "H": "REF", "C": "CTL"}
RECEIPT_TYPES = frozenset({"CTL01", "CTL02", "CTL03"})
NOTICES = frozenset({LetterType.DISCHARGE_NOTICE, LetterType.ADMISSION_NOTICE})
REFERRALS = frozenset({LetterType.HOSPITAL_REFERRAL, LetterType.SPECIALIST_REFERRAL})


class LetterStatus(StrEnum):
    """Whether a letter is new, corrects one or cancels one."""

    NEW = "nytbrev"
    CORRECTED = "rettetbrev"
    CANCELLED = "annulleretbrev"


STATUS_CODES = {"N": LetterStatus.NEW, "M": LetterStatus.CORRECTED, "C": LetterStatus.CANCELLED}


class PatientStatus(StrEnum):
    """The patient's status, EpisodeOfCareStatusCode."""

    INACTIVE = "inaktiv"
    ADMITTED = "indlagt"
    OUTPATIENT = "ambulant"
    OUTPATIENT_RADIOLOGY = "ambulant_roentgen"
    DEAD = "doed"
    DISCHARGED_HOME = "udskrevet_til_hjemmet"
    DISCHARGED_ELSEWHERE = "udskrevet_til_andet"
    MOVED_TO_DEPARTMENT = "flyttet_til_sygehusafd"
    MOVED_TO_HOSPITAL = "flyttet_til_sygehus"
    NOT_TOLD = "uoplyst"


PATIENT_STATUS_CODES = {
    "POT": PatientStatus.INACTIVE,
    "HS": PatientStatus.ADMITTED,
    "HA": PatientStatus.OUTPATIENT,
    "REQ": PatientStatus.OUTPATIENT_RADIOLOGY,
    "DA": PatientStatus.DEAD,
    "DE": PatientStatus.DEAD,
    "DH": PatientStatus.DISCHARGED_HOME,
    "DX": PatientStatus.DISCHARGED_ELSEWHERE,
    "MW": PatientStatus.MOVED_TO_DEPARTMENT,
    "MH": PatientStatus.MOVED_TO_HOSPITAL,
    "UP": PatientStatus.NOT_TOLD,
}
MOVES = frozenset({PatientStatus.MOVED_TO_DEPARTMENT, PatientStatus.MOVED_TO_HOSPITAL})
_OF_LETTERS = frozenset(
    {
        PatientStatus.INACTIVE,
        PatientStatus.ADMITTED,
        PatientStatus.OUTPATIENT,
        PatientStatus.OUTPATIENT_RADIOLOGY,
        PatientStatus.DEAD,
    }
)
PATIENT_STATUSES = {
    LetterType.ADMISSION_NOTICE: frozenset({PatientStatus.ADMITTED, PatientStatus.DEAD}),
    LetterType.DISCHARGE_NOTICE: frozenset(
        {PatientStatus.DEAD, PatientStatus.DISCHARGED_HOME, PatientStatus.DISCHARGED_ELSEWHERE, PatientStatus.NOT_TOLD}
    )
    | MOVES,
    LetterType.DISCHARGE_LETTER: _OF_LETTERS,
    LetterType.OUTPATIENT_LETTER: _OF_LETTERS,
    LetterType.BOOKING: _OF_LETTERS,
    LetterType.CORRESPONDENCE: _OF_LETTERS,
}


class IdentifierCode(StrEnum):
    """Of which list an organisation's own code is; the values are how this service names it in front of a code."""

    SKS = "sks"
    PRACTICE = "ynr"
    GLN = "gln"
    MUNICIPALITY = "kom"
    SOR = "sor"


IDENTIFIER_WORDS = {
    "sygehusafdelingsnummer": IdentifierCode.SKS,
    "ydernummer": IdentifierCode.PRACTICE,
    "lokationsnummer": IdentifierCode.GLN,
    "kommunenummer": IdentifierCode.MUNICIPALITY,
    "sorkode": IdentifierCode.SOR,
}
IDENTIFIER_CODES = {
    "SKS": "sygehusafdelingsnummer",
    "YNR": "ydernummer",
    "EAN": "lokationsnummer",
    "KOM": "kommunenummer",
    "SOR": "sorkode",
}
# Hospital specialties of the Danish health register. Those of practices and whatever is newer say nothing of a unit.
_SOMATIC = {
    "1": "intern_medicin_sygehus",
    "2": "geriatri",
    "3": "hepatologi",
    "4": "haematologi",
    "5": "infektionsmedicin",
    "6": "kardiologi",
    "7": "med_allergologi",
    "8": "med_endokrinologi",
    "9": "med_gastroenterologi",
    "10": "med_lungesygdomme",
    "11": "nefrologi",
    "12": "reumatologi",
    "18": "dermato_venerologi_sygehus",
    "20": "neurologi",
    "22": "onkologi",
    "30": "kirurgi_sygehus",
    "31": "karkirurgi",
    "32": "kir_gastroenterologi",
    "33": "plastikkirurgi",
    "34": "thoraxkirurgi",
    "35": "urologi",
    "38": "gynaekologi_obstetrik_sygehus",
    "40": "neurokirurgi",
    "42": "ortopaedisk_kirurgi_sygehus",
    "44": "oftalmologi",
    "46": "oto_rhino_laryngologi",
    "48": "hospitalsodontologi",
    "60": "klin_biokemi",
    "61": "klin_fys_nuklearmedicin",
    "62": "klin_immunologi",
    "63": "klin_mikrobiologi",
    "64": "klin_neurofysiologi",
    "65": "patologisk_anatomi",
    "66": "diagnostisk_radiologi",
    "67": "klin_farmakologi",
    "68": "klin_genetik",
    "80": "paediatri_sygehus",
    "84": "anaestesiologi_sygehus",
    "86": "arbejdsmedicin",
}
SPECIALTY_CODES = _SOMATIC | {"50": "psykiatri_sygehus", "52": "boerne_ungdomspsykiatri"}
SPECIALTIES = dict.fromkeys(_SOMATIC.values(), Specialty.SOMATIC) | {
    "psykiatri_sygehus": Specialty.ADULT_PSYCHIATRY,
    "boerne_ungdomspsykiatri": Specialty.CHILD_PSYCHIATRY,
}


def letter_type(version: str) -> str | None:
    """Returns the type that a version code stands for, such as DIS17 of D1730C; None where it is no such code."""
    match = _VERSION.fullmatch(version)
    return f"{_FAMILIES[match[1]]}{match[2]}" if match else None
