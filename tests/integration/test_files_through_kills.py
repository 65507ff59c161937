"""A folder of mixed files, sent by a process that is killed again and again: each file once, with its receipt."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.gateway.settings import GatewaySettings, Limits
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.topics import TopicSpec, ensure_topics
from schemas.topics import STATEMENT_TOPICS, catalogue, kafka_name
from streams.cli.sending.receipt_files import JOURNAL
from tests.integration.gateway_runner import Process, event_ids_of
from tests.mixed_files import Sample, write_mixed
from tests.unit.gateway.prepared import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]
TOPICS = (*STATEMENT_TOPICS, "persons", "pathways", "notices")
SEED = 20261128
STEP_TIME_MAX = timedelta(minutes=10)


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the public topics there."""
    specs = [TopicSpec(kafka_name(topic), 4, catalogue()[topic].config()) for topic in TOPICS]
    ensure_topics(empty_broker.connection, specs)
    return empty_broker.connection


@pytest.fixture
def gateway(connection: KafkaConnection, tmp_path: Path) -> Iterator[Process]:
    """Runs a gateway on a data folder of its own."""
    settings = GatewaySettings(
        data_folder=tmp_path / "data",
        kafka=connection,
        reference_folder=ROOT / "reference",
        ages=(0, 150),
        limits=Limits(requests_per_second=400),
    )
    process = Process(settings, tmp_path / "crash")
    process.start()
    yield process
    process.stop()


def test_a_folder_of_mixed_files_sent_through_kills_is_said_once_each_with_its_receipt(
    gateway: Process, connection: KafkaConnection, tmp_path: Path, soak: bool
) -> None:
    count, kills = (10_000, 100) if soak else (1_000, 10)
    samples = write_mixed(tmp_path / "files", count, SEED)
    token = gateway.client().headers["authorization"].removeprefix("Bearer ")
    address = f"http://127.0.0.1:{gateway.port}"
    command = ["ingest", str(tmp_path / "files"), "--gateway", address, "--token", token, "--json"]

    killed = kill_often(command, tmp_path / "files" / JOURNAL, kills, 2 * count)
    done = subprocess.run(_started_with(command), cwd=ROOT, capture_output=True, check=False)

    document = json.loads(done.stdout)
    assert killed == kills
    assert document["files"] == count
    assert document["taken"] == sum(sample.taken for sample in samples.values())
    assert len(document["refused"]) == sum(sample.refused for sample in samples.values())
    check_receipts(tmp_path / "files", samples)
    check_said_once(gateway, connection, samples)


def test_a_watched_folder_through_kills_ends_empty_each_file_said_once_with_its_receipt(
    gateway: Process, connection: KafkaConnection, tmp_path: Path, soak: bool
) -> None:
    count, kills = (2_000, 50) if soak else (200, 5)
    folder = tmp_path / "region-h"
    samples = write_mixed(folder / "in", count, SEED + 1)
    token = tmp_path / "region-h.token"
    token.touch(0o600)
    token.write_text(gateway.client().headers["authorization"].removeprefix("Bearer "), encoding="ascii")
    address = f"http://127.0.0.1:{gateway.port}"
    command = ["watch", str(folder), "--token-file", str(token), "--gateway", address, "--still", "0"]

    for left in range(count - count // kills, 0, -(count // kills)):
        running = subprocess.Popen(_started_with(command), cwd=ROOT, stderr=subprocess.DEVNULL)
        until(lambda left=left: len(_files_in(folder / "in")) <= left)  # type: ignore[misc]
        running.kill()
        assert running.wait() == -signal.SIGKILL
    running = subprocess.Popen(_started_with(command), cwd=ROOT, stderr=subprocess.DEVNULL)
    until(lambda: not _files_in(folder / "in"))
    running.terminate()

    assert running.wait() == 0
    in_part = {name for name, sample in samples.items() if sample.refused}
    assert _files_in(folder / "done") == samples.keys() - in_part
    assert _files_in(folder / "refused") == in_part | {f"{name}.refused.json" for name in in_part}
    check_receipts(folder / "receipts", samples)
    check_said_once(gateway, connection, samples)


def check_receipts(folder: Path, samples: dict[str, Sample]) -> None:
    """Checks that each file has its receipt and no other, none of them empty."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.receipt.*") if path.stat().st_size}
    assert found == {f"{name}{sample.receipt}" for name, sample in samples.items()}


def check_said_once(gateway: Process, connection: KafkaConnection, samples: dict[str, Sample]) -> None:
    """Checks on the broker that each event stands there once, and as many as the files tell."""
    expected: Counter[str] = sum((Counter(sample.events) for sample in samples.values()), Counter())
    for topic, count in expected.items():
        ids = event_ids_of(connection, topic, gateway)
        assert (len(ids), set(ids.values())) == (count, {1}), topic
    assert set(event_ids_of(connection, "persons", gateway).values()) == {1}


def kill_often(command: list[str], journal: Path, kills: int, lines: int) -> int:
    """Starts a command again and again, each time killed when the journal has so many lines more; returns how often."""
    chance = random.Random(SEED)
    return sum(_is_killed(command, journal, chance.randrange(1, 3 * lines // (2 * kills))) for _ in range(kills))


def _is_killed(command: list[str], journal: Path, more: int) -> bool:
    """Returns whether the command was killed before it had come to its end."""
    wanted = _lines_in(journal) + more
    running = subprocess.Popen(_started_with(command), cwd=ROOT, stdout=subprocess.DEVNULL)
    until(lambda: _lines_in(journal) >= wanted or running.poll() is not None)
    running.kill()
    return running.wait() == -signal.SIGKILL


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_TIME_MAX.total_seconds()
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)  # between looks at the condition


def _started_with(command: list[str]) -> list[str]:
    return [sys.executable, "-m", "streams.cli", *command]


def _files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _lines_in(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0
