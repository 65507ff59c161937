"""CONTRL receipts: CTL03 for what is taken, CTL02 for what is refused, both in one interchange where both are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.medcom_edi.receipt_words import RefuseCode, refuse_code, refuse_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome
    from schemas.refusals import Refusal

_ADVICE = "UNA:+.? '"
_SEPARATOR = re.compile(r"([:+?'])")
_TAKEN, _REFUSED = "7", "4"
_LINE_CHARACTERS = 70
_LINES_A_SEGMENT = 5
_CODES = {
    RefuseCode.NOT_SPECIFIED: "NC",
    RefuseCode.UNKNOWN_LOCATION: "LOK",
    RefuseCode.RECEIVER: "MID",
    RefuseCode.VERSION: "VER",
    RefuseCode.SYNTAX: "SYN",
}


def edifact_receipt(receipt: Receipt) -> bytes:
    """Returns the interchange that answers another, in ISO-8859-1."""
    messages = []
    if receipt.refused or receipt.refusal:
        messages.append(_message(receipt, "C0230Q", "CTL02", _refused(receipt)))
    if receipt.taken:
        messages.append(_message(receipt, "C0330Q", "CTL03", _taken(receipt)))
    reference, sent = receipt.identifier("interchange"), receipt.local
    interchange = receipt.interchange
    parties = ((interchange.receiver, "14"), (interchange.sender, "14"))
    header = _segment("UNB", ("UNOC", "3"), *parties, (sent.strftime("%y%m%d"), sent.strftime("%H%M")), reference)
    body = [segment for message in messages for segment in message]
    text = "\r\n".join([_ADVICE, header, *body, _segment("UNZ", str(len(messages)), reference), ""])
    return text.encode("iso-8859-1", "replace")


def _message(receipt: Receipt, version: str, kind: str, content: list[str]) -> list[str]:
    reference = receipt.identifier(kind)
    header = _segment("UNH", reference, ("CONTRL", "D", "93A", "ZZ", version), kind)
    return [header, *content, _segment("UNT", str(len(content) + 2), reference)]


def _taken(receipt: Receipt) -> list[str]:
    return [_interchange(receipt, _TAKEN), *(_letter(answer, _TAKEN) for answer in receipt.taken)]


def _refused(receipt: Receipt) -> list[str]:
    segments = [_interchange(receipt, _REFUSED)]
    if receipt.refusal is not None:
        segments += _reason(receipt.refusal)
    for answer in receipt.refused:
        segments.append(_letter(answer, _REFUSED))
        segments += _reason(answer.refusal) if answer.refusal else []
    return segments


def _interchange(receipt: Receipt, action: str) -> str:
    interchange = receipt.interchange
    return _segment("UCI", interchange.identifier, (interchange.sender, "14"), (interchange.receiver, "14"), action)


def _letter(answer: ReceiptOutcome, action: str) -> str:
    addressed = answer.addressed
    return _segment("UCM", addressed.identifier, (addressed.message_type, "D", "93A", "UN", addressed.version), action)


def _reason(refusal: Refusal) -> list[str]:
    """Returns a refusal as FTX segments, whose lines end in a backslash where the text goes on without a break."""
    text, width = refuse_text(refusal), _LINE_CHARACTERS - 1
    lines = [text[start : start + width] + "\\" for start in range(0, len(text), width)]
    lines[-1] = lines[-1][:-1]
    parts = [lines[start : start + _LINES_A_SEGMENT] for start in range(0, len(lines), _LINES_A_SEGMENT)]
    return [_segment("FTX", _CODES[refuse_code(refusal)], "P00", "", part) for part in parts]


def _segment(tag: str, *elements: str | Sequence[str]) -> str:
    """Returns a segment with its terminator; what would be taken for a separator is released."""
    composites = [(element,) if isinstance(element, str) else element for element in elements]
    return "+".join([tag, *(":".join(_released(part) for part in composite) for composite in composites)]) + "'"


def _released(text: str) -> str:
    return _SEPARATOR.sub(r"?\1", text)
