"""What a receipt of ours says is read back from it, in both syntaxes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.medcom_edi.fields import Addressed, Interchange, Syntax
from connectors.medcom_edi.receipt_reading import ReadReceipt, RefusedLetter, read_receipt
from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome, refuse_text
from connectors.medcom_edi.receipts import receipt_of
from schemas.refusals import Refusal

AT = datetime(2026, 1, 1, tzinfo=UTC)
LONG = Refusal("wrong_form", "segment[3].NAD", "a rule' with + signs: " + "that is long; " * 30, "mend it")
SHORT = Refusal("unknown_code", "code", "a rule", "mend it")
TAKEN = ReceiptOutcome(Addressed("A1", "D1730C", "MEDDIS"))
REFUSED = [
    ReceiptOutcome(Addressed(f"R{nth}", "D1730C", "MEDDIS"), refusal) for nth, refusal in enumerate((LONG, SHORT))
]


def read_of(syntax: Syntax, *answers: ReceiptOutcome, refusal: Refusal | None = None) -> ReadReceipt:
    interchange = Interchange(syntax, "KUVERT1", "5790002515200", "5790002508226", wants_positive_receipt=True)
    return read_receipt(receipt_of(Receipt(interchange, answers, AT, refusal)), syntax)


@pytest.mark.parametrize("syntax", Syntax)
def test_letters_that_are_taken_are_counted_and_those_refused_have_their_reasons(syntax: Syntax) -> None:
    read = read_of(syntax, TAKEN, *REFUSED, TAKEN)

    assert read == ReadReceipt(2, (RefusedLetter("R0", refuse_text(LONG)), RefusedLetter("R1", refuse_text(SHORT))))


@pytest.mark.parametrize("syntax", Syntax)
def test_an_interchange_that_is_refused_whole_names_no_letter(syntax: Syntax) -> None:
    assert read_of(syntax, refusal=LONG) == ReadReceipt(0, (RefusedLetter("", refuse_text(LONG)),))
