"""A flow of two stages whose every output an offline fold can foretell."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from streams.engine.outputs import Outgoing
from streams.engine.processor import TickRecord
from streams.engine.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.processor import Record
    from streams.engine.state import PartitionState

PARTITIONS = 4
SOURCES = ("chaos-a", "chaos-b")
INTAKE = "chaos-intake"
OUTPUT = "chaos-output"
MERGE_LOG = "chaos-merge-changelog"
JOIN_LOG = "chaos-join-changelog"
TOPICS = (*SOURCES, INTAKE, OUTPUT, MERGE_LOG, JOIN_LOG)

#: How long after its latest record a key is called silent.
SILENCE_MS = 700

_COUNT = struct.Struct(">Q")
_JOINED = struct.Struct(">QqQ")


class Merge:
    """Numbers each key's records per source and sends them to the intake, partitioned by key."""

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Writes one intake record for each record."""
        for index in range(start, len(records)):
            if state.full:
                return index
            record = records[index]
            key = record.key or b""
            counted = topic.encode() + b"/" + key
            count = 1 + _COUNT.unpack(state.read(counted) or _COUNT.pack(0))[0]
            state.put(counted, _COUNT.pack(count))
            origin = f"{topic}/{state.partition}/{record.offset}/{count}".encode()
            headers = [("origin", origin)]
            state.emit(INTAKE, partition_of(key), Outgoing(key, record.value, record.timestamp, headers))
            state.advance(record.timestamp)
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:
        """Returns None."""
        return None

    def next_wake(self, state: PartitionState) -> int | None:
        """Returns None."""
        return None

    def tick(self, state: PartitionState) -> TickRecord:
        """Is never called."""
        raise NotImplementedError


class Join:
    """Counts a key's records, tells every third, and tells once when the key has fallen silent."""

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Fires what is due before each record, then folds it; ticks tell the time only."""
        for index in range(start, len(records)):
            record = records[index]
            now = state.advance(record.timestamp)
            while not state.full and (due := state.pop_due(now)) is not None:
                self._fall_silent(state, *due)
            if state.full:
                return index
            if record.key is not None:
                self._count(state, record.key, record.timestamp)
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:
        """Returns when the key falls silent."""
        due = int(_JOINED.unpack(value)[1])
        return due if due >= 0 else None

    def next_wake(self, state: PartitionState) -> int | None:
        """Returns the earliest."""
        return state.next_due()

    def tick(self, state: PartitionState) -> TickRecord:
        """Returns an empty record."""
        return TickRecord(None, b"tick")

    def _count(self, state: PartitionState, key: bytes, timestamp: int) -> None:
        count, _, silences = _joined(state.read(key))
        due = timestamp + SILENCE_MS
        state.put(key, _JOINED.pack(count + 1, due, silences))
        state.schedule(key, due)
        if (count + 1) % 3 == 0:
            self._tell(state, key, f"count {count + 1}", timestamp)

    def _fall_silent(self, state: PartitionState, due: int, key: bytes) -> None:
        count, _, silences = _joined(state.read(key))
        state.put(key, _JOINED.pack(count, -1, silences + 1))
        state.schedule(key, None)
        self._tell(state, key, f"silent {silences + 1} after {count}", due)

    def _tell(self, state: PartitionState, key: bytes, text: str, timestamp: int) -> None:
        state.emit(OUTPUT, state.partition, Outgoing(key, text.encode(), timestamp))


def partition_of(key: bytes) -> int:
    """Returns the intake partition of a key."""
    return zlib.crc32(key) % PARTITIONS


def stages() -> list[Stage]:
    """Returns both stages."""
    return [
        Stage("merge", SOURCES, MERGE_LOG, Merge),
        Stage("join", (INTAKE,), JOIN_LOG, Join, tick_topic=INTAKE),
    ]


def _joined(value: bytes | None) -> tuple[int, int, int]:
    return (0, -1, 0) if value is None else _JOINED.unpack(value)
