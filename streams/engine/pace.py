"""How often a task commits, and how much it folds before others get their turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.engine.stage import TransactionSettings

_SLICE_SECONDS = 0.02
_SLICE_RECORDS_MIN = 64
_SLICE_RECORDS_MAX = 8192


class Pace:
    """Spaces transactions, and sizes slices of folding to about 20 ms."""

    def __init__(self, settings: TransactionSettings) -> None:
        """Allows the first transaction at once."""
        self._interval_seconds = max(
            settings.floor.total_seconds(),
            0.0 if settings.interval is None else settings.interval.total_seconds(),
        )
        self._stretch = settings.stretch
        self._began_at = float("-inf")
        self._duration_seconds = 0.0
        self.slice_records = _SLICE_RECORDS_MIN

    def note_begin(self) -> None:
        """Notes that a transaction begins now."""
        self._began_at = time.monotonic()

    def note_end(self, seconds: float) -> None:
        """Notes how long the transaction took: under pressure they grow fewer and larger."""
        self._duration_seconds = seconds

    def remaining_seconds(self) -> float:
        """Returns how long the next transaction has to wait yet; zero or less for not at all."""
        spacing = max(self._interval_seconds, self._stretch * self._duration_seconds)
        return self._began_at + spacing - time.monotonic()

    def note_fold(self, records: int, seconds: float) -> None:
        """Learns from a fold how many records the next slice may have: at most twice as many."""
        if records <= 0:
            return
        fitting = int(_SLICE_SECONDS * records / max(seconds, 1e-6))
        bounded = min(fitting, 2 * self.slice_records, _SLICE_RECORDS_MAX)
        self.slice_records = max(bounded, _SLICE_RECORDS_MIN)
