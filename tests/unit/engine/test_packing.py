"""Messages become batches without loss, in order, within the batch size."""

from __future__ import annotations

from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.outputs import Outgoing
from streams.engine.packing import pack_outputs, pack_states

_BATCH_BYTES = 300

_VALUES = st.none() | st.binary(max_size=80)
_MESSAGES = st.lists(
    st.builds(
        Outgoing,
        st.binary(min_size=1, max_size=10),
        _VALUES,
        st.integers(0, 2**40),
        st.lists(st.tuples(st.text("abc", max_size=3), st.binary(max_size=5)), max_size=2).map(tuple),
    )
)


def a_batch() -> Any:
    return BatchBuilder(_BATCH_BYTES, 0)


@given(_MESSAGES)
def test_unpacking_gives_back_every_message_in_order(messages: list[Outgoing]) -> None:
    packed: list[Any] = list(pack_outputs(a_batch, messages))

    assert [
        Outgoing(record.key, record.value, record.timestamp, tuple(record.headers))
        for batch in packed
        for record in _records(batch)
    ] == messages
    assert all(batch.closed() and batch.size() <= _BATCH_BYTES for batch in packed)


@given(st.dictionaries(st.binary(min_size=1, max_size=10), _VALUES))
def test_deletions_become_tombstones(states: dict[bytes, bytes | None]) -> None:
    packed = pack_states(a_batch, states.items(), 7)

    assert {record.key: record.value for batch in packed for record in _records(batch)} == states


def test_nothing_makes_no_batch() -> None:
    assert list(pack_outputs(a_batch, [])) == []


def test_a_record_larger_than_a_batch_has_one_of_its_own() -> None:
    large = Outgoing(b"key", bytes(1000), 1)

    packed = list(pack_outputs(a_batch, [Outgoing(b"key", b"small", 1), large, Outgoing(b"key", b"small", 1)]))

    assert [batch.record_count() for batch in packed] == [1, 1, 1]


def _records(batch: Any) -> list[Any]:
    data = MemoryRecords(bytes(batch._build()))
    records: list[Any] = []
    while data.has_next():
        records.extend(data.next_batch())
    return records
