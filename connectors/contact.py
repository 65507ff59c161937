"""Whether what a process needs for its work is there, said in its log whenever that changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

_log = structlog.get_logger(__name__)


class Contact:
    """Takes one answer after the other. ``is_there`` is what the last one was, False before the first.

    Logs ``contact_lost`` with what is wrong, and ``contact_found`` with how long it was away.
    """

    def __init__(self, with_what: str, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        """Takes what it is that may be away, and a clock that never goes back."""
        self._with_what = with_what
        self._clock_seconds = clock_seconds
        self._lost_at: float | None = None
        self.is_there = False

    def note(self, fault: str | None) -> None:
        """Takes an answer: what is wrong, None where nothing is."""
        if fault is not None and (self.is_there or self._lost_at is None):
            self._lost_at = self._clock_seconds()
            _log.warning("contact_lost", contact=self._with_what, fault=fault)
        elif fault is None and not self.is_there:
            away = 0.0 if self._lost_at is None else self._clock_seconds() - self._lost_at
            self._lost_at = None
            _log.info("contact_found", contact=self._with_what, away_seconds=round(away, 1))
        self.is_there = fault is None
