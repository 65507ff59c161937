"""Folds without a broker: what a replay, a reconciliation and a test's oracle run.

The same processor over the same records gives the same outputs and states here as in a worker,
because all either adds is where transactions end, and no result may depend on that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from streams.engine.meta import META_KEY, Meta
from streams.engine.state import Changes, PartitionState
from streams.engine.store import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streams.engine.limits import TransactionLimits
    from streams.engine.processor import Processor, Record
    from streams.engine.store import Store


class OfflineTask:
    """One partition's fold over a store, each transaction written straight into it."""

    def __init__(
        self, processor: Processor, partition: int, store: Store, limits: TransactionLimits | None = None
    ) -> None:
        """Continues where the store stands."""
        self._processor = processor
        self._store = store
        self.state = PartitionState(partition, store, processor.due, limits)
        meta = store.meta()
        if meta is not None:
            self.state.restart(meta.offsets, meta.log_time)

    def fold(self, topic: str, records: Sequence[Record]) -> Iterator[Changes]:
        """Yields each transaction that folding all `records` made, after it was written. Lazy: iterate to the end."""
        index = 0
        while index < len(records):
            folded = self._processor.fold(self.state, topic, records, index)
            at_end = folded == len(records)
            next_offset = records[-1].offset + 1 if at_end else records[folded].offset
            self.state.folded(topic, next_offset, folded - index)
            index = folded
            yield self._write()

    def _write(self) -> Changes:
        changes = self.state.take()
        meta = Meta(changes.offsets, changes.log_time, release="0", partitions=0)
        states = {**changes.states, META_KEY: meta.encode()}
        self._store.write(states, changes.dues, Mark(0, int(time.time() * 1000)))
        self.state.written()
        return changes
