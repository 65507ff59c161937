"""A broker that stands still: every process says that it is not ready, and in its log when it lost and found it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from connectors.kafka.embedded import EmbeddedBroker, temporary_broker
from connectors.vault.keys import create_keys
from streams.cli.up import free_port
from streams.supervision import Child, stop_all, wait_until_ready
from tests.integration.command_line import a_gateway, a_worker, run, until

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(cache_dir: Path) -> Iterator[EmbeddedBroker]:
    """Runs a broker that the test may suspend."""
    with temporary_broker(cache_dir) as running:
        yield running


@pytest.fixture
def processes(broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """Runs a gateway, a worker, a deliverer and a watched folder."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("BROBYGGER_PARTITIONS", "3")
    monkeypatch.setenv("BROBYGGER_GATEWAY_PORT", str(free_port()))
    create_keys(tmp_path / "keys")
    assert run("topics", "apply").exit_code == 0
    assert run("programmes", "apply").exit_code == 0
    gateway = a_gateway(tmp_path)
    port, watch_port = free_port(), free_port()
    deliver, watch = ["deliver", "--health-port", str(port)], ["watch", str(tmp_path / "source")]
    address = gateway.ready_url.removesuffix("/ready")
    watch += ["--health-port", str(watch_port), "--gateway", address, "--token", "a.token"]
    environment = dict(os.environ)
    running = [
        gateway,
        a_worker(tmp_path),
        Child("deliverer", deliver, environment, tmp_path / "deliverer.log", f"http://127.0.0.1:{port}/ready"),
        Child("watch", watch, environment, tmp_path / "watch.log", f"http://127.0.0.1:{watch_port}/ready"),
    ]
    for child in running:
        child.start()
    try:
        wait_until_ready(running, timedelta(seconds=120), threading.Event())
        yield running
    finally:
        stop_all(running)


def changes_in(log: Path) -> list[str]:
    """Returns what a process' log says of contacts, in its order, but for its first words."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["event"].startswith("contact_")][-2:]


def test_ready_means_able_to_work_now_and_each_log_tells_when_the_broker_was_away(
    broker: EmbeddedBroker, processes: list[Child]
) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        until(lambda: not any(child.is_ready() for child in processes))
        said = {child.role: httpx.get(child.ready_url).json() for child in processes}
        listed = run("needs", "list")
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    until(lambda: all(child.is_ready() for child in processes), 60)

    for child in processes:
        metrics = httpx.get(child.ready_url.removesuffix("/ready") + "/metrics").text
        assert "brobygger_process_start_time_seconds" in metrics, child.role
    assert [said[role]["broker"] for role in ("gateway", "worker-1", "deliverer")] == [False] * 3
    assert said["watch"]["gateway"] is False
    assert listed.exit_code == 2
    assert f"no Kafka broker answers at {broker.bootstrap}" in listed.stderr
    assert {child.role: changes_in(child.log_file) for child in processes} == {
        child.role: ["contact_lost", "contact_found"] for child in processes
    }
    assert [child.failures for child in processes] == [0] * len(processes)
