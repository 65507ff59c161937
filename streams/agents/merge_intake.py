"""Stage 1: validates every public record, keys it by its young person, and writes the one intake log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.codec import Codec, codec
from schemas.codes import ReplyStatus
from schemas.internal import Intake
from schemas.refusals import Refusal, RefusedError
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS, entry_of, kafka_name
from streams.agents.audience import understood_under
from streams.engine.outputs import Outgoing
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.vault.pseudonyms import Pseudonyms
    from streams.agents.dead_letters import DeadLetters
    from streams.engine.processor import Record, TickRecord
    from streams.engine.state import PartitionState

STAGE = "merge_intake"
INPUTS = tuple(kafka_name(name) for name in (*STATEMENT_TOPICS, *INTERNAL_STATEMENT_TOPICS))
_INTAKE = kafka_name("intake")
_YOUTH_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class MergeIntake:
    """The processor of stage 1. It keeps no state: duplicates are recognised where they are folded."""

    pseudonyms: Pseudonyms
    dead_letters: DeadLetters
    partitions: int

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Writes each record to the intake log, or to the dead letters."""
        reader = codec(entry_of(topic).model)
        for index in range(start, len(records)):
            if state.full:
                return index
            record = records[index]
            state.advance(record.timestamp)
            self.dead_letters.saw(1)
            try:
                self._merge(state, topic, record, reader)
            except RefusedError as error:
                self.dead_letters.write(state, topic, record, error.refusal)
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:  # noqa: ARG002
        """Returns None: this stage has no deadlines."""
        return None

    def next_wake(self, state: PartitionState) -> int | None:  # noqa: ARG002
        """Returns None: this stage has no deadlines."""
        return None

    def tick(self, state: PartitionState) -> TickRecord:
        """Never asked for, since nothing is ever due."""
        raise AssertionError(state.partition)

    def _merge(self, state: PartitionState, topic: str, record: Record, reader: Codec) -> None:
        if record.value is None:
            raise _refused(
                "null_value", "value", "a statement has a value", "cancel it with an event that has `cancels`"
            )
        event = reader.decode_raw(record.value)
        reader.validated(event)
        key = _key_of(record)
        whose = event["programme"] if event.get("status") == ReplyStatus.FREE_CAPACITY else event["youth_id"]
        if key != whose or key is None:
            raise _refused("wrong_key", "key", "the key is the event's youth_id", "send it again with that key")
        pseudonym = event["youth_id"] if topic == _REPLIES else None
        if pseudonym is not None:
            event = self._understood(event)
            key = event["youth_id"]
        elif not _YOUTH_ID.fullmatch(key) and topic != _REPLIES:
            raise _refused(
                "unknown_youth_id",
                "youth_id",
                "a youth id is 32 lower-case hexadecimal characters",
                "send it through the gateway, which asks the vault",
            )
        model = reader.model.__name__
        fields = {
            "origin_topic": topic,
            "origin_partition": state.partition,
            "origin_offset": record.offset,
            "pseudonym": pseudonym,
            "body": (f"brobygger.{model}", event),
        }
        intake_key = key.encode()
        value = codec(Intake).encode_raw(fields)
        partition = partition_of(intake_key, self.partitions)
        state.emit(_INTAKE, partition, Outgoing(intake_key, value, record.timestamp, ()))
        state.count("events", topic, "merged")

    def _understood(self, event: dict[str, Any]) -> dict[str, Any]:
        """Returns a reply with our ids: one that was not told under its pseudonym becomes one that nobody has."""
        alias = self.pseudonyms.alias_under(event["programme"], event["youth_id"])
        if alias is None:
            raise _refused(
                "unknown_pseudonym",
                "youth_id",
                "the key is a pseudonym that this programme was given",
                "copy youth_id from the handover",
            )
        return understood_under(alias, event)


_REPLIES = kafka_name("replies")


def _key_of(record: Record) -> str | None:
    try:
        return None if record.key is None else record.key.decode("ascii")
    except UnicodeDecodeError as error:
        raise _refused("wrong_key", "key", "a key is ASCII text", "send it again with its youth_id as key") from error


def _refused(code: str, field: str, rule: str, help_text: str) -> RefusedError:
    return RefusedError(Refusal(code, field, rule, help_text))
