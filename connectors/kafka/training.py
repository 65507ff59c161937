"""Builds the startup archive: runs a broker once and has Java write down what it loaded."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.jars import obtain_jars, read_lock
from connectors.kafka.startup_archive import archive_file
from connectors.kafka.topics import TopicSpec, ensure_topics

_ARCHIVING_MAX = timedelta(minutes=3)
_TOPIC = "training"


def prepare(cache_dir: Path) -> None:
    """Readies a machine: downloads the jars and builds the startup archive, where they are missing.

    Takes about half a minute the first time and a tenth of a second after that. Starts work
    without it, only slower. Raises BrokerUnavailableError where jars or archive cannot be had.
    """
    obtain_jars(cache_dir)
    archive = archive_file(cache_dir, read_lock())
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=archive.parent) as staging:
        unfinished = Path(staging) / archive.name
        broker = EmbeddedBroker(
            Path(staging) / "broker",
            cache_dir=cache_dir,
            java_options=(f"-XX:AOTCacheOutput={unfinished}", "-Xlog:aot*=off"),
        )
        with broker:
            _exercise(KafkaConnection(bootstrap=broker.bootstrap))
            # Java writes the archive while it shuts down.
            broker.stop(_ARCHIVING_MAX)
        if not unfinished.exists():
            message = f"Java wrote no startup archive to {archive.parent}; is the disk full?"
            raise BrokerUnavailableError(message)
        os.replace(unfinished, archive)  # noqa: PTH105 - atomic by contract


def _exercise(connection: KafkaConnection) -> None:
    """Does once what a service does, so that its classes are in the archive too."""
    ensure_topics(connection, [TopicSpec(_TOPIC, partitions=1)])
    clients = connection.for_kafka_python()
    producer = KafkaProducer(**clients, transactional_id=_TOPIC)
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(_TOPIC, b"value", key=b"key")
    producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(_TOPIC, **clients, group_id=_TOPIC, auto_offset_reset="earliest")
    consumer.poll(timeout_ms=10_000)
    consumer.commit()
    consumer.close()
