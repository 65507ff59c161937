"""The private names of Faust and aiokafka that the engine uses still mean what they meant."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta

import aiokafka
import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.consumer import AIOKafkaConsumer as ConsumerClass
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.producer import sender
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.producer.transaction_manager import TransactionManager
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

from streams.engine import faust_private
from streams.engine.stage import FetchSettings


def test_the_versions_are_those_the_private_names_were_read_in() -> None:
    assert (faust.__version__, aiokafka.__version__) == ("0.15.3", "0.14.0")


async def test_a_worker_consumer_takes_the_settings_faust_has_no_names_for() -> None:
    consumer = AIOKafkaConsumer()
    before = vars(consumer).keys() | set()

    faust_private.prepare_worker_consumer(consumer, FetchSettings())

    assert vars(consumer).keys() == before
    assert consumer._isolation_level == "read_committed"
    assert consumer._auto_offset_reset == "none"


def test_start_hands_those_settings_to_the_fetcher() -> None:
    source = inspect.getsource(ConsumerClass.start)

    for name in ("key_deserializer", "isolation_level", "auto_offset_reset", "fetch_min_bytes", "fetch_max_wait_ms"):
        assert f"{name}=self._{name}" in source


def test_the_marker_backoff_is_read_at_every_retry() -> None:
    before = sender.BACKOFF_OVERRIDE
    faust_private.set_marker_backoff(timedelta(milliseconds=3))

    assert sender.BACKOFF_OVERRIDE == 0.003
    assert "return BACKOFF_OVERRIDE" in inspect.getsource(sender.AddPartitionsToTxnHandler.handle_response)
    sender.BACKOFF_OVERRIDE = before


def test_only_marked_consumers_get_raw_records() -> None:
    faust_private.install_raw_records()

    raw, full = (_records(marker) for marker in (faust_private.raw_records, None))

    assert fetcher.PartitionRecords is type(raw)
    assert [type(record).__name__ for record in next(raw)] == ["DefaultRecord"]
    assert type(next(full)).__name__ == "ConsumerRecord"


def test_a_raw_record_has_what_a_processor_reads() -> None:
    faust_private.install_raw_records()
    [record] = faust_private.flattened(_records(faust_private.raw_records))

    assert (record.offset, record.timestamp, record.key, record.value) == (0, 12, b"key", b"value")
    assert list(record.headers) == [("name", b"header")]


def test_the_fetcher_has_the_parts_that_fetching_takes() -> None:
    source = inspect.getsource(fetcher.Fetcher)

    for name in ("_records", "_wait_consume_future", "_prefetch_backoff"):
        assert f"self.{name}" in source
    assert not inspect.iscoroutinefunction(fetcher.Fetcher._create_fetch_waiter)
    assert not inspect.iscoroutinefunction(fetcher.Fetcher._notify)
    assert {"getall", "has_more"} <= vars(fetcher.FetchResult).keys()
    assert "check_raise" in vars(fetcher.FetchError)


async def test_every_rebalance_makes_a_new_assignment_object() -> None:
    subscriptions = SubscriptionState()
    subscriptions.subscribe({"topic"})
    assigned = [TopicPartition("topic", 0)]
    subscriptions.assign_from_subscribed(assigned)
    first = subscriptions.subscription.assignment
    subscriptions.assign_from_subscribed(assigned)

    second = subscriptions.subscription.assignment
    assert (first is second, first.active, second.active) == (False, False, True)
    assert second.state_value(assigned[0]).lso is None
    subscriptions.seek(assigned[0], 7)
    assert second.state_value(assigned[0]).position == 7


def test_a_consumer_that_fetches_counts_as_alive() -> None:
    assert "fetcher_idle_time" in inspect.getsource(GroupCoordinator)
    assert "fetch_context" in vars(SubscriptionState)


def test_committed_offsets_are_asked_of_the_broker() -> None:
    assert inspect.iscoroutinefunction(GroupCoordinator.fetch_committed_offsets)
    assert list(inspect.signature(GroupCoordinator.fetch_committed_offsets).parameters) == ["self", "partitions"]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (driver.AIOKafkaConsumerThread, "_ensure_consumer"),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
        (driver.AIOKafkaConsumerThread, "call_thread"),
        (driver.AIOKafkaConsumerThread, "verify_event_path"),
        (driver.Consumer, "_new_consumer_thread"),
        (Consumer, "_add_gap"),
        (Consumer, "perform_seek"),
        (Consumer, "verify_all_partitions_active"),
        (Consumer, "on_partitions_revoked"),
    ],
)
def test_what_the_transport_overrides_exists(owner: type, name: str) -> None:
    assert callable(getattr(owner, name))


def test_faust_drains_through_what_the_transport_overrides() -> None:
    source = inspect.getsource(Consumer._drain_messages)

    assert "getmany = self.getmany" in source
    assert "self._read_offset.__getitem__" in source


def test_faust_uses_its_own_assignor_by_default() -> None:
    """aiokafka's round robin would deal the topics of one task to different workers."""
    app = faust.App("app-of-a-test", broker="kafka://127.0.0.1:1", store="memory://")

    assert app.conf.table_standby_replicas > 0
    assert "table_standby_replicas > 0" in inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)


def test_a_batch_takes_what_packing_gives_it() -> None:
    parameters = inspect.signature(BatchBuilder.append).parameters

    assert list(parameters) == ["self", "timestamp", "key", "value", "headers"]
    assert {"create_batch", "send_batch", "begin_transaction", "commit_transaction"} <= set(dir(AIOKafkaProducer))


def _records(marker: object) -> fetcher.PartitionRecords:
    batch = BatchBuilder(1000, 0)
    batch.append(timestamp=12, key=b"key", value=b"value", headers=[("name", b"header")])
    data = fetcher.MemoryRecords(bytes(batch._build()))
    return fetcher.PartitionRecords(TopicPartition("topic", 0), data, [], 0, marker, None, False, 1)


def test_the_private_calls_run_on_a_loop() -> None:
    assert asyncio.iscoroutinefunction(faust_private.await_records)


def test_a_fetcher_asks_for_ends_under_its_own_isolation_level() -> None:
    for method, name in (
        (fetcher.Fetcher._proc_offset_request, "self._isolation_level"),
        (fetcher.Fetcher.end_offsets, "self._retrieve_offsets(timestamps, timeout_ms)"),
    ):
        assert name in inspect.getsource(method)
    assert not hasattr(fetcher.Fetcher, "__del__")


async def test_a_partition_joins_a_transaction_before_its_end_is_sent() -> None:
    source = inspect.getsource(sender.Sender._maybe_do_transactional_request)

    assert source.index("partitions_to_add()") < source.index("needs_transaction_commit()")
    manager = TransactionManager("id", 1000)
    assert manager.producer_id == -1
    assert "_pending_txn_partitions.add(tp)" in inspect.getsource(TransactionManager.maybe_add_partition_to_txn)
