"""What docker-compose.yml starts, without containers: a closed broker, and processes with their own keys alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka.admin import KafkaAdminClient

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.reachability import require_broker
from connectors.vault.keys import NEEDED_BY, KeyHolder
from streams.cli.up import free_port
from streams.supervision import Child, stop_all, wait_until_ready

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
PROCESSES: dict[str, KeyHolder] = {
    "gateway": "gateway",
    "worker-1": "worker",
    "worker-2": "worker",
    "deliverer": "deliverer",
}


class Host:
    """A folder in place of the volumes, and a port in place of the broker's name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.broker_port = folder, free_port()
        for name in (*PROCESSES, "kafka", "operations", "letters"):
            (folder / "handed" / name).mkdir(parents=True)

    def here(self, text: str, data: str) -> str:
        """Returns a text of the file with the places of this machine; ``data`` is the service's own volume."""
        text = text.replace("/handed/", f"{self.folder}/handed/").replace(
            "/run/brobygger/", f"{self.folder}/handed/kafka/"
        )
        text = text.replace("/var/lib/brobygger-letters", str(self.folder / "handed" / "letters"))
        text = text.replace("/var/lib/brobygger", str(self.folder / "handed" / data))
        return text.replace("kafka:9092", f"127.0.0.1:{self.broker_port}").replace("$$", "$")

    def environment(self, name: str, data: str) -> dict[str, str]:
        """Returns the environment of a service."""
        own = {key: self.here(value, data) for key, value in SERVICES[name].get("environment", {}).items()}
        image = {"BROBYGGER_DATA": str(self.folder / "handed" / data), "BROBYGGER_PARTITIONS": "3"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("KAFKA_", "BROBYGGER_"))}
        return kept | {"PYTHONPATH": str(ROOT)} | image | own

    def run(self, name: str) -> None:
        """Runs a service that ends, as operations."""
        [script] = SERVICES[name]["command"]
        commands = re.sub(r"^brobygger ", f"{sys.executable} -m streams.cli ", script, flags=re.MULTILINE)
        commands = self.here(commands.replace("python -c", f"{sys.executable} -c"), "operations")
        environment = self.environment(name, "operations")
        done = subprocess.run(
            ["/bin/sh", "-euc", commands], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def broker_settings(self) -> dict[str, str]:
        """Returns the properties that the image makes of what its command exports."""
        script = self.here(SERVICES["kafka"]["command"][-1], "kafka").replace(
            "exec /etc/kafka/docker/run", "exec env -0"
        )
        environment: dict[str, str] = SERVICES["kafka"]["environment"]
        told = subprocess.run(
            ["bash", "-euc", script], env=environment | {"PATH": os.environ["PATH"]}, capture_output=True, check=True
        ).stdout.decode()
        exported = dict(line.partition("=")[::2] for line in told.split("\0") if line.startswith("KAFKA_"))
        return {_property_of(name): value for name, value in exported.items()}


def _property_of(variable: str) -> str:
    """Returns the property that the image makes of a variable: _ is a dot, __ is _, ___ is a hyphen."""
    name = variable.removeprefix("KAFKA_").lower().replace("_", ".")
    return name.replace("...", "-").replace("..", "_")


@pytest.fixture
def host(tmp_path: Path, cache_dir: Path) -> Iterator[Host]:
    """Runs the broker of the file, with the keys, topics, rules and users that the file's services make."""
    host, controller = Host(tmp_path), free_port()
    host.run("keys")
    places = {
        "log.dirs": None,
        "listeners": f"CLIENTS://127.0.0.1:{host.broker_port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{host.broker_port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
    }
    settings = {name: value for name, value in (host.broker_settings() | places).items() if value is not None}
    broker = EmbeddedBroker(tmp_path / "broker", cache_dir=cache_dir, port=host.broker_port, extra_properties=settings)
    with broker:
        host.run("init")
        yield host


def test_the_processes_of_the_file_work_with_their_own_keys_and_users_alone(host: Host) -> None:
    address = f"127.0.0.1:{host.broker_port}"
    children = []
    for name in PROCESSES:
        port, variables = free_port(), host.environment(name, name)
        arguments = list(SERVICES[name]["command"])
        if name == "gateway":
            variables["BROBYGGER_GATEWAY_PORT"] = str(port)
        else:
            arguments += ["--health-port", str(port)]
        log = host.folder / f"{name}.log"
        children.append(Child(name, arguments, variables, log, f"http://127.0.0.1:{port}/ready"))
    for child in children:
        child.start()
    try:
        wait_until_ready(children, timedelta(seconds=120), threading.Event())
    finally:
        stop_all(children)

    for name, process in PROCESSES.items():
        folder = host.folder / "handed" / name
        assert {one.name for one in (folder / "keys").iterdir()} == set(NEEDED_BY[process])
        assert (folder / "kafka.password").stat().st_mode & 0o077 == 0
    holders = {path.parent.name for path in host.folder.glob("handed/*/vault.sqlite")}
    assert holders == {"gateway"}
    with pytest.raises(BrokerUnavailableError):
        require_broker(KafkaConnection(bootstrap=address))


def test_made_again_keys_users_and_rules_stay_as_they_are(host: Host) -> None:
    before = {path: path.read_bytes() for path in host.folder.glob("handed/**/*") if path.is_file()}

    host.run("keys")
    host.run("init")

    assert {path: path.read_bytes() for path in before} == before
    worker = KafkaConnection.from_mapping(host.environment("worker-1", "worker-1"))
    with KafkaAdminClient(**worker.for_kafka_python()) as admin:
        assert admin.list_topics()
