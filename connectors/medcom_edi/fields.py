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
class Said:
    """A field's text, None where it is absent, and where it stands."""

    text: str | None = field(repr=False)
    path: str


@dataclass(frozen=True, slots=True)
class PartyFields:
    """Who sends or receives: location number, the organisation's own code, and of which list that is."""

    gln: Said
    identifier: Said
    identifier_code: Said


@dataclass(frozen=True, slots=True)
class PatientFields:
    """Who a letter is about."""

    number: Said
    alternative_number: Said
    surname: Said
    given_name: Said
    street: Said
    suburb: Said
    district: Said
    postcode: Said
    phone: Said


@dataclass(frozen=True, slots=True)
class LetterFields:
    """A letter. Times are ISO 8601 without offset, Danish time; ``type_code`` and ``version`` have no X in front.

    ``started`` and ``ended`` are admission and discharge, or the first and the last outpatient visit.
    """

    type_code: Said
    version: Said
    identifier: Said
    status: Said
    authorised: Said
    notification: Said
    episode: Said
    sender: PartyFields
    receiver: PartyFields
    specialty: Said
    patient: PatientFields
    patient_status: Said
    started: Said
    ended: Said


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
