"""Dead letters: what can't be read, kept untouched and sealed, with the reason in Kafka Connect's headers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.vault.sealing import OriginalRecord, seal_record
from schemas.topics import kafka_name
from streams.engine.outputs import Outgoing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from schemas.refusals import Refusal
    from streams.engine.processor import Record
    from streams.engine.state import PartitionState

SEALED_FOR = b"brobygger dead letter"
#: What whoever sends statements can bring about as often as they like: no release is at fault.
_OF_SENDERS = frozenset({"conflicting_duplicate", "pathway_full"})
_TOPIC = kafka_name("dead-letters")


class TooManyDeadLettersError(Exception):
    """So many records in a row can't be read that the release, not the records, must be at fault."""


@dataclass(slots=True)
class DeadLetters:
    """Writes the dead letters of one task, inside its transaction.

    Stops the worker where more than ``count_max`` of the last ``window`` records couldn't be read: the offset stays
    before them, and a mended release reads them again. What a sender can bring about stops nobody.
    """

    stage: str
    sealing_key: X25519PublicKey
    count_max: int = 200
    window: int = 1000
    _recent: deque[int] = field(default_factory=deque)
    _records: int = 0

    def write(self, state: PartitionState, topic: str, record: Record, refusal: Refusal) -> None:
        """Emits a record as a dead letter; raises TooManyDeadLettersError past the limit."""
        if refusal.code not in _OF_SENDERS:
            self._count(state)
        original = OriginalRecord(
            record.key, record.value, tuple((name, value or b"") for name, value in record.headers)
        )
        sealed = seal_record(self.sealing_key, original, SEALED_FOR)
        reasons = {
            "topic": topic,
            "partition": str(state.partition),
            "offset": str(record.offset),
            "connector.name": "brobygger",
            "stage": self.stage,
            "class.name": refusal.code,
            "exception.class.name": refusal.code,
            "exception.message": f"{refusal.field}: {refusal.rule}; {refusal.help}",
        }
        headers = [(f"__connect.errors.{name}", text.encode()) for name, text in reasons.items()]
        state.emit(_TOPIC, state.partition, Outgoing(None, sealed, state.log_time, headers))
        state.count("dead_letters", refusal.code)

    def saw(self, records: int) -> None:
        """Counts records that were looked at, dead letters among them."""
        self._records += records

    def _count(self, state: PartitionState) -> None:
        self._recent.append(self._records)
        while self._recent and self._recent[0] < self._records - self.window:
            self._recent.popleft()
        if len(self._recent) > self.count_max:
            raise TooManyDeadLettersError(
                f"{self.stage} partition {state.partition}: more than {self.count_max} of {self.window} records "
                "can't be read; mend or roll back the release, nothing of them was passed over"
            )
