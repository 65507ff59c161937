"""What came of an interchange and of each of its letters: values, matched with ``assert_never``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from connectors.medcom_edi.fields import Addressed, Interchange
    from connectors.person_details import PersonDetails
    from schemas.events import Correspondence, Discharge, Person, Referral
    from schemas.refusals import Refusal

    Event = Discharge | Referral | Correspondence | Person


@dataclass(frozen=True, slots=True)
class EdiTranslation:
    """A letter and the events it becomes, each with the short name of its topic.

    ``letter_id`` tells that a letter comes again (sender, type, number, status) and ``content_digest`` whether it says
    the same, whichever syntax it is in. ``details`` are for the vault.
    """

    addressed: Addressed
    letter_id: UUID
    content_digest: str
    events: tuple[tuple[str, Event], ...]
    details: PersonDetails = field(repr=False)


@dataclass(frozen=True, slots=True)
class EdiOutOfScope:
    """A valid letter that changes nothing: ``age``, about nobody of any programme's ages, or ``transfer``."""

    addressed: Addressed
    letter_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class EdiRefused:
    """A letter that is not taken; ``addressed`` is None where a receipt can't name it."""

    refusal: Refusal
    addressed: Addressed | None


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """A CTL or XCTL addressed to us: never acknowledged."""

    kind: str


LetterOutcome = EdiTranslation | EdiOutOfScope | EdiRefused | ReceivedReceipt


@dataclass(frozen=True, slots=True)
class InterchangeOutcome:
    """An interchange that could be read, and what came of each letter, in their order."""

    interchange: Interchange
    letters: tuple[LetterOutcome, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An interchange of which nothing is taken; ``interchange`` is None where nobody can be answered."""

    refusal: Refusal
    interchange: Interchange | None


EdiOutcome = InterchangeOutcome | Unreadable
