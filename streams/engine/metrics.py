"""What the engine tells whoever measures it. A port: the Prometheus side lives outside the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class EngineMetrics(Protocol):
    """Called on the event loop, in the hot path: returns at once and never raises. Times in seconds."""

    def batch_folded(self, stage: str, partition: int, records: int) -> None:
        """Notes one fold of `records` records; they are not committed yet."""

    def transaction_committed(self, stage: str, partition: int, seconds: float) -> None:
        """Notes a committed transaction and how long it took from begin to commit."""

    def counted(self, stage: str, counts: Mapping[tuple[str, ...], int]) -> None:
        """Adds what the processor counted with `PartitionState.count`, once its transaction committed."""

    def produce_failed(self, stage: str, reason: str) -> None:
        """Notes a failed send, commit or fence. The process ends after it."""

    def recovery_remaining(self, stage: str, partition: int, records: int) -> None:
        """Notes how many changelog offsets are left to restore; 0 when done."""

    def rebalanced(self) -> None:
        """Notes that the group gave this worker a new assignment."""

    def task_observed(self, stage: str, partition: int, uncommitted_seconds: float) -> None:
        """Notes, about once a second, the age of the oldest fold not committed; 0 when there is none."""

    def lag_observed(self, topic: str, partition: int, records: int) -> None:
        """Notes, about once a second, how many offsets lie between what is folded and the log's end."""


class NoMetrics:
    """Measures nothing."""

    def batch_folded(self, stage: str, partition: int, records: int) -> None:
        """Does nothing."""

    def transaction_committed(self, stage: str, partition: int, seconds: float) -> None:
        """Does nothing."""

    def counted(self, stage: str, counts: Mapping[tuple[str, ...], int]) -> None:
        """Does nothing."""

    def produce_failed(self, stage: str, reason: str) -> None:
        """Does nothing."""

    def recovery_remaining(self, stage: str, partition: int, records: int) -> None:
        """Does nothing."""

    def rebalanced(self) -> None:
        """Does nothing."""

    def task_observed(self, stage: str, partition: int, uncommitted_seconds: float) -> None:
        """Does nothing."""

    def lag_observed(self, topic: str, partition: int, records: int) -> None:
        """Does nothing."""
