"""The due index against a sorted list, over windows smaller than what it holds."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streams.engine.due_index import DueIndex
from streams.engine.store import MemoryStore

_KEYS = st.integers(0, 30).map(lambda number: b"key-%02d" % number)
_TIMES = st.integers(-5, 40)


class DueIndexAgainstAModel(RuleBasedStateMachine):
    """`current` is every key's deadline; `committed` is what a discard goes back to."""

    @initialize(window=st.integers(1, 6))
    def start(self, window: int) -> None:
        self.store = MemoryStore()
        self.current: dict[bytes, int] = {}
        self.committed: dict[bytes, int] = {}
        self.index = DueIndex(self.store, self.current_due, window)
        self.taken: dict[tuple[int, bytes], bool] | None = None

    def current_due(self, key: bytes) -> int | None:
        return self.current.get(key)

    @rule(key=_KEYS, due=st.none() | _TIMES)
    def schedule(self, key: bytes, due: int | None) -> None:
        if due is None:
            self.current.pop(key, None)
        else:
            self.current[key] = due
        self.index.schedule(key, due)

    @rule(until=_TIMES, later=st.none() | st.integers(0, 10))
    def pop(self, until: int, later: int | None) -> None:
        expected = min(((due, key) for key, due in self.current.items() if due <= until), default=None)

        popped = self.index.pop_due(until)

        assert popped == expected
        if popped is not None:
            self.schedule(popped[1], None if later is None else popped[0] + later)

    @rule()
    def take(self) -> None:
        if self.taken is None:
            self.taken, self.committed = self.index.take(), dict(self.current)

    @rule()
    def write(self) -> None:
        if self.taken is not None:
            self.store.write({}, self.taken, None)
            self.index.written()
            self.taken = None

    @rule()
    def discard(self) -> None:
        self.write()
        self.current = dict(self.committed)
        self.index.discard()

    @invariant()
    def the_next_due_is_the_smallest(self) -> None:
        if hasattr(self, "index"):
            assert self.index.next_due() == min(self.current.values(), default=None)


TestDueIndex = DueIndexAgainstAModel.TestCase
TestDueIndex.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


def test_memory_stays_within_three_windows_of_entries() -> None:
    dues: dict[bytes, int] = {}
    index = DueIndex(MemoryStore(), dues.get, window=10)
    index.next_due()
    for number in range(1000, 0, -1):
        dues[b"%d" % number] = number
        index.schedule(b"%d" % number, number)

    assert len(index._heap) <= 30
    assert [index.pop_due(5) for _ in range(6)] == [*((due, b"%d" % due) for due in range(1, 6)), None]


def test_an_entry_that_was_rescheduled_does_not_fire() -> None:
    dues = {b"key": 5}
    index = DueIndex(MemoryStore(), dues.get)
    index.schedule(b"key", 5)
    dues[b"key"] = 9
    index.schedule(b"key", 9)

    assert index.pop_due(8) is None
    assert index.pop_due(9) == (9, b"key")
