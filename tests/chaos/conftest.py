"""Gives each chaos test a broker of its own, with the pipeline's topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker, temporary_broker
from connectors.kafka.topics import TopicSpec, ensure_topics
from tests.chaos.pipeline import INTAKE, PARTITIONS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def broker(cache_dir: Path) -> Iterator[EmbeddedBroker]:
    """Runs a broker that the test may stop, kill and start."""
    with temporary_broker(cache_dir) as running:
        yield running


@pytest.fixture
def connection(broker: EmbeddedBroker) -> KafkaConnection:
    """Returns how to reach the broker, once it has the topics."""
    connection = KafkaConnection(bootstrap=broker.bootstrap)
    ensure_topics(connection, [TopicSpec(topic, PARTITIONS, _config(topic)) for topic in TOPICS])
    return connection


def _config(topic: str) -> dict[str, str]:
    if topic == INTAKE:
        return {"message.timestamp.type": "LogAppendTime"}
    return {"cleanup.policy": "compact"} if topic.endswith("changelog") else {}
