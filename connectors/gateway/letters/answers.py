"""What is answered to each letter of an interchange, as it is kept, and the receipt that is written from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from connectors.gateway.letters.receipts import MessageFingerprint
from connectors.medcom_edi.fields import Addressed
from connectors.medcom_edi.outcomes import EdiOutOfScope, EdiRefused, EdiTranslation
from connectors.medcom_edi.receipt_words import Receipt, ReceiptOutcome
from connectors.medcom_edi.receipts import receipt_of
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.gateway.tables import Fingerprints
    from connectors.medcom_edi.fields import Interchange

LETTER_CHANGED = Refusal(
    "letter_changed",
    "letter",
    "a letter that is sent again under its number says the same",
    "send what has changed as a correction (rettetbrev), or under a number of its own",
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One letter's answer; ``addressed`` is None where a receipt can't name it, ``at`` is when it was first given."""

    addressed: Addressed | None
    refusal: Refusal | None
    at: datetime

    def written(self) -> bytes:
        """Returns the answer as bytes."""
        addressed = None if self.addressed is None else asdict(self.addressed)
        refusal = None if self.refusal is None else self.refusal.as_dict()
        return json.dumps({"addressed": addressed, "refusal": refusal, "at": self.at.isoformat()}).encode()

    @classmethod
    def read(cls, written: bytes) -> Self:
        """Returns the answer that bytes are."""
        value = json.loads(written)
        addressed, refusal = value["addressed"], value["refusal"]
        return cls(
            None if addressed is None else Addressed(**addressed),
            None if refusal is None else Refusal(**refusal),
            datetime.fromisoformat(value["at"]),
        )


def receipt_for(interchange: Interchange, answers: Sequence[StoredAnswer]) -> bytes:
    """Returns the receipt of an interchange, dated by its latest answer.

    A letter that a receipt can't name is refused at the interchange, which has room for one reason.
    """
    named = tuple(ReceiptOutcome(kept.addressed, kept.refusal) for kept in answers if kept.addressed is not None)
    unnamed = [kept.refusal for kept in answers if kept.addressed is None]
    at = max(kept.at for kept in answers)
    return receipt_of(Receipt(interchange, named, at, unnamed[0] if unnamed else None))


def fingerprint_of(
    fingerprints: Fingerprints, interchange: Interchange, outcome: EdiTranslation | EdiOutOfScope | EdiRefused, nth: int
) -> MessageFingerprint:
    """Returns a letter as fingerprints.

    The same letter with the same content in the same interchange is a repeat, in another interchange or syntax a
    resubmission; with other content it has changed. What is refused is not taken, and may come again corrected.
    """
    of = fingerprints.of
    letter = None if isinstance(outcome, EdiRefused) else of("letter", str(outcome.letter_id))
    if isinstance(outcome, EdiTranslation):
        said = outcome.content_digest
    else:
        said = outcome.reason if isinstance(outcome, EdiOutOfScope) else outcome.refusal.code
    identifier = str(nth) if outcome.addressed is None else outcome.addressed.identifier
    place = ("edi", interchange.sender, interchange.identifier, identifier)
    return MessageFingerprint(
        bundle=of(*place, type(outcome).__name__, str(letter), said),
        header=of(*place),
        letter=letter,
        content=of("content", said),
        publishes=isinstance(outcome, EdiTranslation),
        seal=fingerprints.seal_of(*place),
    )


def unreadable_letter_of(fingerprints: Fingerprints, interchange: Interchange, body: bytes) -> MessageFingerprint:
    """Returns an interchange of which nothing is taken: the same bytes are a repeat."""
    parts = ("edi-interchange", interchange.sender, interchange.identifier, body)
    place = fingerprints.of(*parts)
    seal = fingerprints.seal_of(*parts)
    return MessageFingerprint(bundle=place, header=place, letter=None, content=place, publishes=False, seal=seal)
