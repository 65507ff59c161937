"""A message's segments, read into a letter's fields.

MedCom's messages are groups, each opened by a trigger segment (S01 a party, S02 the letter, S05 a referral, S07 the
patient, S11 the contact). Where a field stands is MedCom's own translation to OIOXML
(glasdam/edifact_converter, data/xml/XSLTs/*/EDI2XML).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.medcom_edi.codes import (
    IDENTIFIER_CODES,
    NOTICES,
    PATIENT_STATUS_CODES,
    SPECIALTY_CODES,
    STATUS_CODES,
    LetterType,
    letter_type,
)
from connectors.medcom_edi.fields import UNREADABLE, FieldValue, LetterFields, PartyFields, PatientFields
from connectors.medcom_edi.reading import taken_type
from connectors.medcom_edi.refusing import letter_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.medcom_edi.edifact_interchange import EdifactMessage
    from connectors.medcom_edi.edifact_lexer import EdifactSegment
    from connectors.medcom_edi.fields import Interchange

_TRIGGER = re.compile(r"S[0-9]{2}")
_NOT_GIVEN = {"_", ""}
_DIGITS = {"203": 12, "204": 14}


@dataclass(frozen=True, slots=True)
class _Group:
    """A trigger segment and what follows it, up to the next."""

    name: str
    segments: tuple[EdifactSegment, ...]

    def optional(self, tag: str, qualifier: str | None = None) -> EdifactSegment | None:
        """Returns a segment by tag and qualifier (its first component); raises RefusedError where it is repeated."""
        found = self.all(tag, qualifier)
        if len(found) > 1:
            raise letter_refusal("segment_repeated", f"{self.name}.{tag}", "the segment stands once")
        return found[0] if found else None

    def all(self, tag: str, qualifier: str | None = None) -> list[EdifactSegment]:
        """Returns all segments of a tag and qualifier."""
        of_tag = [segment for segment in self.segments if segment.tag == tag]
        return [segment for segment in of_tag if qualifier in {None, segment.component(1)}]


def read_edifact_fields(message: EdifactMessage, interchange: Interchange) -> LetterFields:
    """Returns a message's fields; raises RefusedError where its groups or segments are not those of a letter."""
    version = message.addressed.version
    kind = taken_type(FieldValue(letter_type(version), "UNH.2"))
    head, groups = _grouped(message.segments[1:-1])
    _check_function(head)
    contact, about = _one(groups, "S11"), _one(groups, "S02")
    patient = _one(groups, "S07")
    sender, receiver = _parties(groups, kind, message.addressed.message_type)
    reference = _reference(contact, "RFF", "REI")
    is_notice = kind in NOTICES
    return LetterFields(
        type_code=FieldValue(kind, "UNH.2"),
        version=FieldValue(version, "UNH.2"),
        identifier=FieldValue(message.addressed.identifier, "UNH.1"),
        status=_status(contact if is_notice else about),
        authorised=_time(head, "DTM", "137"),
        notification=reference if is_notice else FieldValue(None, "S11.RFF.1"),
        episode=_referral_episode(about) if message.addressed.message_type == "MEDREF" else reference,
        sender=_party(sender, FieldValue(interchange.sender, "UNB.2")),
        receiver=_party(receiver, FieldValue(interchange.receiver, "UNB.3")),
        specialty=_specialty(sender),
        patient=_patient(patient),
        patient_status=_coded(contact, "PAS", 1, PATIENT_STATUS_CODES),
        started=_time(contact, "DTM", "90"),
        ended=_time(contact, "DTM", "90" if kind is LetterType.DISCHARGE_NOTICE else "91"),
    )


def _grouped(segments: Sequence[EdifactSegment]) -> tuple[_Group, list[_Group]]:
    """Returns what stands before the first trigger segment, and the groups."""
    starts = [index for index, segment in enumerate(segments) if _TRIGGER.fullmatch(segment.tag)]
    bounds = [*starts, len(segments)]
    groups = [_Group(segments[start].tag, tuple(segments[start + 1 : end])) for start, end in pairwise(bounds)]
    return _Group("head", tuple(segments[: bounds[0]])), groups


def _check_function(head: _Group) -> None:
    """Raises RefusedError where BGM tells another function than MedCom's one, 9: what a letter is stands in GIS."""
    beginning = head.optional("BGM")
    if beginning is None:
        raise letter_refusal("segment_missing", "BGM", "a message has BGM")
    if beginning.component(3) != "9":
        raise letter_refusal("unknown_code", "BGM.3", "the function is 9; whether a letter is new stands in GIS")


def _one(groups: list[_Group], name: str) -> _Group:
    found = [group for group in groups if group.name == name]
    if len(found) > 1:
        raise letter_refusal("segment_repeated", name, "the group stands once")
    return found[0] if found else _Group(name, ())


def _parties(groups: list[_Group], kind: LetterType, message_type: str) -> tuple[_Group, _Group]:
    of_letters = ("PO", "SSP") if message_type == "MEDREF" else ("SSP", "PO")
    roles = ("SOR", "ROR") if kind in NOTICES else of_letters
    return _of_role(groups, roles[0]), _of_role(groups, roles[1])


def _of_role(groups: list[_Group], role: str) -> _Group:
    found = [group for group in groups if group.name == "S01" and group.all("NAD", role)]
    if len(found) != 1:
        raise letter_refusal(
            "party_count", f"S01.NAD+{role}", "a letter has one sender and one receiver, each of its role"
        )
    return found[0]


def _party(group: _Group, gln: FieldValue) -> PartyFields:
    name = group.optional("NAD")
    listed = None if name is None else name.component(2, 2)
    code = IDENTIFIER_CODES["EAN"] if listed is None else IDENTIFIER_CODES.get(listed, UNREADABLE)
    return PartyFields(gln, _said(name, (2, 1), "S01.NAD.2"), FieldValue(code, "S01.NAD.2"))


def _specialty(group: _Group) -> FieldValue:
    code = _said(group.optional("SPR"), (2, 1), "S01.SPR.2").text
    return FieldValue(None if code is None else SPECIALTY_CODES.get(code), "S01.SPR.2")


def _status(group: _Group) -> FieldValue:
    """Returns the letter's status: of a notice its first GIS, the second has another meaning (MedCom's translation)."""
    indicators, path = group.all("GIS"), f"{group.name}.GIS.1"
    code = indicators[0].component(1) if indicators else None
    return FieldValue(None if code is None else STATUS_CODES.get(code, UNREADABLE), path)


def _patient(group: _Group) -> PatientFields:
    person, address = group.optional("PNA", "PAT"), group.optional("ADR")
    phones = sorted(group.all("CON"), key=lambda phone: phone.component(1) != "CE")
    return PatientFields(
        number=_said(person, (2, 1), "S07.PNA.2"),
        alternative_number=_reference(group, "RFF", "XPI"),
        surname=_said(person, (5, 2), "S07.PNA.5"),
        given_name=_said(person, (6, 2), "S07.PNA.6"),
        street=_said(address, (2, 2), "S07.ADR.2"),
        suburb=_said(address, (2, 3), "S07.ADR.2"),
        district=_said(address, (3, 1), "S07.ADR.3"),
        postcode=_said(address, (4, 1), "S07.ADR.4"),
        phone=_said(phones[0] if phones else None, (2, 1), "S07.CON.2"),
    )


def _referral_episode(about: _Group) -> FieldValue:
    """Returns the episode of a referral, which stands in ROI; an underscore says that there is none."""
    said = _reference(about, "RFF", "ROI")
    return FieldValue(None, said.path) if said.text in _NOT_GIVEN else said


def _reference(group: _Group, tag: str, qualifier: str) -> FieldValue:
    return _said(group.optional(tag, qualifier), (1, 2), f"{group.name}.{tag}.1")


def _coded(group: _Group, tag: str, element: int, words: Mapping[str, str]) -> FieldValue:
    said = _said(group.optional(tag), (element, 1), f"{group.name}.{tag}.{element}")
    return said if said.text is None else FieldValue(words.get(said.text, UNREADABLE), said.path)


def _time(group: _Group, tag: str, qualifier: str) -> FieldValue:
    segment, path = group.optional(tag, qualifier), f"{tag if group.name == 'head' else f'{group.name}.{tag}'}.1"
    if segment is None:
        return FieldValue(None, path)
    text, form = segment.component(1, 2) or "", segment.component(1, 3) or ""
    if len(text) != _DIGITS.get(form) or not text.isascii() or not text.isdigit():
        return FieldValue(UNREADABLE, path)
    seconds = text[12:] or "00"
    return FieldValue(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{seconds}", path)


def _said(segment: EdifactSegment | None, place: tuple[int, int], path: str) -> FieldValue:
    return FieldValue(None if segment is None else segment.component(*place), path)
