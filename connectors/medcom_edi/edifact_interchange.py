"""From segments to an interchange and its messages: UNB and UNZ agree, or all is refused; UNH and UNT, or that letter.

UNB is read before anything else, so that whoever sent what can't be read is told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.fields import Addressed, FieldValue, Interchange, Syntax
from connectors.medcom_edi.reading import PARTY, reference_of
from connectors.medcom_edi.refusing import letter_refusal
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from connectors.medcom_edi.edifact_lexer import EdifactSegment, Parted, RawSegment

MESSAGES_MAX = 100
_SYNTAX = "UNOC"


@dataclass(frozen=True, slots=True)
class EdifactMessage:
    """One message between its UNH and UNT, both included."""

    addressed: Addressed
    segments: tuple[EdifactSegment, ...]


def read_edifact_header(interchange: Parted) -> Interchange:
    """Returns who sends an interchange to whom; raises RefusedError where nobody could be answered."""
    try:
        return _header(interchange.segments)
    except RefusedError as error:
        raise interchange.fault or error from error


def part_messages(interchange: Parted, reference: str) -> list[tuple[RawSegment, ...]]:
    """Returns the segments of each message, from its UNH on.

    Raises RefusedError where the interchange is not whole, so that none of them can be relied on.
    """
    if interchange.fault is not None:
        raise interchange.fault
    if interchange.segments[-1].tag != "UNZ":
        raise letter_refusal("segment_missing", "UNZ", "an interchange ends with UNZ")
    messages, trailer = _parted(interchange.segments[1:-1]), interchange.segments[-1].read()
    if trailer.component(2) != reference:
        raise letter_refusal("reference_mismatch", "UNZ.2", "UNZ repeats the interchange's reference from UNB")
    if not _is_number(trailer.component(1), len(messages)):
        raise letter_refusal("count_mismatch", "UNZ.1", "UNZ tells the number of messages")
    return messages


def read_addressed(message: tuple[RawSegment, ...]) -> Addressed:
    """Returns how a receipt names a message; raises RefusedError where it can't."""
    header = message[0].read()
    identifier = reference_of(FieldValue(header.component(1), "UNH.1"))
    version = reference_of(FieldValue(header.component(2, 5), "UNH.2"), PARTY)
    message_type = reference_of(FieldValue(header.component(2, 1), "UNH.2"), PARTY)
    return Addressed(identifier, version, message_type)


def read_message(message: tuple[RawSegment, ...], addressed: Addressed) -> EdifactMessage:
    """Returns a message; raises RefusedError where a segment can't be read, or its UNT doesn't tell of it."""
    if message[-1].tag != "UNT":
        raise letter_refusal("segment_missing", "UNT", "a message goes from its UNH to its UNT")
    segments = tuple(segment.read() for segment in message)
    trailer = segments[-1]
    if trailer.component(2) != addressed.identifier:
        raise letter_refusal("reference_mismatch", "UNT.2", "UNT repeats the message's reference from UNH")
    if not _is_number(trailer.component(1), len(segments)):
        raise letter_refusal("count_mismatch", "UNT.1", "UNT tells the number of segments, UNH and UNT included")
    return EdifactMessage(addressed, segments)


def _header(segments: tuple[RawSegment, ...]) -> Interchange:
    header = segments[0].read() if segments else None
    if header is None or header.tag != "UNB":
        raise letter_refusal("segment_missing", "UNB", "an interchange begins with UNB")
    if header.component(1) != _SYNTAX:
        raise letter_refusal("wrong_encoding", "UNB.1", f"the syntax identifier is {_SYNTAX}")
    return Interchange(
        Syntax.EDIFACT,
        reference_of(FieldValue(header.component(5), "UNB.5")),
        reference_of(FieldValue(header.component(2), "UNB.2"), PARTY),
        reference_of(FieldValue(header.component(3), "UNB.3"), PARTY),
        wants_positive_receipt=header.component(9) == "1",
    )


def _parted(segments: tuple[RawSegment, ...]) -> list[tuple[RawSegment, ...]]:
    messages: list[list[RawSegment]] = []
    is_open = False
    for segment in segments:
        if segment.tag in {"UNB", "UNZ"}:
            raise letter_refusal("segment_repeated", segment.tag, "a file holds one interchange")
        if segment.tag == "UNH":
            messages.append([])
        elif not is_open:
            raise letter_refusal("segment_missing", "UNH", "a message goes from its UNH to its UNT")
        messages[-1].append(segment)
        is_open = segment.tag != "UNT"
    if not messages:
        raise letter_refusal("segment_missing", "UNH", "an interchange holds a message at least")
    if len(messages) > MESSAGES_MAX:
        raise letter_refusal("too_many_messages", "UNZ.1", f"an interchange has at most {MESSAGES_MAX} messages")
    return [tuple(message) for message in messages]


def _is_number(text: str | None, number: int) -> bool:
    """Returns whether a text is a number, whatever zeros stand before it."""
    return text is not None and text.isascii() and text.isdigit() and int(text) == number
