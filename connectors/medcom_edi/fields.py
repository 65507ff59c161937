"""What a letter says, field by field, in OIOXML's words: both syntaxes are read into these, and then read as one.

Nothing is checked here. A field that is absent keeps its path, so that a refusal names it in the sender's syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

UNREADABLE = "(unreadable)"


class Syntax(StrEnum):
    """In what a letter is written."""

    EDIFACT = "edifact"
    OIOXML = "oioxml"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field's text, None where it is absent, and where it stands."""

    text: str | None = field(repr=False)
    path: str


@dataclass(frozen=True, slots=True)
class PartyFields:
    """Who sends or receives: location number, the organisation's own code, and of which list that is."""

    gln: FieldValue
    identifier: FieldValue
    identifier_code: FieldValue


@dataclass(frozen=True, slots=True)
class PatientFields:
    """Who a letter is about."""

    number: FieldValue
    alternative_number: FieldValue
    surname: FieldValue
    given_name: FieldValue
    street: FieldValue
    suburb: FieldValue
    district: FieldValue
    postcode: FieldValue
    phone: FieldValue


@dataclass(frozen=True, slots=True)
class LetterFields:
    """A letter. Times are ISO 8601 without offset, Danish time; ``type_code`` and ``version`` have no X in front.

    ``started`` and ``ended`` are admission and discharge, or the first and the last outpatient visit.
    """

    type_code: FieldValue
    version: FieldValue
    identifier: FieldValue
    status: FieldValue
    authorised: FieldValue
    notification: FieldValue
    episode: FieldValue
    sender: PartyFields
    receiver: PartyFields
    specialty: FieldValue
    patient: PatientFields
    patient_status: FieldValue
    started: FieldValue
    ended: FieldValue


@dataclass(frozen=True, slots=True)
class Addressed:
    """How a receipt names a letter; ``message_type`` is EDIFACT's (MEDDIS, MEDREF), empty in OIOXML."""

    identifier: str
    version: str
    message_type: str = ""


@dataclass(frozen=True, slots=True)
class Interchange:
    """The envelope that letters came in, as far as a receipt needs it; nothing in it is personal."""

    syntax: Syntax
    identifier: str
    sender: str
    receiver: str
    wants_positive_receipt: bool
