"""Topics come to be as declared, once, and are refused where they differ for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.errors import BrokerUnavailableError, TopicMismatchError
from connectors.kafka.topics import TopicSpec, describe, ensure_topics

if TYPE_CHECKING:
    from connectors.kafka.embedded import EmbeddedBroker

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(broker: EmbeddedBroker) -> KafkaConnection:
    """Reaches the session's broker."""
    return KafkaConnection(bootstrap=broker.bootstrap)


def test_a_missing_topic_is_created_as_declared(connection: KafkaConnection) -> None:
    spec = TopicSpec("created", 3, {"cleanup.policy": "compact"})

    ensure_topics(connection, [spec])
    ensure_topics(connection, [spec])

    found = describe(connection, ["created", "absent"])
    assert set(found) == {"created"}
    assert found["created"].partitions == 3
    assert found["created"].config["cleanup.policy"] == "compact"


def test_a_differing_setting_is_changed_and_others_are_left(connection: KafkaConnection) -> None:
    before = TopicSpec("altered", 1, {"retention.ms": "1000", "segment.bytes": "2000000"})
    ensure_topics(connection, [before])

    ensure_topics(connection, [replace(before, config={"retention.ms": "-1"})])

    config = describe(connection, ["altered"])["altered"].config
    assert (config["retention.ms"], config["segment.bytes"]) == ("-1", "2000000")


def test_another_number_of_partitions_is_refused_before_anything_changes(
    connection: KafkaConnection,
) -> None:
    ensure_topics(connection, [TopicSpec("grown", 1)])

    with pytest.raises(TopicMismatchError, match="topic grown has 1 partitions, wanted are 2"):
        ensure_topics(connection, [TopicSpec("not-yet", 1), TopicSpec("grown", 2)])

    assert set(describe(connection, ["grown", "not-yet"])) == {"grown"}


@pytest.mark.parametrize("name", ["refused-created", "refused-altered"])
def test_a_setting_kafka_refuses_is_named(connection: KafkaConnection, name: str) -> None:
    if name == "refused-altered":
        ensure_topics(connection, [TopicSpec(name, 1)])

    with pytest.raises(BrokerUnavailableError, match=f"{name}.*cleanup.policy"):
        ensure_topics(connection, [TopicSpec(name, 1, {"cleanup.policy": "burn"})])


def test_a_cluster_that_is_not_there_is_named() -> None:
    nowhere = KafkaConnection(bootstrap="127.0.0.1:1")

    with pytest.raises(BrokerUnavailableError, match=r"Kafka at 127\.0\.0\.1:1"):
        ensure_topics(nowhere, [TopicSpec("any", 1)], timedelta(milliseconds=300))
