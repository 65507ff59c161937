"""Ends a transaction that its coordinator has ended without telling the partitions.

A partition without a leader is taken for deleted, and gets no marker (Kafka 4.3.1): so for a moment with a lone broker
that was suspended for longer than its session lasts. What was written there stays open, and the next commit under the
same id brings it back to life, beside what was made again meanwhile. So it is ended before anything is read.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from kafka import TopicPartition as AdminPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError as AdminError

from streams.engine.decisions import last_decision

if TYPE_CHECKING:
    from aiokafka import TopicPartition as Partition

    from streams.engine.stage import BrokerConnection
    from streams.engine.transaction import TransactionalWriter

_log = structlog.get_logger(__name__)


class HangingTransactionError(RuntimeError):
    """The changelog ends in an open transaction that the fence did not end, and that can't be told how to end."""


async def end_hanging(connection: BrokerConnection, writer: TransactionalWriter, changelog: Partition) -> None:
    """Ends it as the writer's coordinator decided, which its own log of decisions tells.

    Raises HangingTransactionError where another id left it open, and where the broker won't tell.
    """
    try:
        hanging = await asyncio.to_thread(_open_on, connection, writer.producer_id)
        committed = await last_decision(connection, writer.transactional_id)
    except (KafkaError, AdminError) as error:
        raise _unknown(changelog) from error
    if changelog not in hanging or committed is None:
        raise _unknown(changelog)
    await writer.end_again(hanging, committed=committed)
    _log.error("hanging_transaction_ended", changelog=changelog, committed=committed, partitions=sorted(hanging))


def _open_on(connection: BrokerConnection, producer_id: int) -> list[TopicPartition]:
    """Returns the partitions on which a producer has an open transaction; blocks."""
    options: dict[str, Any] = dict(connection.for_kafka_python())
    with KafkaAdminClient(**options) as admin:
        topics = admin.describe_topics([name for name in admin.list_topics() if not name.startswith("__")])
        partitions = [
            AdminPartition(topic["name"], partition["partition_index"])
            for topic in topics
            for partition in topic["partitions"]
        ]
        states = admin.describe_producers(partitions)
    return [
        TopicPartition(*partition)
        for partition, state in states.items()
        for producer in state.active_producers
        if producer.producer_id == producer_id and producer.current_transaction_start_offset >= 0
    ]


def _unknown(changelog: Partition) -> HangingTransactionError:
    return HangingTransactionError(
        f"{changelog} is written further than it is committed, by a transaction that nothing ends; find it with "
        "`kafka-transactions.sh find-hanging`, and abort it there and on the topics it wrote to"
    )
