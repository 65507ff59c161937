"""``brobygger doctor``: whether everything that should run does, and where it is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from rich.console import Console

from connectors.kafka.errors import KafkaConnectorError
from connectors.kafka.topics import describe
from schemas.topics import kafka_name
from streams.instance import NoInstanceError, connection_of, read_instance
from streams.settings import Settings, settings_of_process

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection

_TIMEOUT = timedelta(seconds=5)
_NO_PROCESS = (
    "no gateway, worker or deliverer is known here: `brobygger up` writes down what it starts; "
    "those that were started one by one, or on other machines, each tell by their own /ready"
)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,  # noqa: FBT002
) -> None:
    """Exits 0 only where all of it is ready."""
    report = examine(settings_of_process())
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _print(report)
    raise typer.Exit(0 if report["ready"] else 1)


def examine(settings: Settings) -> dict[str, Any]:
    """Returns what runs, where, and whether all of it is ready."""
    try:
        connection = connection_of(settings)
    except NoInstanceError as error:
        return {"ready": False, "problems": [str(error)], "processes": []}
    instance = read_instance(settings.data_folder)
    processes = [_process(one.role, one.pid, one.health) for one in instance.processes] if instance else []
    problems = [f"{one['role']} is not ready; see its log" for one in processes if not one["ready"]]
    if not processes:
        problems.append(_NO_PROCESS)
    broker = _broker(connection, settings)
    problems += broker["problems"]
    return {
        "ready": not problems,
        "problems": problems,
        "broker": broker,
        "gateway": instance.gateway if instance else None,
        "demo": bool(instance and instance.demo),
        "processes": processes,
        "data_folder": str(settings.data_folder.absolute()),
    }


def _process(role: str, pid: int, health: str | None) -> dict[str, Any]:
    ready = False
    try:
        ready = health is not None and httpx.get(f"{health}/ready", timeout=_TIMEOUT.total_seconds()).is_success
    except httpx.HTTPError:
        ready = False
    return {"role": role, "pid": pid, "address": health, "ready": ready}


def _broker(connection: KafkaConnection, settings: Settings) -> dict[str, Any]:
    intake = kafka_name("intake")
    try:
        found = {one.name: one for one in describe(connection, [intake], _TIMEOUT).values()}
    except KafkaConnectorError as error:
        return {"address": connection.bootstrap, "ready": False, "problems": [str(error)]}
    problems = []
    if intake not in found:
        problems.append("the topics are missing; run `brobygger topics apply`")
    elif found[intake].partitions != settings.partitions:
        problems.append(f"intake has {found[intake].partitions} partitions; set BROBYGGER_PARTITIONS to that")
    return {"address": connection.bootstrap, "ready": not problems, "problems": problems}


def _print(report: dict[str, Any]) -> None:
    console = Console()
    for one in report["processes"]:
        console.print(f"{'ready ' if one['ready'] else 'NOT   '} {one['role']:<10} {one['address']}")
    for problem in report["problems"]:
        console.print(f"problem: {problem}")
    console.print("all ready" if report["ready"] else "not ready")
