"""The embedded broker is a real Kafka that keeps its data and never outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.topics import TopicSpec, ensure_topics

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WAIT_SECONDS_MAX = 30

# Starts a broker and waits to be killed.
OWNER = """
import sys
from pathlib import Path
from connectors.kafka.embedded import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), cache_dir=Path(sys.argv[2]))
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)  # between looks at the condition


def is_running(pid: int) -> bool:
    """Returns whether the process runs; one that only waits to be collected does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def send(broker: EmbeddedBroker, topic: str, value: bytes) -> None:
    producer = KafkaProducer(**KafkaConnection(bootstrap=broker.bootstrap).for_kafka_python())
    producer.send(topic, value).get(timeout=WAIT_SECONDS_MAX)
    producer.close()


def received(broker: EmbeddedBroker, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(**KafkaConnection(bootstrap=broker.bootstrap).for_kafka_python())
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    values: list[bytes] = []

    def everything_is_read() -> bool:
        for records in consumer.poll(timeout_ms=200).values():
            values.extend(record.value for record in records)
        return bool(consumer.position(partition) >= end)

    wait_until(everything_is_read)
    consumer.close()
    return values


def a_topic(broker: EmbeddedBroker, name: str) -> str:
    ensure_topics(KafkaConnection(bootstrap=broker.bootstrap), [TopicSpec(name, partitions=1)])
    return name


def test_what_is_sent_is_received(broker: EmbeddedBroker) -> None:
    topic = a_topic(broker, "sent-and-received")

    send(broker, topic, b"hello")

    assert received(broker, topic) == [b"hello"]


def test_the_broker_listens_on_this_machine_only(broker: EmbeddedBroker) -> None:
    tcp = Path(f"/proc/{broker.pid}/net/tcp6").read_text(encoding="utf-8").splitlines()[1:]
    tcp += Path(f"/proc/{broker.pid}/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    port = int(broker.bootstrap.rpartition(":")[2])

    listening = {
        line.split()[1].rpartition(":")[0]
        for line in tcp
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    }

    # 127.0.0.1 as /proc writes it: plain, and mapped into IPv6.
    assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert listening


def test_a_second_broker_in_the_same_folder_is_refused_by_process_id(broker: EmbeddedBroker, cache_dir: Path) -> None:
    second = EmbeddedBroker(broker.data_dir, cache_dir=cache_dir)

    with pytest.raises(BrokerUnavailableError, match=f"in use by a live broker, process {broker.pid}"):
        second.start()

    assert broker.alive()


def test_a_port_that_is_taken_is_named(broker: EmbeddedBroker, cache_dir: Path, tmp_path: Path) -> None:
    port = int(broker.bootstrap.rpartition(":")[2])

    with pytest.raises(BrokerUnavailableError, match=f"port {port} on 127.0.0.1 is taken"):
        EmbeddedBroker(tmp_path, cache_dir=cache_dir, port=port).start()


def test_stop_and_kill_keep_data_and_port(cache_dir: Path, tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, cache_dir=cache_dir) as first:
        bootstrap = first.bootstrap
        topic = a_topic(first, "kept")
        send(first, topic, b"before")
        first.kill()
        assert not first.alive()
        first.start()
        send(first, topic, b"between")

    with EmbeddedBroker(tmp_path, cache_dir=cache_dir) as second:
        assert second.bootstrap == bootstrap
        assert received(second, topic) == [b"before", b"between"]
    assert not second.alive()


def test_no_java_outlives_a_killed_owner(cache_dir: Path, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path), str(cache_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with owner:
        assert owner.stdout is not None
        java = int(owner.stdout.readline())
        assert is_running(java)

        owner.send_signal(signal.SIGKILL)
        owner.wait(WAIT_SECONDS_MAX)

        wait_until(lambda: not is_running(java))


def test_the_broker_has_a_session_of_its_own_so_that_a_ctrl_c_does_not_reach_it(
    broker: EmbeddedBroker,
) -> None:
    assert broker.pid is not None

    assert os.getsid(broker.pid) == broker.pid


def test_the_broker_outlives_the_thread_that_started_it(cache_dir: Path, tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, cache_dir=cache_dir)
    starter = threading.Thread(target=broker.start)
    starter.start()
    starter.join()

    assert received(broker, a_topic(broker, "outlives")) == []
    broker.stop()


def test_the_log_is_shown_where_java_ends(cache_dir: Path, tmp_path: Path) -> None:
    broken = EmbeddedBroker(tmp_path, cache_dir=cache_dir, extra_properties={"num.io.threads": "none"})

    with pytest.raises(BrokerUnavailableError, match=r"num\.io\.threads"):
        broken.start()

    assert not broken.alive()


def test_a_folder_of_a_newer_kafka_is_refused(cache_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text(
        '{"cluster_id": "B", "kafka_version": "99.0.0", "port": 20001, "controller_port": 20002}'
    )

    with pytest.raises(BrokerUnavailableError, match=r"written by Kafka 99\.0\.0, newer than"):
        EmbeddedBroker(tmp_path, cache_dir=cache_dir).start()


def test_a_folder_of_another_cluster_is_refused(cache_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "topics").mkdir()

    with pytest.raises(BrokerUnavailableError, match="another cluster's; choose an empty folder"):
        EmbeddedBroker(tmp_path, cache_dir=cache_dir).start()
