"""Receipts of letters: reliable messaging's four cases, decided on what was received before.

MedCom, "Reliable messaging": Bundle.id is new on every send, the letter (sender, MessageHeader.id, episode) is
not. A receipt holds the acknowledgement as it was first given, sealed, since it repeats the sender's ids. It is written
``pending`` before anything is published and ``done`` after the broker's confirmation, so that a gateway that dies in
between publishes the same events again, under the same ids, and gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, or_, select, update

from connectors.gateway.tables import DONE, PENDING, RECEIPTS, in_transaction
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from connectors.gateway.tables import Seal


class ReceiptStatus(StrEnum):
    """What a message is, seen against those received before."""

    NEW = "new"
    REPEAT = "repeat"
    RESUBMISSION = "resubmission"
    BUNDLE_REUSED = "bundle_reused"
    CONTENT_CHANGED = "content_changed"


@dataclass(frozen=True, slots=True)
class MessageFingerprint:
    """A message as receipts know it: fingerprints only, and the seal of its answer.

    ``letter`` is None for a message that is refused: its letter was not taken, and may come again corrected.
    ``publishes`` is false for what is acknowledged and not published.
    """

    bundle: bytes
    header: bytes
    letter: bytes | None
    content: bytes
    publishes: bool
    seal: Seal = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What to do with a message: publish it as recorded then, or not at all; and what to answer after it."""

    case: ReceiptStatus
    publish_as_of: datetime | None
    acknowledgement: bytes


Acknowledge = Callable[[ReceiptStatus], bytes]


class ReceiptStore:
    """The receipts in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def open(self, letter: MessageFingerprint, acknowledge: Acknowledge, at: datetime) -> Opened:
        """Returns what to do with a message, having written its receipt where it had none.

        ``acknowledge`` builds the answer of a case and is called at most once.
        """

        def work(connection: Connection) -> Opened:
            known = connection.execute(select(RECEIPTS).where(_related(letter))).all()
            case, publish_as_of, original = receipt_status_of(letter, known, at)
            acknowledgement = letter.seal.opened(original) if original is not None else acknowledge(case)
            opened = Opened(case, publish_as_of, acknowledgement)
            if not any(_is_pair(row, letter) for row in known):
                connection.execute(insert(RECEIPTS).values(_values(letter, opened, at)))
            return opened

        return in_transaction(self._engine, work)

    def close(self, letter: MessageFingerprint) -> None:
        """Marks the letter done, whichever messages carried it."""
        done = update(RECEIPTS).where(_related(letter), RECEIPTS.c.letter == letter.letter).values(state=DONE)
        in_transaction(self._engine, lambda connection: connection.execute(done))

    def withdraw(self, letter: MessageFingerprint) -> None:
        """Forgets a letter that was opened and not closed: sent again, it is about somebody else."""
        unfinished = delete(RECEIPTS).where(RECEIPTS.c.letter == letter.letter, RECEIPTS.c.state == PENDING)
        in_transaction(self._engine, lambda connection: connection.execute(unfinished))

    def prune(self, before: datetime) -> int:
        """Returns how many receipts from before that time were deleted."""
        old = delete(RECEIPTS).where(RECEIPTS.c.recorded_at_ms < milliseconds_of(before))
        return in_transaction(self._engine, lambda connection: connection.execute(old).rowcount)


def receipt_status_of(
    letter: MessageFingerprint, known: Sequence[Row[Any]], at: datetime
) -> tuple[ReceiptStatus, datetime | None, bytes | None]:
    """Returns the case, the time to publish as of (None: publish nothing), and the original answer if there is one."""
    publish_as_of = at if letter.publishes else None
    for row in known:
        if _is_pair(row, letter):
            return _decide_pair(letter, row)
    if any(row.bundle == letter.bundle for row in known):
        return ReceiptStatus.BUNDLE_REUSED, None, None
    earlier = [row for row in known if letter.letter is not None and row.letter == letter.letter]
    if not earlier:
        return ReceiptStatus.NEW, publish_as_of, None
    if any(row.content != letter.content for row in earlier):
        return ReceiptStatus.CONTENT_CHANGED, None, None
    if any(row.state == DONE for row in earlier):
        return ReceiptStatus.RESUBMISSION, None, None
    return ReceiptStatus.RESUBMISSION, moment_of(min(row.recorded_at_ms for row in earlier)), None


def _decide_pair(letter: MessageFingerprint, row: Row[Any]) -> tuple[ReceiptStatus, datetime | None, bytes | None]:
    if row.state == DONE:
        return ReceiptStatus.REPEAT, None, row.acknowledgement
    if row.content != letter.content or row.letter != letter.letter:
        return ReceiptStatus.CONTENT_CHANGED, None, None
    return ReceiptStatus.REPEAT, moment_of(row.recorded_at_ms), row.acknowledgement


def _related(letter: MessageFingerprint) -> Any:
    same_bundle = RECEIPTS.c.bundle == letter.bundle
    return same_bundle if letter.letter is None else or_(same_bundle, and_(RECEIPTS.c.letter == letter.letter))


def _is_pair(row: Row[Any], letter: MessageFingerprint) -> bool:
    return bool(row.bundle == letter.bundle and row.header == letter.header)


def _values(letter: MessageFingerprint, opened: Opened, at: datetime) -> dict[str, Any]:
    taken = opened.case in {ReceiptStatus.NEW, ReceiptStatus.RESUBMISSION}
    as_of = opened.publish_as_of
    return {
        "bundle": letter.bundle,
        "header": letter.header,
        "letter": letter.letter if taken else None,
        "content": letter.content,
        "recorded_at_ms": milliseconds_of(as_of or at),
        "state": DONE if as_of is None else PENDING,
        "acknowledgement": letter.seal.sealed(opened.acknowledgement),
    }
