"""Receipts: MedCom's CTL02 and CTL03 in the sender's own syntax, the same bytes for the same answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from connectors.medcom_edi.edifact_lexer import read_edifact_segments
from connectors.medcom_edi.fields import Addressed, Interchange, Syntax
from connectors.medcom_edi.outcomes import ReceivedReceipt
from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome, RefuseCode, refuse_code
from connectors.medcom_edi.receipts import receipt_of
from schemas.refusals import Refusal
from tests.unit.medcom_edi.builders import letters_of

AT = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
EDIFACT = Interchange(Syntax.EDIFACT, "KuvertNr1", "5790000143054", "5790000143055", wants_positive_receipt=False)
OIOXML = Interchange(Syntax.OIOXML, "KuvertNr1", "5790000143054", "5790000143055", wants_positive_receipt=True)
TAKEN = ReceiptOutcome(Addressed("Brev1", "D1730C", "MEDDIS"))
BROKEN = Refusal("unknown_code", "S11.PAS.1", "the code is one of MedCom's", "it's told by 1+1: 2?")
REFUSED = ReceiptOutcome(Addressed("Brev2", "D2030C", "MEDDIS"), BROKEN)
NAMES = {"m": "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/"}


def _segments(
    *answers: ReceiptOutcome, refusal: Refusal | None = None
) -> list[tuple[str, tuple[tuple[str, ...], ...]]]:
    written = receipt_of(Receipt(EDIFACT, answers, AT, refusal))
    return [(segment.tag, segment.elements) for segment in read_edifact_segments(written)]


def _document(*answers: ReceiptOutcome, refusal: Refusal | None = None) -> etree._Element:
    return etree.fromstring(receipt_of(Receipt(OIOXML, answers, AT, refusal)))


def _texts(document: etree._Element, path: str) -> list[str]:
    return [
        element.text or "" for element in document.findall("/".join(f"m:{name}" for name in path.split("/")), NAMES)
    ]


def test_what_is_taken_gets_ctl03_from_receiver_to_sender() -> None:
    header, message, interchange, letter, message_end, end = _segments(TAKEN)

    assert header[1][:4] == (("UNOC", "3"), ("5790000143055", "14"), ("5790000143054", "14"), ("260702", "0030"))
    assert message[1][1:] == (("CONTRL", "D", "93A", "ZZ", "C0330Q"), ("CTL03",))
    assert interchange == ("UCI", (("KuvertNr1",), ("5790000143054", "14"), ("5790000143055", "14"), ("7",)))
    assert letter == ("UCM", (("Brev1",), ("MEDDIS", "D", "93A", "UN", "D1730C"), ("7",)))
    assert (message_end[1][0], end[1][0]) == (("4",), ("1",))


def test_what_is_refused_gets_ctl02_with_code_and_text() -> None:
    segments = _segments(REFUSED)
    text = "".join(part.removesuffix("\\") for _, elements in segments if len(elements) == 4 for part in elements[3])

    assert segments[1][1][2] == ("CTL02",)
    assert segments[3] == ("UCM", (("Brev2",), ("MEDDIS", "D", "93A", "UN", "D2030C"), ("4",)))
    assert segments[4][1][:2] == (("NC",), ("P00",))
    assert text.endswith("unknown_code: S11.PAS.1: the code is one of MedCom's. it's told by 1+1: 2?")


def test_both_are_answered_in_one_interchange_each_in_its_own_message() -> None:
    segments = _segments(TAKEN, REFUSED)

    assert [elements[2] for tag, elements in segments if tag == "UNH"] == [("CTL02",), ("CTL03",)]
    assert segments[-1][1][0] == ("2",)


def test_an_interchange_that_can_t_be_read_is_refused_whole() -> None:
    segments = _segments(refusal=Refusal("count_mismatch", "UNZ.1", "UNZ counts", "count"))

    assert [tag for tag, _ in segments] == ["UNB", "UNH", "UCI", "FTX", "UNT", "UNZ"]
    assert segments[3][1][0] == ("SYN",)


def test_a_receipt_in_xml_names_letters_and_codes_as_medcom_does() -> None:
    document = _document(TAKEN, REFUSED)
    refused, taken = (
        "NegativeReceipt/OriginalEmessage/OriginalLetter",
        "PositiveReceipt/OriginalEmessage/OriginalLetter",
    )

    assert _texts(document, f"{taken}/OriginalLetterIdentifier") == ["Brev1"]
    assert _texts(document, f"{refused}/OriginalLetterIdentifier") == ["Brev2"]
    assert _texts(document, f"{refused}/RefuseCode") == ["ikke_specificeret"]
    assert _texts(document, "NegativeReceipt/Letter/VersionCode") == ["XC0230Q"]
    assert _texts(document, "PositiveReceipt/Sender/EANIdentifier") == ["5790000143055"]
    assert _texts(document, "Envelope/Sent/Date") == ["2026-07-02"]


def test_a_document_that_can_t_be_read_is_refused_whole() -> None:
    document = _document(refusal=Refusal("too_many_messages", "Emessage", "at most 100", "send fewer"))

    assert _texts(document, "NegativeReceipt/OriginalEmessage/RefuseCode") == ["syntaksfejl"]


@pytest.mark.parametrize("interchange", [EDIFACT, OIOXML])
def test_a_receipt_is_known_as_one_when_it_comes_back(interchange: Interchange) -> None:
    written = receipt_of(Receipt(interchange, (TAKEN, REFUSED), AT))

    assert letters_of(written) == (ReceivedReceipt("CTL02"), ReceivedReceipt("CTL03"))


@pytest.mark.parametrize("interchange", [EDIFACT, OIOXML])
def test_the_same_answer_is_the_same_bytes_and_another_has_other_numbers(interchange: Interchange) -> None:
    first, again = (receipt_of(Receipt(interchange, (TAKEN,), AT)) for _ in range(2))

    assert first == again
    assert first != receipt_of(Receipt(interchange, (TAKEN,), AT.replace(hour=1)))


def test_a_receipt_answers_something() -> None:
    with pytest.raises(ValueError, match="answers a letter"):
        receipt_of(Receipt(EDIFACT, (), AT))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("message_type_not_taken", RefuseCode.VERSION),
        ("invalid_gln", RefuseCode.UNKNOWN_LOCATION),
        ("party_count", RefuseCode.RECEIVER),
        ("letter_changed", RefuseCode.NOT_SPECIFIED),
        ("count_mismatch", RefuseCode.SYNTAX),
    ],
)
def test_our_codes_are_told_by_the_nearest_of_medcoms(code: str, told: RefuseCode) -> None:
    assert refuse_code(Refusal(code, "", "", "")) is told
