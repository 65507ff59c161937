"""Builds the startup archive: runs a broker once and has Java write down what it loaded."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError, KafkaConnectorError
from connectors.kafka.jars import obtain_jars, read_lock
from connectors.kafka.startup_archive import WRITES_ARCHIVE, archive_file
from connectors.kafka.topics import TopicSpec, ensure_topics

if TYPE_CHECKING:
    from collections.abc import Callable

_ARCHIVING_MAX = timedelta(minutes=3)
_TOPIC = "training"


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def prepare(cache_dir: Path, tell: Callable[[str], object] = _print) -> None:
    """Readies a machine: downloads the jars and builds the startup archive, where they are missing.

    Takes about half a minute the first time and a tenth of a second after that. May run in several processes at once:
    one builds the archive. Without the archive every start works, only slower, so that what keeps it from being built
    is told and nothing more. Raises BrokerUnavailableError where the jars cannot be had.
    """
    obtain_jars(cache_dir)
    archive = archive_file(cache_dir, read_lock())
    if archive.exists():
        return
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with (archive.parent / ".building").open("a") as lock:
            if _is_held(lock):
                tell(f"another process builds the startup archive in {archive.parent}; this one goes on without it")
                return
            # Whoever held the lock until now has built it.
            if not archive.exists():
                _build(cache_dir, archive)
    except (KafkaConnectorError, KafkaError, OSError) as error:
        tell(f"no startup archive was built in {archive.parent}, so that brokers start slower: {_first_line(error)}")


def _build(cache_dir: Path, archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".training-", dir=archive.parent, ignore_cleanup_errors=True) as staging:
        unfinished = Path(staging) / archive.name
        broker = EmbeddedBroker(
            Path(staging) / "broker",
            cache_dir=cache_dir,
            java_options=(f"{WRITES_ARCHIVE}{unfinished}", "-Xlog:aot*=off"),
        )
        with broker:
            _exercise(KafkaConnection(bootstrap=broker.bootstrap))
            # Java writes the archive while it shuts down; killed meanwhile it leaves half of it.
            in_order = broker.stop(_ARCHIVING_MAX)
        if not in_order or not unfinished.exists():
            raise BrokerUnavailableError("Java did not finish it; is the machine busy, or the disk full?")
        os.replace(unfinished, archive)  # noqa: PTH105 - atomic by contract


def _is_held(lock: IO[str]) -> bool:
    """Takes a file's lock until the file is closed; returns True where another process has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


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
