"""What a processor sees of one partition: its state by key, its deadlines, and what it writes.

Nothing here knows of Kafka. A worker commits the collected changes in a transaction; a replay or a
test writes them straight into a store (`offline.fold_offline`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

from streams.engine.due_index import DueChanges, DueEntry, DueIndex, DueSource
from streams.engine.limits import RecordTooLargeError, TransactionLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.outputs import Destination, Outgoing

#: The states changed since the last commit; None is a deletion.
StateChanges = dict[bytes, bytes | None]


class StateSource(DueSource, Protocol):
    """The committed states of one partition."""

    def get(self, key: bytes, /) -> bytes | None:
        """Returns the committed value, None where there is none."""


@dataclass(slots=True)
class Changes:
    """Everything one transaction writes, and how far it read."""

    states: StateChanges = field(default_factory=dict)
    dues: DueChanges = field(default_factory=dict)
    outputs: dict[Destination, list[Outgoing]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    log_time: int = 0
    records: int = 0
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)


class PartitionState:
    """One partition's state, as of the last record folded.

    Reads go to the changes not committed yet, then to those being committed, then to the store.
    `pending` is public for the hot loop: `pending.get(key)` first, `read(key)` where that gives None,
    `pending[key] = value` to write a value known to be small. What a processor derives from states it
    may keep only while `restarts` stays the same: a restart forgets folds that it has seen. Keys that
    begin with NUL + "engine/" are the engine's. Not safe for threads.
    """

    def __init__(
        self,
        partition: int,
        store: StateSource,
        due: Callable[[bytes, bytes], int | None],
        limits: TransactionLimits | None = None,
    ) -> None:
        """Opens an empty view; `restart` sets where it stands."""
        self.partition = partition
        self.limits = limits or TransactionLimits()
        self.pending: StateChanges = {}
        self.offsets: dict[str, int] = {}
        self.log_time = 0
        self.records = 0
        self.restarts = 0
        self._store_get = store.get
        self._due = due
        self._in_flight: StateChanges = {}
        self._dues = DueIndex(store, self._current_due)
        self._collected = Changes()
        self._record_bytes_max = self.limits.record_bytes_max
        self._output_bytes = 0
        self._put_bytes = 0

    def read(self, key: bytes) -> bytes | None:
        """Returns the key's value, None where it has none. May read the disk."""
        if key in self.pending:
            return self.pending[key]
        if key in self._in_flight:
            return self._in_flight[key]
        return self._store_get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Sets the key's value. Raises RecordTooLargeError where the changelog would refuse it."""
        size = len(key) + len(value)
        if size > self._record_bytes_max:
            self._refuse(size)
        self._put_bytes += size
        self.pending[key] = value

    def delete(self, key: bytes) -> None:
        """Removes the key; the changelog gets a tombstone."""
        self.pending[key] = None

    def emit(self, topic: str, partition: int, message: Outgoing) -> None:
        """Adds an output. Within one (topic, partition) the order of calls is the order in the log.

        Raises RecordTooLargeError where the broker would refuse it; nothing is added then.
        """
        size = message.size_bytes()
        if size > self._record_bytes_max:
            self._refuse(size)
        self._output_bytes += size
        messages = self._collected.outputs.get((topic, partition))
        if messages is None:
            self._collected.outputs[topic, partition] = [message]
        else:
            messages.append(message)

    def schedule(self, key: bytes, due: int | None) -> None:
        """Makes `due` the key's next deadline, None clears it. Must agree with `Processor.due` of its value."""
        self._dues.schedule(key, due)

    def pop_due(self, until: int) -> DueEntry | None:
        """Takes the earliest (due, key) at or before `until`, ordered by due, then key. None where there is none.

        The caller folds it, which must change what `Processor.due` says of the key, before the next
        call. Stop calling when `full` comes true.
        """
        return self._dues.pop_due(until)

    def next_due(self) -> int | None:
        """Returns the earliest deadline's time without taking it."""
        return self._dues.next_due()

    def advance(self, timestamp_ms: int) -> int:
        """Raises the log time to `timestamp_ms` where that is later, and returns the log time."""
        self.log_time = max(self.log_time, timestamp_ms)
        return self.log_time

    def count(self, name: str, *labels: str) -> None:
        """Counts something for the metrics; counted once the transaction has committed, never before."""
        counts = self._collected.counts
        counts[name, *labels] = counts.get((name, *labels), 0) + 1

    @property
    def full(self) -> bool:
        """Tells whether the transaction has reached a bound and must end before the next record."""
        limits = self.limits
        return (
            len(self.pending) >= limits.changed_keys_max
            or self._output_bytes >= limits.output_bytes_max
            or self._put_bytes >= limits.changed_bytes_max
            or self.records >= limits.records_max
        )

    @property
    def changed(self) -> bool:
        """Tells whether anything was folded since the last `take`."""
        return bool(self.records or self.pending or self._collected.outputs)

    def folded(self, topic: str, next_offset: int, records: int) -> None:
        """Notes that the topic has been folded up to, not including, `next_offset`. The engine calls it."""
        self.offsets[topic] = next_offset
        self.records += records

    def take(self) -> Changes:
        """Returns what changed since the last `take`; the state goes on, and reads still see it.

        One at a time: the next `take` comes after `written`.
        """
        changes = self._collected
        changes.states, changes.dues = self.pending, self._dues.take()
        changes.offsets, changes.log_time = dict(self.offsets), self.log_time
        changes.records = self.records
        self._in_flight = self.pending
        self._begin()
        return changes

    def written(self) -> None:
        """Notes that the store holds what the last `take` returned."""
        self._in_flight = {}
        self._dues.written()

    def restart(self, offsets: dict[str, int], log_time: int) -> None:
        """Forgets all that was not taken and stands at `offsets` and `log_time`."""
        self.offsets, self.log_time = dict(offsets), log_time
        self.restarts += 1
        self._dues.discard()
        self._begin()

    def _begin(self) -> None:
        self.pending = {}
        self._collected = Changes()
        self.records = self._output_bytes = self._put_bytes = 0

    def _current_due(self, key: bytes) -> int | None:
        value = self.read(key)
        return None if value is None else self._due(key, value)

    def _refuse(self, size_bytes: int) -> NoReturn:
        message = f"{size_bytes} bytes, at most {self._record_bytes_max} fit in one record"
        raise RecordTooLargeError(message)
