"""Small processors and records for the engine's own tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord, TickRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.processor import Record
    from streams.engine.state import PartitionState

_STATE = struct.Struct(">Qq")


class Counting:
    """Counts a key's records, emits each count, and fires `after_ms` after the last one."""

    def __init__(self, after_ms: int = 100) -> None:
        self._after_ms = after_ms

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        for index in range(start, len(records)):
            if state.full:
                return index
            now = state.advance(records[index].timestamp)
            while (due := state.pop_due(now)) is not None:
                self._fire(state, *due)
                if state.full:
                    return index
            self._count(state, records[index])
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:
        due = int(_STATE.unpack(value)[1])
        return None if due < 0 else due

    def next_wake(self, state: PartitionState) -> int | None:
        return state.next_due()

    def tick(self, state: PartitionState) -> TickRecord:
        return TickRecord(None, b"tick")

    def _count(self, state: PartitionState, record: Record) -> None:
        if record.key is None:
            return
        count = 1 + (_STATE.unpack(state.read(record.key) or _STATE.pack(0, -1)))[0]
        due = record.timestamp + self._after_ms
        state.put(record.key, _STATE.pack(count, due))
        state.schedule(record.key, due)
        state.emit("out", 0, Outgoing(record.key, str(count).encode(), record.timestamp))

    def _fire(self, state: PartitionState, due: int, key: bytes) -> None:
        count = _STATE.unpack(state.read(key) or b"")[0]
        state.put(key, _STATE.pack(count, -1))
        state.schedule(key, None)
        state.emit("out", 0, Outgoing(key, b"fired", due))


def a_record(offset: int, key: bytes | None = b"key", timestamp: int | None = None) -> StoredRecord:
    """Returns a record ten ms after the one before it."""
    return StoredRecord(offset, 10 * offset if timestamp is None else timestamp, key, b"value")
