"""What the engine asks of the code it runs: a pure fold over one partition's records.

A processor never reads a clock, opens a file or awaits: all it knows comes from the records and from
the `PartitionState` it is handed. The same processor therefore gives the same state and the same
outputs in a worker, in a replay and in a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.state import PartitionState


class Record(Protocol):
    """One message as the broker stored it; read only."""

    @property
    def offset(self) -> int:
        """Returns the position in its topic partition; positions may skip numbers."""

    @property
    def timestamp(self) -> int:
        """Returns the message's time in ms since 1970, the broker's own on LogAppendTime topics."""

    @property
    def key(self) -> bytes | None:
        """Returns the key's bytes."""

    @property
    def value(self) -> bytes | None:
        """Returns the value's bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Returns the headers in their order; names may repeat."""


class StoredRecord(NamedTuple):
    """A `Record` built by hand: for replay from files, for tests."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class TickRecord(NamedTuple):
    """The key and value of a record that only tells the time."""

    key: bytes | None
    value: bytes


class Processor(Protocol):
    """One stage's logic. One instance per task, which keeps nothing itself: all it remembers is in the state."""

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Folds `records[start:]` into `state` and returns the index of the first record not folded.

        Never awaits and never raises for what a record says: an exception ends the process, and the
        next owner would end the same way, so what cannot be read is dead-lettered here. Returns
        `len(records)`, or less where `state.full` came true: the engine then commits and calls again
        from that index with the same records. Deadlines fired before that record stay fired, because
        firing them changed the state. Before a record is folded every deadline due at or before its
        time is fired (`state.pop_due`), and `state.advance` is told its time.
        """

    def due(self, key: bytes, value: bytes) -> int | None:
        """Returns the earliest deadline inside a state value, in the unit given to `schedule`.

        Rebuilds the index after a restore and tells a live index entry from a stale one. Must equal
        what the last `schedule` for that key said. Called with every key, the reserved ones included.
        """

    def next_wake(self, state: PartitionState) -> int | None:
        """Returns the log time (ms) at which the next deadline is due, None where none is.

        Where nothing arrives until then, the engine appends `tick` to the stage's tick topic. With
        deadlines in log time this is `state.next_due()`; a calendar maps it here.
        """

    def tick(self, state: PartitionState) -> TickRecord:
        """Returns the record that tells this partition the time; the broker stamps it."""
