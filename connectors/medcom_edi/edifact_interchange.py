"""From segments to an interchange and its messages: UNB, UNH, UNT and UNZ agree, or it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.fields import Addressed, Interchange, Said, Syntax
from connectors.medcom_edi.reading import PARTY, checked
from connectors.medcom_edi.refusing import refused

if TYPE_CHECKING:
    from connectors.medcom_edi.edifact_lexer import Segment

MESSAGES_MAX = 100
_SYNTAX = "UNOC"


@dataclass(frozen=True, slots=True)
class Message:
    """One message between its UNH and UNT, both included."""

    addressed: Addressed
    segments: tuple[Segment, ...]


def read_header(segments: list[Segment]) -> Interchange:
    """Returns who sends an interchange to whom; raises RefusedError where nobody could be answered."""
    header = segments[0] if segments else None
    if header is None or header.tag != "UNB":
        raise refused("segment_missing", "UNB", "an interchange begins with UNB")
    if header.component(1) != _SYNTAX:
        raise refused("wrong_encoding", "UNB.1", f"the syntax identifier is {_SYNTAX}")
    return Interchange(
        Syntax.EDIFACT,
        checked(Said(header.component(5), "UNB.5")),
        checked(Said(header.component(2), "UNB.2"), PARTY),
        checked(Said(header.component(3), "UNB.3"), PARTY),
        wants_positive_receipt=header.component(9) == "1",
    )


def read_messages(segments: list[Segment]) -> list[Message]:
    """Returns an interchange's messages; raises RefusedError where it is not whole, so that none can be relied on."""
    trailer = segments[-1]
    if trailer.tag != "UNZ":
        raise refused("segment_missing", "UNZ", "an interchange ends with UNZ")
    messages = _messages(segments[1:-1])
    if trailer.component(2) != segments[0].component(5):
        raise refused("reference_mismatch", "UNZ.2", "UNZ repeats the interchange's reference from UNB")
    if trailer.component(1) != str(len(messages)):
        raise refused("count_mismatch", "UNZ.1", "UNZ tells the number of messages")
    return messages


def check_trailer(message: Message) -> None:
    """Raises RefusedError where a message's UNT doesn't tell its number of segments and its reference."""
    trailer = message.segments[-1]
    if trailer.component(2) != message.addressed.identifier:
        raise refused("reference_mismatch", "UNT.2", "UNT repeats the message's reference from UNH")
    if trailer.component(1) != str(len(message.segments)):
        raise refused("count_mismatch", "UNT.1", "UNT tells the number of segments, UNH and UNT included")


def _messages(segments: list[Segment]) -> list[Message]:
    messages: list[Message] = []
    opened: list[Segment] = []
    for segment in segments:
        if segment.tag in {"UNB", "UNZ"}:
            raise refused("segment_repeated", segment.tag, "a file holds one interchange")
        if bool(opened) is (segment.tag == "UNH"):
            raise refused("segment_missing", "UNT" if opened else "UNH", "a message goes from its UNH to its UNT")
        opened.append(segment)
        if segment.tag == "UNT":
            messages.append(_message(opened))
            opened = []
    if opened or not messages:
        raise refused("segment_missing", "UNT", "an interchange holds whole messages")
    if len(messages) > MESSAGES_MAX:
        raise refused("too_many_messages", "UNZ.1", f"an interchange has at most {MESSAGES_MAX} messages")
    return messages


def _message(segments: list[Segment]) -> Message:
    header = segments[0]
    identifier = checked(Said(header.component(1), "UNH.1"))
    version = checked(Said(header.component(2, 5), "UNH.2"), PARTY)
    message_type = checked(Said(header.component(2, 1), "UNH.2"), PARTY)
    return Message(Addressed(identifier, version, message_type), tuple(segments))
