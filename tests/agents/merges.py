"""Stage 1 offline for one partition, and records for it: good ones, and such as no gateway would have written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.vault.sealing import OriginalRecord, unseal_record
from schemas.codec import codec, raw_of
from schemas.events import EventHeader, Reply
from schemas.instants import milliseconds_of
from schemas.internal import Intake
from schemas.topics import kafka_name
from streams.agents.dead_letters import SEALED_FOR, DeadLetters
from streams.agents.merge_intake import STAGE, MergeIntake
from streams.engine.offline import OfflineTask
from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord
from streams.engine.store import MemoryStore
from tests.agents.intake import PSEUDONYMS, SEALING_KEY
from tests.domain.story import MONDAY, a_step, an_id, header

PARTITIONS = 4
HEADERS = (("ce_id", b"1"), ("trace", b"\x00\xff"), ("trace", b"again"))
GOOD = a_step("good", MONDAY, "discharged_home")
PREFIX = codec(type(GOOD)).prefix
# The place of the good record's status: its header and episode come first, byte for byte as with any other status.
STATUS_AT = next(
    place
    for place, (one, other) in enumerate(
        zip(
            codec(type(GOOD)).encode(GOOD),
            codec(type(GOOD)).encode(GOOD.model_copy(update={"status": "deceased"})),
            strict=True,
        )
    )
    if one != other
)


class Merge:
    """One partition of stage 1, offline: what it wrote, by topic."""

    def __init__(self, count_max: int = 200, window: int = 1000) -> None:
        """Starts with an empty store."""
        letters = DeadLetters(STAGE, SEALING_KEY.public_key(), count_max, window)
        self._task = OfflineTask(MergeIntake(PSEUDONYMS, letters, PARTITIONS), 3, MemoryStore())
        self.written: dict[str, list[tuple[int, Outgoing]]] = {}

    def take(self, topic: str, records: Iterable[StoredRecord]) -> Merge:
        """Merges records of a topic."""
        for changes in self._task.fold(kafka_name(topic), list(records)):
            for (name, partition), messages in changes.outputs.items():
                self.written.setdefault(name, []).extend((partition, one) for one in messages)
        return self

    def merged(self) -> list[dict[str, Any]]:
        """Returns the raw records written to the intake log."""
        return [codec(Intake).decode_raw(one.value or b"") for _, one in self.written.get(kafka_name("intake"), [])]

    def letters(self) -> list[tuple[OriginalRecord, dict[str, str]]]:
        """Returns each dead letter as it was, and its reasons by the last part of their headers' names."""
        return [
            (
                unseal_record(SEALING_KEY, one.value or b"", SEALED_FOR),
                {name.removeprefix("__connect.errors."): text.decode() for name, text in one.headers},
            )
            for _, one in self.written.get(kafka_name("dead-letters"), [])
        ]


def a_record(event: EventHeader = GOOD, **changes: Any) -> StoredRecord:
    """Builds a record as the gateway would have written it, but for what is changed."""
    key = None if event.youth_id is None else event.youth_id.encode()
    whole = StoredRecord(7, milliseconds_of(MONDAY), key, codec(type(event)).encode(event), HEADERS)
    return whole._replace(**changes)


def with_status(byte: bytes) -> bytes:
    """Returns the good record's bytes with another index of its status."""
    whole = codec(type(GOOD)).encode(GOOD)
    return whole[:STATUS_AT] + byte + whole[STATUS_AT + 1 :]


def altered(event: EventHeader, **changes: Any) -> bytes:
    """Returns an event's bytes with raw fields that no model would let through."""
    return codec(type(event)).encode_raw(raw_of(event) | changes)


def a_reply(programme: str, pseudonym: str) -> Reply:
    """Builds a reply of a programme under a pseudonym."""
    base = header("reply", MONDAY, youth_id=pseudonym, subject=str(an_id("handover")), source=programme)
    return Reply.model_validate(base | {"programme": programme, "status": "accepted"})
