"""Creates the topics a service needs, and refuses those that exist in another shape."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from connectors.kafka.errors import BrokerUnavailableError, TopicMismatchError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from connectors.kafka.connection import KafkaConnection

_TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True)
class TopicSpec:
    """Is a topic as it shall be. Settings not in ``config`` are left as they are."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    replication_factor: int = 1


@dataclass(frozen=True)
class TopicDescription:
    """Is a topic as it was found, with the value in force of every setting, defaults included."""

    name: str
    partitions: int
    config: Mapping[str, str]


def ensure_topics(connection: KafkaConnection, specs: Sequence[TopicSpec], timeout: timedelta = _TIMEOUT) -> None:
    """Creates missing topics, sets differing settings, and blocks until all have leaders.

    Repeating it changes nothing. Raises TopicMismatchError, before anything is changed, where a
    topic has another number of partitions, and BrokerUnavailableError where Kafka does not answer
    in time or refuses.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    with opened_admin(connection, timeout) as admin:
        found = _describe(admin, [spec.name for spec in specs])
        _refuse_mismatches(specs, found)
        missing = [spec for spec in specs if spec.name not in found]
        if missing:
            _create(admin, missing, timeout)
            left = deadline - time.monotonic()
            admin.wait_for_topics([spec.name for spec in missing], timeout_ms=max(0, left) * 1000)
            # Another process may have been first to create one of them.
            found |= _describe(admin, [spec.name for spec in missing])
            _refuse_mismatches(specs, found)
        _set_differing(admin, specs, found)


def describe(
    connection: KafkaConnection, names: Collection[str], timeout: timedelta = _TIMEOUT
) -> dict[str, TopicDescription]:
    """Returns the topics of these names that exist, by name.

    Raises BrokerUnavailableError where Kafka does not answer in time.
    """
    with opened_admin(connection, timeout) as admin:
        return _describe(admin, names)


def partition_counts(
    connection: KafkaConnection, names: Collection[str], timeout: timedelta = _TIMEOUT
) -> dict[str, int]:
    """Returns how many partitions each topic of these names has that exists; asks for no more than its readers may.

    Raises BrokerUnavailableError where Kafka does not answer in time.
    """
    with opened_admin(connection, timeout) as admin:
        found = admin.describe_topics(list(names)) if names else []
    return {topic["name"]: len(topic["partitions"]) for topic in found if not topic["error_code"]}


@contextmanager
def opened_admin(connection: KafkaConnection, timeout: timedelta = _TIMEOUT) -> Iterator[KafkaAdminClient]:
    """Yields an admin client; raises BrokerUnavailableError where Kafka does not answer in time, or refuses."""
    timeout_ms = int(timeout.total_seconds() * 1000)
    try:
        with KafkaAdminClient(
            **connection.for_kafka_python(),
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms,
        ) as admin:
            yield admin
    except KafkaError as error:
        message = (
            f"Kafka at {connection.bootstrap} does not do its part ({error!r}); check that it "
            "runs, that KAFKA_BOOTSTRAP names it, and that the user may do this"
        )
        raise BrokerUnavailableError(message) from error


def _describe(admin: KafkaAdminClient, names: Collection[str]) -> dict[str, TopicDescription]:
    if not names:
        return {}
    metadata = [topic for topic in admin.describe_topics(list(names)) if not topic["error_code"]]
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic["name"]) for topic in metadata]
    if not resources:
        return {}
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        topic["name"]: TopicDescription(
            topic["name"],
            len(topic["partitions"]),
            {name: entry["value"] for name, entry in configs[topic["name"]].items()},
        )
        for topic in metadata
    }


def _refuse_mismatches(specs: Sequence[TopicSpec], found: Mapping[str, TopicDescription]) -> None:
    mismatches = [
        f"topic {spec.name} has {found[spec.name].partitions} partitions, wanted are {spec.partitions}"
        for spec in specs
        if spec.name in found and found[spec.name].partitions != spec.partitions
    ]
    if mismatches:
        message = (
            f"{'; '.join(mismatches)}. More partitions would send a key's later records to another "
            "partition than its earlier ones: set the number back, or copy the records to a new "
            "topic"
        )
        raise TopicMismatchError(message)


def _create(admin: KafkaAdminClient, specs: Sequence[TopicSpec], timeout: timedelta) -> None:
    wanted = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication_factor,
            "configs": dict(spec.config),
        }
        for spec in specs
    }
    answer = admin.create_topics(wanted, timeout_ms=int(timeout.total_seconds() * 1000), raise_errors=False)
    refusals = [
        f"{topic['name']}: {topic['error_message'] or for_code(topic['error_code']).__name__}"
        for topic in answer["topics"]
        if topic["error_code"] not in {0, TopicAlreadyExistsError.errno}
    ]
    if refusals:
        message = f"Kafka refuses to create topics ({'; '.join(refusals)}); correct their settings"
        raise BrokerUnavailableError(message)


def _set_differing(admin: KafkaAdminClient, specs: Sequence[TopicSpec], found: Mapping[str, TopicDescription]) -> None:
    differing = [
        ConfigResource(ConfigResourceType.TOPIC, spec.name, changes)
        for spec in specs
        if (changes := _changes(spec, found[spec.name]))
    ]
    if not differing:
        return
    answer: dict[str, Any] = admin.alter_configs(differing, raise_on_unknown=False)
    refusals = [f"{name}: {result}" for name, result in answer["topic"].items() if result != "OK"]
    if refusals:
        message = f"Kafka refuses settings of topics ({'; '.join(refusals)}); correct them"
        raise BrokerUnavailableError(message)


def _changes(spec: TopicSpec, found: TopicDescription) -> dict[str, tuple[AlterConfigOp, str]]:
    return {name: (AlterConfigOp.SET, value) for name, value in spec.config.items() if found.config.get(name) != value}
