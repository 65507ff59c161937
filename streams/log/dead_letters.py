"""Dead letters as operations work with them: listed by their headers, opened with the private key, sent again once."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from connectors.vault.sealing import OriginalRecord, unseal_record
from schemas.instants import moment_of
from schemas.topics import kafka_name
from streams.agents.dead_letters import SEALED_FOR
from streams.log.accounting import dead_letter_key_of
from streams.log.reading import committed_records
from streams.log.refold import RETRY_HEADER
from streams.log.writing import Outbound, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from connectors.kafka.connection import KafkaConnection
    from streams.engine.processor import StoredRecord
    from streams.log.books import DeadLetterKey

TOPIC = kafka_name("dead-letters")
_MESSAGE = "__connect.errors.exception.message"


class DeadLetterError(Exception):
    """A dead letter is not there, or can't be sent again; the text says what to do."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; ``letter_id`` is its partition and offset, ``reason`` names field, rule and help."""

    letter_id: str
    origin: DeadLetterKey
    reason: str
    written_at: datetime
    sealed: bytes

    def opened(self, private_key: X25519PrivateKey) -> OriginalRecord:
        """Returns the record as it was; raises UnsealError where the key is another."""
        return unseal_record(private_key, self.sealed, SEALED_FOR)


def dead_letters(
    connection: KafkaConnection, partitions: int, starts: Mapping[int, int] = MappingProxyType({})
) -> Iterator[DeadLetter]:
    """Yields every dead letter still kept, by partition and age; blocks. ``starts`` is from which offset on."""
    for number in range(partitions):
        for record in committed_records(connection, (TOPIC, number), starts.get(number, 0)):
            letter = _dead_letter(number, record)
            if letter is not None:
                yield letter


def dead_letter(connection: KafkaConnection, letter_id: str) -> DeadLetter:
    """Returns a dead letter by its id (``3-17``); raises DeadLetterError where there is none."""
    partition, _, offset = letter_id.partition("-")
    if partition.isdecimal() and offset.isdecimal():
        place, position = (TOPIC, int(partition)), int(offset)
        for record in committed_records(connection, place, position, position + 1):
            letter = _dead_letter(place[1], record)
            if letter is not None and record.offset == position:
                return letter
    raise DeadLetterError(f"no dead letter has the id {letter_id}; `brobygger dead-letters list` shows them")


def send_again(connection: KafkaConnection, letter: DeadLetter, private_key: X25519PrivateKey) -> None:
    """Puts the original record back where it was, once ever, with a header that names the dead letter; blocks.

    Raises DeadLetterError where it was sent again before: the header is looked for on the origin topic. Two
    calls at the same moment may both send; what is folded is folded once all the same, by its event id.
    """
    origin, mark = letter.origin, letter.letter_id.encode()
    for record in committed_records(connection, (origin.topic, origin.partition), origin.offset):
        if (RETRY_HEADER, mark) in record.headers:
            raise DeadLetterError(
                f"{letter.letter_id} was sent again before, as {origin.topic} {origin.partition}@"
                f"{record.offset}; if that failed too, it has a dead letter of its own"
            )
    original = letter.opened(private_key)
    headers = (*original.headers, (RETRY_HEADER, mark))
    write_all(connection, [Outbound(origin.topic, original.key, original.value, headers, origin.partition)])


def _dead_letter(partition: int, record: StoredRecord) -> DeadLetter | None:
    origin = dead_letter_key_of(record)
    if origin is None or record.value is None:
        return None
    reason = dict(record.headers).get(_MESSAGE) or b""
    letter_id, written_at = f"{partition}-{record.offset}", moment_of(record.timestamp)
    return DeadLetter(letter_id, origin, reason.decode("utf-8", "replace"), written_at, record.value)
