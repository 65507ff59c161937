"""What a fold sees and leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.limits import RecordTooLargeError, TransactionLimits
from streams.engine.offline import OfflineTask
from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord
from streams.engine.state import Changes, PartitionState
from streams.engine.store import MemoryStore, RocksStore

from .builders import Counting, a_record


def no_due(key: bytes, value: bytes) -> int | None:
    return None


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def state(store: MemoryStore) -> PartitionState:
    return PartitionState(3, store, no_due, TransactionLimits(changed_keys_max=2, record_bytes_max=100))


def test_reads_see_pending_then_in_flight_then_stored_values(state: PartitionState, store: MemoryStore) -> None:
    store.write({b"stored": b"1", b"both": b"old"}, {}, None)
    state.put(b"both", b"in flight")
    state.take()
    state.put(b"pending", b"3")

    assert [state.read(key) for key in (b"stored", b"both", b"pending", b"none")] == [b"1", b"in flight", b"3", None]


def test_a_deletion_hides_the_stored_value(state: PartitionState, store: MemoryStore) -> None:
    store.write({b"key": b"old"}, {}, None)
    state.delete(b"key")

    assert state.read(b"key") is None
    assert state.take().states == {b"key": None}
    assert state.read(b"key") is None


def test_restart_forgets_what_was_not_taken(state: PartitionState) -> None:
    state.put(b"key", b"value")
    state.emit("out", 0, Outgoing(b"key", b"value", 1))
    state.advance(50)

    state.restart({"in": 7}, 20)

    assert state.read(b"key") is None
    assert (state.offsets, state.log_time, state.changed) == ({"in": 7}, 20, False)
    assert state.take().outputs == {}


def test_log_time_never_goes_back(state: PartitionState) -> None:
    assert [state.advance(time) for time in (5, 3, 9)] == [5, 5, 9]


def test_full_comes_with_the_bound_on_changed_keys(state: PartitionState) -> None:
    state.put(b"1", b"")
    before = state.full
    state.put(b"2", b"")

    assert (before, state.full) == (False, True)


def test_what_the_broker_would_refuse_is_refused_before(state: PartitionState) -> None:
    with pytest.raises(RecordTooLargeError):
        state.put(b"key", bytes(101))
    with pytest.raises(RecordTooLargeError):
        state.emit("out", 0, Outgoing(b"key", bytes(90), 0, [("header", bytes(20))]))

    assert not state.changed


def test_outputs_keep_their_order_within_a_destination(state: PartitionState) -> None:
    for number in range(4):
        state.emit("out", number % 2, Outgoing(None, b"%d" % number, number))

    outputs = state.take().outputs
    assert {place: [m.value for m in messages] for place, messages in outputs.items()} == {
        ("out", 0): [b"0", b"2"],
        ("out", 1): [b"1", b"3"],
    }


def test_counts_travel_with_their_transaction(state: PartitionState) -> None:
    state.count("folded", "referrals")
    state.count("folded", "referrals")

    assert state.take().counts == {("folded", "referrals"): 2}
    assert state.take().counts == {}


@given(
    keys=st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=30),
    gaps=st.lists(st.integers(0, 90), min_size=30, max_size=30),
    changed_keys_max=st.integers(1, 4),
)
def test_outputs_do_not_depend_on_where_transactions_end(
    keys: list[bytes], gaps: list[int], changed_keys_max: int
) -> None:
    times = [sum(gaps[: number + 1]) for number in range(30)]
    records = [a_record(number, key, times[number]) for number, key in enumerate(keys)]

    whole, in_parts = (
        [message for changes in _fold(records, limits) for message in changes.outputs.get(("out", 0), [])]
        for limits in (None, TransactionLimits(changed_keys_max=changed_keys_max))
    )

    assert in_parts == whole


def test_a_fold_over_rocksdb_equals_one_over_memory(tmp_path: Path) -> None:
    records = [a_record(number, b"key-%d" % (number % 7)) for number in range(200)]
    rocks, memory = RocksStore(tmp_path / "store"), MemoryStore()

    for store in (rocks, memory):
        for _ in OfflineTask(Counting(), 0, store, TransactionLimits(changed_keys_max=3)).fold("in", records):
            pass

    assert list(rocks.states()) == list(memory.states())
    assert rocks.meta() == memory.meta()
    rocks.close()


def test_a_task_continues_where_its_store_stands(tmp_path: Path) -> None:
    records = [a_record(number) for number in range(10)]
    _drain(OfflineTask(Counting(), 0, first := RocksStore(tmp_path / "store")), records[:6])
    first.close()
    store = RocksStore(tmp_path / "store")
    task = OfflineTask(Counting(), 0, store)

    _drain(task, records[6:])

    assert task.state.offsets == {"in": 10}
    assert task.state.next_due() == 190
    store.close()


def _drain(task: OfflineTask, records: list[StoredRecord]) -> None:
    for _ in task.fold("in", records):
        pass


def _fold(records: list[StoredRecord], limits: TransactionLimits | None) -> Iterator[Changes]:
    return OfflineTask(Counting(), 0, MemoryStore(), limits).fold("in", records)
