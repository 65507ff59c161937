"""A task between a feed and a writer: what it commits, and what it forgets."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from streams.engine.faust_private import FetchedPartition
from streams.engine.limits import TransactionLimits
from streams.engine.meta import META_KEY, Meta
from streams.engine.processor import StoredRecord, TickRecord

from .builders import a_record
from .fakes import Bench, EndedError, until


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.task.start()
    return bench


async def test_a_batch_is_committed_with_offset_outputs_and_meta(bench: Bench) -> None:
    bench.feed(0, 3)
    await until(lambda: bench.task.committed == {"in": 3})

    [writes] = bench.writer.written
    assert writes.offsets == {TopicPartition("in", 0): 3}
    assert [message.value for message in writes.outputs["out", 0]] == [b"1", b"1", b"1"]
    assert Meta.decode(writes.states[META_KEY] or b"") == Meta({"in": 3}, 20, "1", 4)
    await bench.task.close()


async def test_the_store_is_written_after_the_commit_only(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)

    before = dict(bench.store.states())
    bench.writer.may_commit.set()
    await until(lambda: bench.task.committed == {"in": 1})

    assert (before, list(dict(bench.store.states()))) == ({}, [b"key-0"])
    await bench.task.close()


async def test_folding_goes_on_while_a_transaction_is_under_way(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 5)
    await until(lambda: bench.task.state.records == 4)

    bench.writer.may_commit.set()
    await until(lambda: bench.task.committed == {"in": 5})

    assert [writes.offsets[TopicPartition("in", 0)] for writes in bench.writer.written] == [1, 5]
    await bench.task.close()


async def test_parking_waits_for_the_commit_and_forgets_the_rest(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 5)
    await until(lambda: bench.task.state.records == 4)

    parking = asyncio.create_task(bench.task.park())
    await asyncio.sleep(0)
    bench.writer.may_commit.set()
    await parking

    assert (bench.task.committed, bench.task.state.offsets, bench.task.state.changed) == ({"in": 1}, {"in": 1}, False)
    await bench.task.close()


async def test_a_task_started_again_seeks_to_what_is_committed(bench: Bench) -> None:
    bench.feed(0, 2)
    await until(lambda: bench.task.committed == {"in": 2})
    await bench.task.park()
    await bench.task.start()

    assert bench.inputs.sought[-1] == {TopicPartition("in", 0): 2}
    await bench.task.close()


async def test_a_batch_for_a_feed_taken_away_is_dropped(bench: Bench) -> None:
    feed = bench.task.feed
    await bench.task.park()
    await bench.task.start()
    assert feed is not None

    feed.accept(FetchedPartition("in", 0, 0, [a_record(0)], 1))

    assert not bench.task.busy
    await bench.task.close()


async def test_a_gap_between_batches_ends_the_process(bench: Bench) -> None:
    with pytest.raises(EndedError, match="expected 0"):
        bench.feed(5, 6)

    await bench.task.close()


async def test_offsets_that_hold_no_records_are_passed_over(bench: Bench) -> None:
    assert bench.task.feed is not None
    bench.task.feed.accept(FetchedPartition("in", 0, 0, [], 4))
    bench.feed(6, 7, start=4)
    await until(lambda: bench.task.committed == {"in": 7})

    assert not bench.ended
    await bench.task.close()


async def test_a_failed_commit_ends_the_process(bench: Bench) -> None:
    bench.writer.failure = RuntimeError("fenced")
    bench.feed(0, 1)
    await until(lambda: bench.ended)

    assert bench.ended == [("transaction stage 0", bench.writer.failure)]


async def test_finishing_commits_what_is_folded(bench: Bench) -> None:
    bench.writer.may_commit.clear()
    bench.feed(0, 1)
    await until(lambda: bench.task.busy and not bench.task.state.changed)
    bench.feed(1, 3)
    await until(lambda: bench.task.state.records == 2)
    finishing = asyncio.create_task(bench.task.finish())
    await asyncio.sleep(0)
    bench.writer.may_commit.set()

    await finishing

    assert bench.writer.written[-1].offsets == {TopicPartition("in", 0): 3}


async def test_a_full_transaction_ends_inside_a_batch() -> None:
    bench = Bench(TransactionLimits(changed_keys_max=2))
    await bench.task.start()
    bench.feed(0, 5)
    await until(lambda: bench.task.committed == {"in": 5})

    assert [writes.offsets[TopicPartition("in", 0)] for writes in bench.writer.written] == [2, 4, 5]
    await bench.task.close()


async def test_a_quiet_partition_with_a_passed_deadline_gets_one_tick(bench: Bench) -> None:
    bench.feed(0, 1)
    await until(lambda: bench.ticks.sent)
    for _ in range(50):
        await asyncio.sleep(0)

    assert bench.ticks.sent == [TickRecord(None, b"tick")]
    await bench.task.close()


async def test_a_tick_fires_the_deadline_and_no_further_tick_follows(bench: Bench) -> None:
    bench.feed(0, 1)
    await until(lambda: bench.ticks.sent)
    assert bench.task.feed is not None
    bench.task.feed.accept(FetchedPartition("in", 0, 1, [StoredRecord(1, 5000, None, b"tick")], 2))
    await until(lambda: bench.task.committed == {"in": 2})

    assert [message.value for message in bench.writer.written[-1].outputs["out", 0]] == [b"fired"]
    assert bench.task.state.next_due() is None
    await bench.task.close()
