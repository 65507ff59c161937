"""XCTL receipts: PositiveReceipt for what is taken, NegativeReceipt for what is refused, in one Emessage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi.receipt_words import refuse_code, refuse_text

if TYPE_CHECKING:
    from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome
    from schemas.refusals import Refusal

_NAMESPACE = "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/"


def oioxml_receipt(receipt: Receipt) -> bytes:
    """Returns the Emessage that answers another, in windows-1252."""
    root = etree.fromstring(f'<Emessage xmlns="{_NAMESPACE}"/>')
    envelope, sent = _under(root, "Envelope"), receipt.local
    moment = _under(envelope, "Sent")
    _under(moment, "Date", sent.strftime("%Y-%m-%d"))
    _under(moment, "Time", sent.strftime("%H:%M"))
    _under(envelope, "Identifier", receipt.identifier("interchange"))
    _under(envelope, "AcknowledgementCode", "minuspositivkvitt")
    if receipt.refused or receipt.refusal:
        original = _receipt(root, receipt, "NegativeReceipt", "02")
        if receipt.refusal is not None:
            _reason(original, receipt.refusal)
        _letters(original, receipt.refused)
    if receipt.taken:
        _letters(_receipt(root, receipt, "PositiveReceipt", "03"), receipt.taken)
    declaration = '<?xml version="1.0" encoding="windows-1252"?>'
    return f"{declaration}{etree.tostring(root, encoding='unicode')}".encode("cp1252", "xmlcharrefreplace")


def _receipt(root: etree._Element, receipt: Receipt, name: str, number: str) -> etree._Element:
    """Returns the OriginalEmessage of a new receipt."""
    interchange = receipt.interchange
    one = _under(root, name)
    letter = _under(one, "Letter")
    _under(letter, "Identifier", receipt.identifier(name))
    _under(letter, "VersionCode", f"XC{number}30Q")
    _under(letter, "StatisticalCode", f"XCTL{number}")
    _under(_under(one, "Sender"), "EANIdentifier", interchange.receiver)
    _under(_under(one, "Receiver"), "EANIdentifier", interchange.sender)
    original = _under(one, "OriginalEmessage")
    _under(original, "OriginalEnvelopeIdentifier", interchange.identifier)
    _under(_under(original, "OriginalSender"), "EANIdentifier", interchange.sender)
    _under(_under(original, "OriginalReceiver"), "EANIdentifier", interchange.receiver)
    return original


def _letters(original: etree._Element, answers: tuple[ReceiptOutcome, ...]) -> None:
    for answer in answers:
        letter = _under(original, "OriginalLetter")
        _under(letter, "OriginalLetterIdentifier", answer.addressed.identifier)
        _under(letter, "OriginalVersionCode", answer.addressed.version)
        if answer.refusal is not None:
            _reason(letter, answer.refusal)


def _reason(parent: etree._Element, refusal: Refusal) -> None:
    _under(parent, "RefuseCode", refuse_code(refusal))
    _under(parent, "RefuseText", refuse_text(refusal))


def _under(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    child.text = text
    return child
