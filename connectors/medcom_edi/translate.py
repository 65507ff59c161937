"""MedCom's letters to canonical events: a pure mapping but for the vault behind ``youth_id``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.ages import was_of_age
from connectors.cpr import refuse_unborn
from connectors.medcom_edi import edifact_interchange, edifact_letter, oioxml_letter
from connectors.medcom_edi.codes import RECEIPT_TYPES, letter_type
from connectors.medcom_edi.edifact_lexer import parted
from connectors.medcom_edi.events import facts_of, letter_digest, letter_events, letter_key
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.letters import EdiLetter, read_letter
from connectors.medcom_edi.meaning import Transfer, meaning_of
from connectors.medcom_edi.outcomes import (
    EdiOutcome,
    EdiOutOfScope,
    EdiRefused,
    EdiTranslation,
    InterchangeOutcome,
    LetterOutcome,
    ReceivedReceipt,
    Unreadable,
)
from connectors.medcom_edi.reading import reference_of
from connectors.medcom_edi.refusing import letter_refusal
from connectors.medcom_edi.xml_documents import read_document
from schemas.refusals import RefusedError
from schemas.rules import CLOCK_SKEW_MAX, refuse_untimely

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from connectors.medcom_edi.edifact_lexer import RawSegment
    from connectors.medcom_edi.fields import Addressed, Interchange, LetterFields
    from schemas.reference import Reference

_AHEAD_HELP = "correct the time, and the sender's clock if it is that, and send the letter again"


@dataclass(frozen=True, slots=True)
class EdiMappingContext:
    """What a door needs to take letters in.

    ``youth_id`` looks up or allots a person's pseudonym by a number and its system; it may block and write, and is
    asked last, once for a letter that will be published. ``ages`` are whole years, of all programmes together.
    ``ahead_max`` is by how much what has happened may lie after its receipt; None means without limit.
    """

    youth_id: Callable[[str, str], str]
    reference: Reference
    ages: range
    ahead_max: timedelta | None = CLOCK_SKEW_MAX


def translate_interchange(
    body: bytes, syntax: Syntax, door: EdiMappingContext, recorded_at: datetime, charset: str | None = None
) -> EdiOutcome:
    """Returns what came of an interchange, whatever its bytes; raises nothing but what the vault raises.

    ``charset`` is what its transport or envelope says that it is written in; EDIFACT says so itself. Each letter has
    its own outcome. No text in it repeats a value from the letter.
    """
    interchange = None
    try:
        if syntax is Syntax.EDIFACT:
            segments = parted(body)
            interchange = edifact_interchange.read_edifact_header(segments)
            messages = edifact_interchange.part_messages(segments, interchange.identifier)
            letters = tuple(_of_edifact(message, interchange, door, recorded_at) for message in messages)
        else:
            document = read_document(body, charset=charset)
            interchange = oioxml_letter.read_oioxml_header(document)
            xml_letters = oioxml_letter.read_letters(document)
            letters = tuple(_of_oioxml(letter, interchange, door, recorded_at) for letter in xml_letters)
    except RefusedError as error:
        return Unreadable(error.refusal, interchange)
    return InterchangeOutcome(interchange, letters)


def _of_edifact(
    segments: tuple[RawSegment, ...], interchange: Interchange, door: EdiMappingContext, recorded_at: datetime
) -> LetterOutcome:
    addressed = None
    try:
        addressed = edifact_interchange.read_addressed(segments)
        kind = letter_type(addressed.version)
        if kind in RECEIPT_TYPES:
            return ReceivedReceipt(kind)
        message = edifact_interchange.read_message(segments, addressed)
        return _outcome(edifact_letter.read_edifact_fields(message, interchange), addressed, door, recorded_at)
    except RefusedError as error:
        return EdiRefused(error.refusal, addressed)


def _of_oioxml(
    letter: oioxml_letter.XmlLetter, interchange: Interchange, door: EdiMappingContext, recorded_at: datetime
) -> LetterOutcome:
    if letter.kind in RECEIPT_TYPES:
        return ReceivedReceipt(letter.kind)
    try:
        fields = oioxml_letter.read_oioxml_fields(letter, interchange)
        reference_of(fields.identifier)
        if letter.addressed is None:
            raise letter_refusal(
                "wrong_form", fields.version.path, "a letter's number and version can stand in a receipt"
            )
        return _outcome(fields, letter.addressed, door, recorded_at)
    except RefusedError as error:
        return EdiRefused(error.refusal, letter.addressed)


def _outcome(
    fields: LetterFields, addressed: Addressed, door: EdiMappingContext, recorded_at: datetime
) -> LetterOutcome:
    letter = read_letter(fields)
    meaning = meaning_of(letter)
    if door.ahead_max is not None:
        told = {letter.authorised.path: letter.authorised.at, meaning.told.path: meaning.told.at}
        refuse_untimely(told, recorded_at + door.ahead_max, _AHEAD_HELP)
    if isinstance(meaning, Transfer):
        return EdiOutOfScope(addressed, letter_key(letter), "transfer")
    facts = facts_of(letter, meaning, door.reference)
    if not _is_of_age(letter, meaning.told.at, door.ages):
        refuse_unborn(letter.number, fields.patient.number.path, recorded_at)
        return EdiOutOfScope(addressed, letter_key(letter), "age")
    events = letter_events(facts, door.youth_id(letter.number.system, letter.number.number), recorded_at)
    return EdiTranslation(addressed, letter_key(letter), letter_digest(facts, events), events, letter.details)


def _is_of_age(letter: EdiLetter, at: datetime, ages: range) -> bool:
    """Returns whether the patient had one of these ages from the stay's start, where it is told, to the step."""
    return was_of_age(letter.number.birth_date, ages, letter.started.at if letter.started else at, at)
