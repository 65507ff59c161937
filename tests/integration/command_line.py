"""The command line for tests on a real broker: runs commands in this process, and what they run against."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from connectors.kafka.connection import KafkaConnection
from schemas.events import EventHeader
from schemas.topics import kafka_name
from streams.cli.main import app
from streams.cli.up import free_port
from streams.supervision import Child
from tests.domain.story import a_consent, a_person, a_step

NOW = datetime.now(UTC)
PERSONAL = b"\xc3\x01Nancy Ann Berggren 2509479989"


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def document_of(*arguments: str) -> Any:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def lines_of(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def publish(topic: str, *events: EventHeader) -> None:
    result = run("publish", topic, "-", given="".join(event.model_dump_json() + "\n" for event in events))
    assert result.exit_code == 0, result.output


def until(happened: Callable[[], Any], seconds: float = 30) -> Any:
    """Returns the first answer that is not empty; fails where none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := happened():
            return found
        time.sleep(0.2)  # between looks at the condition
    raise AssertionError("it did not happen in time")


def send_garbage(bootstrap: str) -> None:
    """Puts what no one can read on a public topic."""

    async def send() -> None:
        producer = AIOKafkaProducer(**KafkaConnection(bootstrap=bootstrap).for_aiokafka())
        await producer.start()
        await producer.send_and_wait(kafka_name("discharges"), PERSONAL, key=b"k", headers=[("x", b"y")])
        await producer.stop()

    asyncio.run(send())


def tell_of(youth_id: str, name: str) -> None:
    """Publishes what leads to a need: a person, a consent, an admission and a discharge home."""
    changes, unit = {"youth_id": youth_id}, {"unit": "9991084000016101"}
    publish("persons", a_person(f"person-{name}", **changes))
    publish("consents", a_consent(f"consent-{name}", NOW - timedelta(days=1), **changes))
    publish(
        "discharges",
        a_step(f"stin-{name}", NOW - timedelta(days=3), "admitted", **changes, **unit),
        a_step(f"slhj-{name}", NOW - timedelta(minutes=1), "discharged_home", **changes, **unit),
    )


def the_gateway() -> str:
    return f"http://127.0.0.1:{os.environ['BROBYGGER_GATEWAY_PORT']}"


def a_gateway(folder: Path) -> Child:
    return Child("gateway", ["gateway"], dict(os.environ), folder / "gateway.log", f"{the_gateway()}/ready")


def a_worker(folder: Path) -> Child:
    port = free_port()
    arguments = ["worker", "--instance-id", "worker-1", "--health-port", str(port)]
    return Child("worker-1", arguments, dict(os.environ), folder / "worker.log", f"http://127.0.0.1:{port}/ready")
