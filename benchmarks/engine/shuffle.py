"""The benchmark's job: per key a count, a sum, a first and a last time; every fifth goes out."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from streams.engine.outputs import Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.processor import Record, TickRecord
    from streams.engine.state import PartitionState

_STATE = struct.Struct(">qqqq")
_INPUT = struct.Struct(">qq")
_EVERY = 5


class Shuffle:
    """Folds the job. Outputs go to the same partition number of `output`."""

    def __init__(self, output: str) -> None:
        """Writes to the topic `output`."""
        self._output = output

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:  # noqa: ARG002
        """Folds all records: slices are small against the bounds on a transaction."""
        if state.full:
            return start
        pending, read, emit = state.pending, state.read, state.emit
        unpack_input, unpack_state, pack_state = _INPUT.unpack_from, _STATE.unpack, _STATE.pack
        for record in records[start:] if start else records:
            key = record.key
            value = record.value
            if key is None or value is None:
                continue
            at, sequence = unpack_input(value)
            current = pending.get(key) or read(key)
            if current is None:
                pending[key] = pack_state(1, sequence, at, at)
                continue
            count, total, first, _ = unpack_state(current)
            count += 1
            changed = pending[key] = pack_state(count, total + sequence, first, at)
            if count % _EVERY == 0:
                emit(self._output, state.partition, Outgoing(key, changed, record.timestamp))
        state.advance(records[-1].timestamp)
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:  # noqa: ARG002
        """Returns None: nothing here waits for a time."""
        return None

    def next_wake(self, state: PartitionState) -> int | None:  # noqa: ARG002
        """Returns None."""
        return None

    def tick(self, state: PartitionState) -> TickRecord:
        """Is never called."""
        raise NotImplementedError
