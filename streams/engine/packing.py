"""Turns messages into record batches of the broker's own format, ready to send.

One batch a call costs the producer what one message would: that is most of the engine's speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from streams.engine.outputs import Outgoing


class BatchBuilder(Protocol):
    """A record batch being filled: aiokafka's BatchBuilder."""

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Sequence[object] = ...
    ) -> object | None:
        """Adds a record; returns None, and adds nothing, where the batch is full."""

    def close(self) -> None:
        """Ends filling."""

    def record_count(self) -> int:
        """Returns how many records were added."""


class PackingError(ValueError):
    """A record does not fit into an empty batch."""


def pack_outputs(create_batch: Callable[[], BatchBuilder], messages: Iterable[Outgoing]) -> Iterator[BatchBuilder]:
    """Yields closed batches of all messages, in order; lazy, one batch in memory at a time."""
    batch = create_batch()
    for key, value, timestamp_ms, headers in messages:
        listed = list(headers)  # the parser written in C takes nothing but a list
        while batch.append(timestamp=timestamp_ms, key=key, value=value, headers=listed) is None:
            yield _closed(batch)
            batch = create_batch()
    if batch.record_count():
        yield _closed(batch)


def pack_states(
    create_batch: Callable[[], BatchBuilder], states: Iterable[tuple[bytes, bytes | None]], timestamp_ms: int
) -> Iterator[BatchBuilder]:
    """Yields closed batches of changed states, deletions as tombstones; lazy as `pack_outputs`."""
    batch = create_batch()
    append = batch.append
    for key, value in states:
        while append(timestamp=timestamp_ms, key=key, value=value) is None:
            yield _closed(batch)
            batch = create_batch()
            append = batch.append
    if batch.record_count():
        yield _closed(batch)


def _closed(batch: BatchBuilder) -> BatchBuilder:
    if not batch.record_count():
        message = "a record does not fit into an empty batch"
        raise PackingError(message)
    batch.close()
    return batch
