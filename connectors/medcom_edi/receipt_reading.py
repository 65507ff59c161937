"""Reads a CTL or XCTL receipt: how many letters it takes, and which it refuses with what reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.medcom_edi.edifact_lexer import read_edifact_segments
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.xml_documents import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connectors.medcom_edi.xml_documents import Element

_TAKEN, _REFUSED = "7", "4"
_ACTION = {"UCI": 4, "UCM": 3}


@dataclass(frozen=True, slots=True)
class RefusedLetter:
    """A letter that a receipt refuses: its number, empty where the interchange is refused whole, and the reason."""

    identifier: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """What a receipt says."""

    taken: int
    refused: tuple[RefusedLetter, ...]


def read_receipt(content: bytes, syntax: Syntax) -> ReadReceipt:
    """Returns what a receipt says; raises RefusedError where it can't be read."""
    if syntax is Syntax.EDIFACT:
        return _of_edifact(content)
    document = read_document(content)
    refused = tuple(
        _refused(letter, "OriginalLetterIdentifier")
        for one in document.children("NegativeReceipt")
        for letter in _with_reason(one)
    )
    taken = [one for receipt in document.children("PositiveReceipt") for one in _letters(receipt)]
    return ReadReceipt(len(taken), refused)


def _of_edifact(content: bytes) -> ReadReceipt:
    taken, named = 0, ""
    refused: list[tuple[str, list[str]]] = []  # each letter's number, and the lines of its reason
    for segment in read_edifact_segments(content):
        if segment.tag in _ACTION:
            named = segment.component(1) or "" if segment.tag == "UCM" else ""
            taken += segment.tag == "UCM" and segment.component(_ACTION["UCM"]) == _TAKEN
            if segment.tag == "UCM" and segment.component(_ACTION["UCM"]) == _REFUSED:
                refused.append((named, []))
        elif segment.tag == "FTX":
            if not refused or refused[-1][0] != named:
                refused.append((named, []))
            refused[-1][1].extend(segment.elements[3] if len(segment.elements) > 3 else ())  # noqa: PLR2004 FTX C108
    return ReadReceipt(taken, tuple(RefusedLetter(number, _joined(lines)) for number, lines in refused))


def _joined(lines: Iterable[str]) -> str:
    """Returns a text whose lines end in a backslash where it goes on without a break."""
    return "".join(line.removesuffix("\\") for line in lines)


def _letters(receipt: Element) -> Iterator[Element]:
    for original in receipt.children("OriginalEmessage"):
        yield from original.children("OriginalLetter")


def _with_reason(receipt: Element) -> Iterator[Element]:
    for original in receipt.children("OriginalEmessage"):
        if original.children("RefuseText"):
            yield original
        yield from original.children("OriginalLetter")


def _refused(element: Element, identifier: str) -> RefusedLetter:
    texts = [one.node.text or "" for one in element.children("RefuseText")]
    numbers = [one.node.text or "" for one in element.children(identifier)]
    return RefusedLetter("".join(numbers), " ".join(texts))
