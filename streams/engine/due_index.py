"""The order in which deadlines fire, for more keys than fit in memory.

Every scheduled (due, key) stands in the store, ordered. The smallest of them, all up to a bound, are
also in a heap; beyond the bound the store alone knows them. An entry is a hint: it counts only if it
equals the key's current deadline, so rescheduling writes a new entry and leaves the old one to be
dropped when its time comes.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A deadline's time and the key it belongs to; entries fire in this order.
DueEntry = tuple[int, bytes]

#: Entries to add (True) and to remove (False).
DueChanges = dict[DueEntry, bool]

WINDOW_ENTRIES = 8192


class DueSource(Protocol):
    """The committed entries, in order."""

    def dues_after(self, entry: DueEntry | None, limit: int) -> Sequence[DueEntry]:
        """Returns the first `limit` entries greater than `entry`, or the first of all for None."""


class DueIndex:
    """The next deadline of every key of one partition.

    Holds at most about three windows of entries in memory, whatever the number of keys; a pop reads
    the store once per window. Changes are kept apart (pending, then in flight) until the engine has
    committed them, so `discard` forgets exactly what was not committed.
    """

    def __init__(
        self,
        source: DueSource,
        current_due: Callable[[bytes], int | None],
        window: int = WINDOW_ENTRIES,
    ) -> None:
        """Starts with nothing loaded. `current_due` tells a key's deadline as its state has it now."""
        self._source = source
        self._current_due = current_due
        self._window = window
        self._pending: DueChanges = {}
        self._in_flight: DueChanges = {}
        self._heap: list[DueEntry] = []
        self._bound: DueEntry | None = None
        self._complete = False

    def schedule(self, key: bytes, due: int | None) -> None:
        """Makes `due` the key's next deadline; None clears it. An earlier one of the key stops counting."""
        if due is None:
            return
        entry = (due, key)
        self._pending[entry] = True
        if self._complete or (self._bound is not None and entry <= self._bound):
            heapq.heappush(self._heap, entry)
            if len(self._heap) > 2 * self._window:
                self._shrink()

    def pop_due(self, until: int) -> DueEntry | None:
        """Takes the earliest deadline at or before `until`, or returns None.

        The caller changes the key's state and schedules its next deadline before the next pop; the
        same time again is allowed, and is popped again.
        """
        while self._bound is None or self._bound[0] <= until or self._heap:
            entry = self._first()
            if entry is None or entry[0] > until:
                return None
            heapq.heappop(self._heap)
            self._pending[entry] = False
            if self._current_due(entry[1]) == entry[0]:
                return entry
        return None

    def next_due(self) -> int | None:
        """Returns the time of the earliest deadline without taking it, None where there is none."""
        while (entry := self._first()) is not None:
            if self._current_due(entry[1]) == entry[0]:
                return entry[0]
            heapq.heappop(self._heap)
            self._pending[entry] = False
        return None

    def take(self) -> DueChanges:
        """Returns the changes since the last `take` and counts them as in flight until `written`."""
        changes, self._pending = self._pending, {}
        self._in_flight = changes
        return changes

    def written(self) -> None:
        """Forgets the changes in flight: the store has them now."""
        self._in_flight = {}

    def discard(self) -> None:
        """Forgets every change since the last `take`, what was popped included."""
        self._pending = {}
        self._heap = []
        self._bound = None
        self._complete = False

    def _first(self) -> DueEntry | None:
        while not self._heap and not self._complete:
            self._load_window()
        return self._heap[0] if self._heap else None

    def _load_window(self) -> None:
        after = self._bound
        stored = self._source.dues_after(after, self._window)
        self._complete = len(stored) < self._window
        self._bound = None if self._complete else stored[-1]
        changes = {**self._in_flight, **self._pending}
        entries = {entry for entry in stored if changes.get(entry, True)}
        for entry, added in changes.items():
            if added and self._in_window(entry, after):
                entries.add(entry)
        self._heap = sorted(entries)
        if len(self._heap) > 2 * self._window:
            self._shrink()

    def _in_window(self, entry: DueEntry, after: DueEntry | None) -> bool:
        beyond = after is None or entry > after
        return beyond and (self._bound is None or entry <= self._bound)

    def _shrink(self) -> None:
        """Drops the later half from memory; the store, or the pending changes, still have it."""
        self._heap = heapq.nsmallest(self._window, self._heap)
        self._bound = self._heap[-1]
        self._complete = False
