"""Receipts in the sender's own syntax: CTL03 and XCTL03 for what is taken, CTL02 and XCTL02 for what is refused.

Source: MedCom's PositiveReceipt (XC0330Q) and NegativeReceipt (XC0230Q), and their EDIFACT (glasdam/edifact_converter).
A receipt is derived from what it answers and when: the same arguments give the same bytes. A refusal is told in
MedCom's five codes; our code stands in the text, with field, rule and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.medcom_edi.edifact_receipts import edifact_receipt
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.oioxml_receipts import oioxml_receipt

if TYPE_CHECKING:
    from connectors.medcom_edi.receipt_words import Receipt

MEDIA_TYPES = {
    Syntax.EDIFACT: "application/edifact; charset=iso-8859-1",
    Syntax.OIOXML: "application/xml; charset=windows-1252",
}


def receipt_of(receipt: Receipt) -> bytes:
    """Returns a receipt's bytes; ValueError where it answers nothing."""
    if not receipt.answers and receipt.refusal is None:
        raise ValueError("a receipt answers a letter at least, or refuses an interchange")
    return edifact_receipt(receipt) if receipt.interchange.syntax is Syntax.EDIFACT else oioxml_receipt(receipt)
