"""What a receipt says, before it is written in either syntax."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.medcom_edi.fields import Addressed, Interchange
    from schemas.refusals import Refusal

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_IDENTIFIER_DIGITS = 13


class RefuseCode(StrEnum):
    """MedCom's reasons for a refusal (RefuseCode); the values are OIOXML's words."""

    NOT_SPECIFIED = "ikke_specificeret"
    UNKNOWN_LOCATION = "ukendt_lokationsnummer"
    RECEIVER = "problem_med_modtagerID"
    VERSION = "problem_med_version"
    SYNTAX = "syntaksfejl"


_OF_OURS = {
    "invalid_gln": RefuseCode.UNKNOWN_LOCATION,
    "foreign_source": RefuseCode.UNKNOWN_LOCATION,
    "party_count": RefuseCode.RECEIVER,
    "message_type_not_taken": RefuseCode.VERSION,
    "letter_changed": RefuseCode.NOT_SPECIFIED,
    "identifier_in_id": RefuseCode.NOT_SPECIFIED,
    "invalid_cpr": RefuseCode.NOT_SPECIFIED,
    "time_ahead": RefuseCode.NOT_SPECIFIED,
    "time_long_ago": RefuseCode.NOT_SPECIFIED,
    "unknown_code": RefuseCode.NOT_SPECIFIED,
}


@dataclass(frozen=True, slots=True)
class ReceiptOutcome:
    """What is answered to one letter; no refusal means that it is taken."""

    addressed: Addressed
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of an interchange, or a refusal of it whole where ``refusal`` is given; ``at`` is when it was made."""

    interchange: Interchange
    answers: tuple[ReceiptOutcome, ...]
    at: datetime
    refusal: Refusal | None = None

    @property
    def taken(self) -> tuple[ReceiptOutcome, ...]:
        """Returns the answers to what was taken."""
        return tuple(answer for answer in self.answers if answer.refusal is None)

    @property
    def refused(self) -> tuple[ReceiptOutcome, ...]:
        """Returns the answers to what was refused."""
        return tuple(answer for answer in self.answers if answer.refusal is not None)

    @property
    def local(self) -> datetime:
        """Returns when it was made, in Danish time."""
        return self.at.astimezone(_COPENHAGEN)

    def identifier(self, part: str) -> str:
        """Returns a number of the receipt's own, of 14 characters, derived from what it answers."""
        interchange = self.interchange
        said = [interchange.syntax, interchange.sender, interchange.identifier, self.at.isoformat(), part]
        said += [answer.addressed.identifier for answer in self.answers]
        return "B" + derived_id("edi-receipt", *said).hex[:_IDENTIFIER_DIGITS].upper()


def refuse_code(refusal: Refusal) -> RefuseCode:
    """Returns MedCom's code for a refusal: a broken rule of form is a syntax error, the rest has codes of its own."""
    return _OF_OURS.get(refusal.code, RefuseCode.SYNTAX)


def refuse_text(refusal: Refusal) -> str:
    """Returns the text that goes with a refusal; it repeats nothing of the letter."""
    return f"{refusal.code}: {refusal.field}: {refusal.rule}. {refusal.help}"
