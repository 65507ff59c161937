"""An OIOXML document, read into an interchange and the fields of its letters (MedCom's Emessage schemas)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.codes import NOTICES, LetterType, letter_type
from connectors.medcom_edi.fields import (
    UNREADABLE,
    Addressed,
    FieldValue,
    Interchange,
    LetterFields,
    PartyFields,
    PatientFields,
    Syntax,
)
from connectors.medcom_edi.reading import PARTY, REFERENCE, reference_of, taken_type
from connectors.medcom_edi.refusing import letter_refusal
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from connectors.medcom_edi.xml_documents import Element

LETTERS_MAX = 100
ROOT = "Emessage"
_NOT_LETTERS = {"Envelope", "Local_Elements"}
_NAMES = {
    "HospitalReferral": LetterType.HOSPITAL_REFERRAL,
    "PrivateSpecialistReferral": LetterType.SPECIALIST_REFERRAL,
    "DischargeLetter": LetterType.DISCHARGE_LETTER,
    "OutPatientDischargeLetter": LetterType.OUTPATIENT_LETTER,
    "BookingConfirmation": LetterType.BOOKING,
    "NotificationOfDischarge": LetterType.DISCHARGE_NOTICE,
    "NotificationOfAdmission": LetterType.ADMISSION_NOTICE,
    "ClinicalEmail": LetterType.CORRESPONDENCE,
    "NegativeVansReceipt": "CTL01",
    "NegativeReceipt": "CTL02",
    "PositiveReceipt": "CTL03",
}
_VISITS = ("OutPatientFirstVisit", "OutPatientLastVisit")
_STAY = ("Admission", "Discharge")


@dataclass(frozen=True, slots=True)
class XmlLetter:
    """One letter of a document; ``addressed`` is None where it can't be named in a receipt."""

    element: Element
    addressed: Addressed | None
    kind: str | None


def read_oioxml_header(root: Element) -> Interchange:
    """Returns who sends a document to whom: its letters' common sender and receiver.

    Raises RefusedError where it is no Emessage, or nobody could be answered.
    """
    if root.name != ROOT:
        raise letter_refusal("wrong_document", "document", f"the document is {ROOT}")
    envelope = root.child("Envelope")
    letters = _letters(root)
    first = next(filter(_names_its_parties, letters), letters[0])
    return Interchange(
        Syntax.OIOXML,
        reference_of(envelope.said("Identifier")),
        reference_of(first.said("Sender", "EANIdentifier"), PARTY),
        reference_of(first.said("Receiver", "EANIdentifier"), PARTY),
        wants_positive_receipt=envelope.said("AcknowledgementCode").text == "pluspositivkvitt",
    )


def read_letters(root: Element) -> list[XmlLetter]:
    """Returns the letters of a document; raises RefusedError where they are too many."""
    letters = _letters(root)
    if len(letters) > LETTERS_MAX:
        raise letter_refusal("too_many_messages", ROOT, f"a document has at most {LETTERS_MAX} letters")
    return [XmlLetter(letter, _addressed(letter), _NAMES.get(letter.name)) for letter in letters]


def read_oioxml_fields(letter: XmlLetter, interchange: Interchange) -> LetterFields:
    """Returns a letter's fields; raises RefusedError where elements repeat or it is another sender's than the first."""
    element, kind = letter.element, letter.kind
    head = element.child("Letter")
    version = head.said("VersionCode")
    said_type = _type(kind, head, version)
    taken_type(said_type)
    start, end = _VISITS if kind == LetterType.OUTPATIENT_LETTER else _STAY
    _check_same(interchange.sender, element.said("Sender", "EANIdentifier"))
    _check_same(interchange.receiver, element.said("Receiver", "EANIdentifier"))
    return LetterFields(
        type_code=said_type,
        version=FieldValue(None if version.text is None else version.text.removeprefix("X"), version.path),
        identifier=head.said("Identifier"),
        status=head.said("StatusCode"),
        authorised=_time(head, "Authorisation"),
        notification=head.said("NotificationIdentifier"),
        episode=head.said("NotificationIdentifier" if kind in NOTICES else "EpisodeOfCareIdentifier"),
        sender=_party(element.child("Sender")),
        receiver=_party(element.child("Receiver")),
        specialty=element.said("Sender", "MedicalSpecialityCode"),
        patient=_patient(element.child("Patient")),
        patient_status=element.said("Patient", "EpisodeOfCareStatusCode"),
        started=_time(element, start),
        ended=_time(element, end),
    )


def _names_its_parties(letter: Element) -> bool:
    try:
        return all(PARTY.fullmatch(letter.said(party, "EANIdentifier").text or "") for party in ("Sender", "Receiver"))
    except RefusedError:
        return False  # its own fault, which costs it alone


def _letters(root: Element) -> list[Element]:
    letters = [one for one in root.named_children(_NAMES) if one.name not in _NOT_LETTERS]
    if not letters:
        raise letter_refusal("element_missing", ROOT, "a document holds a letter at least")
    return letters


def _addressed(letter: Element) -> Addressed | None:
    head = letter.children("Letter")
    if len(head) != 1:
        return None
    found = [head[0].children(name) for name in ("Identifier", "VersionCode")]
    texts = [(one[0].node.text or "").strip() for one in found if len(one) == 1]
    if len(texts) != len(found) or not all(REFERENCE.fullmatch(text) for text in texts):
        return None
    return Addressed(texts[0], texts[1])


def _type(kind: str | None, head: Element, version: FieldValue) -> FieldValue:
    """Returns the type that name, version and type code agree on; where they don't, what no type is."""
    said = head.said("TypeCode")
    told = {kind, letter_type(version.text or ""), (said.text or f"X{kind}").removeprefix("X")}
    return FieldValue(kind if len(told) == 1 else UNREADABLE, said.path)


def _check_same(first: str, said: FieldValue) -> None:
    if said.text is not None and said.text != first:
        raise letter_refusal("party_count", said.path, "all letters of a document have one sender and one receiver")


def _party(element: Element) -> PartyFields:
    return PartyFields(element.said("EANIdentifier"), element.said("Identifier"), element.said("IdentifierCode"))


def _patient(element: Element) -> PatientFields:
    phones = element.children("TelephoneSubscriber")
    phones.sort(key=lambda phone: phone.said("TelephoneSubscriberCode").text != "mobil")
    number = "TelephoneSubscriberIdentifier"
    return PatientFields(
        number=element.said("CivilRegistrationNumber"),
        alternative_number=element.said("AlternativeIdentifier"),
        surname=element.said("PersonSurnameName"),
        given_name=element.said("PersonGivenName"),
        street=element.said("StreetName"),
        suburb=element.said("SuburbName"),
        district=element.said("DistrictName"),
        postcode=element.said("PostCodeIdentifier"),
        phone=phones[0].said(number) if phones else FieldValue(None, f"{element.path}.TelephoneSubscriber.{number}"),
    )


def _time(element: Element, name: str) -> FieldValue:
    """Returns a Date with its Time or TimeWithSec as one text."""
    path = f"{element.path}.{name}"
    holder = element.optional(name)
    if holder is None:
        return FieldValue(None, path)
    date, minutes, seconds = (holder.said(part).text for part in ("Date", "Time", "TimeWithSec"))
    if date is None or (minutes is None) is (seconds is None):
        return FieldValue(UNREADABLE, path)
    return FieldValue(f"{date}T{seconds or f'{minutes}:00'}", path)
