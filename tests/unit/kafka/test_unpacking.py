"""What others pack: read within a bound, by aiokafka's own reader."""

from __future__ import annotations

import gzip

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from connectors.kafka.unpacking import UNPACKED_BYTES_MAX, bound_unpacking, unpacked

#: Without the time of packing: two processes that collect the tests would name them otherwise.
_PACKED = gzip.compress(b"x", mtime=0)


def read_again(value: bytes) -> list[bytes | None]:
    """Returns what a consumer reads of a batch with one record, packed."""
    builder = DefaultRecordBatchBuilder(2, DefaultRecordBatch.CODEC_GZIP, 0, -1, -1, -1, 2 * UNPACKED_BYTES_MAX)
    builder.append(0, 0, None, value, [])
    [batch] = batches_in(bytes(builder.build()))
    return [record.value for record in batch]


def batches_in(content: bytes) -> list[DefaultRecordBatch]:
    """Returns the batches that a consumer finds."""
    records = MemoryRecords(content)
    found = []
    while records.has_next():
        found.append(records.next_batch())
    return found


def test_a_packed_batch_is_read_within_the_bound() -> None:
    bound_unpacking()

    assert read_again(b"x" * (UNPACKED_BYTES_MAX // 2)) == [b"x" * (UNPACKED_BYTES_MAX // 2)]


def test_a_packed_batch_that_holds_more_is_refused() -> None:
    bound_unpacking()

    with pytest.raises(CorruptRecordException):
        read_again(bytes(UNPACKED_BYTES_MAX + 1))


@pytest.mark.parametrize("packed", [b"", b"x", _PACKED[:-1], _PACKED * 2])
def test_what_is_not_one_whole_packed_text_is_refused(packed: bytes) -> None:
    with pytest.raises(CorruptRecordException):
        unpacked(packed)
