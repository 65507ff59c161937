"""Which stores may be continued, which releases may continue them, and how transactions are spaced."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.input_log import Bounds
from streams.engine.meta import Meta, PartitionCountError, ReleaseError
from streams.engine.pace import Pace
from streams.engine.recovery import is_up_to_date, usable_from
from streams.engine.stage import TransactionSettings
from streams.engine.store import Mark

_DAY = timedelta(days=1)


def a_mark(offset: int, age: timedelta = timedelta(0)) -> Mark:
    return Mark(offset, int((time.time() - age.total_seconds()) * 1000))


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (None, None),
        (a_mark(50), 50),
        (a_mark(100), 100),
        (a_mark(101), None),
        (a_mark(9), None),
        (a_mark(50, timedelta(hours=11)), 50),
        (a_mark(50, timedelta(hours=13)), None),
    ],
    ids=["new", "behind", "at the end", "ahead", "before the log", "young enough", "deletions may be gone"],
)
def test_a_store_is_continued_only_where_it_can_be_trusted(mark: Mark | None, expected: int | None) -> None:
    assert usable_from(mark, Bounds(10, 100), _DAY) == expected


def test_one_offset_behind_is_the_last_transactions_marker() -> None:
    assert [is_up_to_date(offset, Bounds(0, 100)) for offset in (100, 99, 98)] == [True, True, False]


@given(st.builds(Meta, st.dictionaries(st.text(), st.integers()), st.integers(), st.text(), st.integers()))
def test_a_meta_record_is_read_as_it_was_written(meta: Meta) -> None:
    assert Meta.decode(meta.encode()) == meta


@pytest.mark.parametrize(("written", "running"), [("1.2.0", "1.2.0"), ("1.9.0", "1.10.0"), ("0", "1")])
def test_newer_code_continues_older_state(written: str, running: str) -> None:
    Meta({}, 0, written, 4).require(release=running, partitions=4)


def test_older_code_refuses_newer_state() -> None:
    with pytest.raises(ReleaseError):
        Meta({}, 0, "1.10.0", 4).require(release="1.9.0", partitions=4)


def test_another_number_of_partitions_is_refused() -> None:
    with pytest.raises(PartitionCountError):
        Meta({}, 0, "1", 12).require(release="1", partitions=24)


def test_the_first_transaction_need_not_wait() -> None:
    assert Pace(TransactionSettings()).remaining_seconds() < 0


def test_a_slow_transaction_spaces_the_next() -> None:
    pace = Pace(TransactionSettings(floor=timedelta(milliseconds=15), stretch=2.0))
    pace.note_begin()
    pace.note_end(100.0)

    assert 100.0 < pace.remaining_seconds() <= 200.0


def test_slices_grow_with_speed_and_shrink_with_slowness() -> None:
    pace = Pace(TransactionSettings())
    sizes = []
    for seconds in (0.0001, 0.0001, 10.0):
        pace.note_fold(pace.slice_records, seconds)
        sizes.append(pace.slice_records)

    assert sizes == [128, 256, 64]
