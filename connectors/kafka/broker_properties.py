"""Writes the settings of a Kafka that is one node, on one machine, for one service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.kafka.broker_security import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connectors.kafka.broker_folder import BrokerIdentity
    from connectors.kafka.broker_security import ServiceUser

MESSAGE_BYTES_MAX = 16 * 1024 * 1024

_INT_MAX = 2**31 - 1

# Comments say why a value differs from Kafka's own default.
_ONE_MACHINE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # There is one node, so nothing can be kept twice.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Fifty partitions each would cost a second at the first start and serve nobody.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    # Every topic is declared; a misspelt name is an error, not a topic.
    "auto.create.topics.enable": "false",
    # A service that was off for long must go on where it stopped.
    "offsets.retention.minutes": str(_INT_MAX),
    # A dead letter carries the record it is about, so it is larger than any other record.
    "message.max.bytes": str(MESSAGE_BYTES_MAX),
    # One worker per group: waiting for others to join only delays the start.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After a kill the node's earlier session must end before it may register again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Nobody could take its partitions over. Without a leader the coordinator takes them for deleted, and
    # completes transactions that end meanwhile without their markers: they hang, and are doubled (KRaft, 4.3.1).
    "controlled.shutdown.enable": "false",
    # Two cores are shared with the service.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
}


def properties_of(identity: BrokerIdentity, topics: Path, user: ServiceUser | None) -> dict[str, str]:
    """Returns the settings of the broker with this identity, closed to all but ``user`` where there is one."""
    closed = {} if user is None else user.properties()
    listener = closed.get("inter.broker.listener.name", "PLAINTEXT")
    controller = f"127.0.0.1:{identity.controller_port}"
    places = {
        "log.dirs": str(topics),
        "listeners": f"{listener}://127.0.0.1:{identity.port},CONTROLLER://{controller}",
        "advertised.listeners": f"{listener}://127.0.0.1:{identity.port}",
        "controller.quorum.voters": f"1@{controller}",
    }
    return {**_ONE_MACHINE, **places, **closed}


def write_properties(file: Path, settings: Mapping[str, str]) -> None:
    """Writes the settings as Kafka reads them, for the owner's eyes: they may hold a password."""
    write_private(file, "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
