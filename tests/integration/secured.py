"""A broker with users and rules for tests: commands run on it as its super user, and users are made by a command."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker, temporary_broker
from streams.cli.main import app
from streams.cli.up import free_port
from streams.provision import create_topics
from streams.settings import Settings
from streams.supervision import Child, stop_all, wait_until_ready
from tests.integration.command_line import until
from tests.integration.service import Service, a_service

ROOT = Path(__file__).parents[2]
PARTITIONS = 4


@dataclass(frozen=True)
class Secured:
    """A running secured broker and a data folder."""

    broker: EmbeddedBroker
    folder: Path

    @property
    def connection(self) -> KafkaConnection:
        """Returns the super user's way to the broker."""
        return self.broker.connection

    def variables(self, connection: KafkaConnection) -> dict[str, str]:
        """Returns the environment of a process that comes as this user."""
        return {
            "BROBYGGER_DATA": str(self.folder),
            "BROBYGGER_PARTITIONS": str(PARTITIONS),
            **connection.as_variables(),
        }

    def run(self, *arguments: str, connection: KafkaConnection | None = None) -> Result:
        """Runs a command as a user, the super user unless one is given."""
        return CliRunner().invoke(app, list(arguments), env=self.variables(connection or self.connection))

    def user(self, name: str) -> KafkaConnection:
        """Returns the way to the broker as a user with a new password, once the broker knows it."""
        made = json.loads(self.run("acls", "user", name, "--json").stdout)
        connection = self.login(made["username"], made["password"])
        until(lambda: may_log_in(connection))
        return connection

    def login(self, username: str, password: str) -> KafkaConnection:
        """Returns the way to the broker with a name and password."""
        return KafkaConnection(
            bootstrap=self.broker.bootstrap,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512",
            username=username,
            password=SecretStr(password),
        )


@contextmanager
def a_secured_broker(cache_dir: Path, folder: Path) -> Iterator[Secured]:
    """Runs a broker with every topic and rule of the service on it; the data folder is the one given."""
    with temporary_broker(cache_dir, secured=True) as broker:
        running = Secured(broker, folder)
        create_topics(Settings(data_folder=folder, partitions=PARTITIONS), broker.connection)
        applied = running.run("acls", "apply")
        assert applied.exit_code == 0, applied.output
        yield running


@dataclass(frozen=True)
class SecuredService:
    """A service whose processes each come as their own user. ``service`` is the super user's view of it.

    ``as_gateway`` publishes as the gateway does, whose address is ``doors``.
    """

    secured: Secured
    service: Service
    as_gateway: Service
    doors: str


@asynccontextmanager
async def a_secured_service(secured: Secured, settle_seconds: int = 900) -> AsyncIterator[SecuredService]:
    """Runs workers and a gateway on a secured broker; stops them in the end."""
    async with a_service(secured.folder, secured.connection, PARTITIONS, settle_seconds) as service:
        service.worker_connection = secured.user("worker")
        as_gateway = replace(service, connection=secured.user("gateway"))
        port = str(free_port())
        variables = secured.variables(as_gateway.connection) | {"BROBYGGER_GATEWAY_PORT": port}
        doors = f"http://127.0.0.1:{port}"
        log = secured.folder / "gateway.log"
        gateway = Child("gateway", ["gateway"], dict(os.environ) | variables, log, f"{doors}/ready")
        gateway.start()
        try:
            await asyncio.to_thread(service.start_workers)
            await asyncio.to_thread(wait_until_ready, [gateway], timedelta(seconds=60), threading.Event())
            yield SecuredService(secured, service, as_gateway, doors)
        finally:
            stop_all([gateway])


def may_log_in(connection: KafkaConnection) -> bool:
    """Tells whether the broker lets this user in."""
    try:
        with KafkaAdminClient(**connection.for_kafka_python(), bootstrap_timeout_ms=3_000):
            return True
    except KafkaError:
        return False


def none_may_log_in(*connections: KafkaConnection) -> bool:
    """Tells whether the broker lets none of these in: it takes a client three seconds to give up."""
    with ThreadPoolExecutor() as trying:
        return not any(trying.map(may_log_in, connections))


def readme_example(user: str) -> str:
    """Returns README's example of what a user does over Kafka."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if f'"{user}"' in block]
    return str(example)


@contextmanager
def readmes_example(user: str, connection: KafkaConnection, folder: Path) -> Iterator[Callable[[], str]]:
    """Runs README's example of a user as that user; yields what gives its output so far."""
    output = folder / "printed"
    command = [sys.executable, "-u", "-c", readme_example(user)]
    with output.open("wb") as log, (folder / "errors").open("wb") as errors:
        running = subprocess.Popen(
            command, cwd=ROOT, env=dict(os.environ) | connection.as_variables(), stdout=log, stderr=errors
        )
        try:
            yield lambda: output.read_text(encoding="utf-8")
        finally:
            running.kill()
            running.wait()
