"""``brobygger doctor``: whether everything that should run does, and where it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from rich.console import Console

from connectors.kafka.errors import KafkaConnectorError
from connectors.kafka.topics import describe
from schemas.topics import kafka_name
from streams.cli.news import news_of, sentences
from streams.cli.printing import counted
from streams.instance import NoInstanceError, connection_of, read_instance
from streams.settings import Settings, settings_of_process

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection
    from streams.instance import Process

_TIMEOUT = timedelta(seconds=5)
_NO_PROCESS = (
    "no gateway, worker or deliverer is known here: `brobygger up` writes down what it starts; "
    "those that were started one by one, or on other machines, each tell by their own /ready"
)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,  # noqa: FBT002
) -> None:
    """Exits 0 only where all of it is ready."""
    settings = settings_of_process()
    report = examine(settings)
    report["new"] = _news(settings, report, for_people=not as_json)
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
    processes = [_process(one) for one in instance.processes] if instance else []
    problems = [_problem(one) for one in processes if not one["ready"]]
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


def _news(settings: Settings, report: dict[str, Any], *, for_people: bool) -> dict[str, Any] | None:
    """Returns what is new since the last look; None where there is no data folder that one could be kept in."""
    if not settings.data_folder.is_dir():
        return None
    has_topics = report.get("broker", {}).get("ready", False)
    connection = connection_of(settings) if has_topics else None
    instance = read_instance(settings.data_folder)
    return news_of(settings, connection, instance, datetime.now(UTC), for_people=for_people)


def _process(one: Process) -> dict[str, Any]:
    ready, lacks = _readiness(one.health)
    return {
        "role": one.role,
        "pid": one.pid,
        "address": one.health,
        "ready": ready,
        "lacks": lacks,
        "restarts": one.restarts,
        "restarted_at": one.restarted_at and one.restarted_at.isoformat(timespec="seconds"),
        "last_exit": one.last_exit,
    }


def _readiness(health: str | None) -> tuple[bool, list[str]]:
    """Returns whether a process says that it is ready, and what it lacks by its own word."""
    try:
        answer = httpx.get(f"{health}/ready", timeout=_TIMEOUT.total_seconds()) if health else None
        parts = {} if answer is None or answer.is_success else answer.json()
    except (httpx.HTTPError, ValueError):
        return False, []
    return bool(answer and answer.is_success), [name for name, does in parts.items() if name != "ready" and not does]


def _problem(process: dict[str, Any]) -> str:
    lacks = f": it lacks {', '.join(process['lacks'])}" if process["lacks"] else ""
    return f"{process['role']} is not ready{lacks}; see its log"


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
        console.print(f"{'ready ' if one['ready'] else 'NOT   '} {one['role']:<10} {one['address']}{_restarted(one)}")
    for problem in report["problems"]:
        console.print(f"problem: {problem}")
    console.print("all ready" if report["ready"] else "not ready")
    if (news := report["new"]) is not None:
        since = f"since the last look at {news['since']}" if news["since"] else "and never looked at before"
        found = sentences(news)
        console.print(f"{'new' if found else 'nothing new'} {since}{':' if found else ''}")
        for one in found:
            console.print(f"  {one}", soft_wrap=True)


def _restarted(process: dict[str, Any]) -> str:
    if not process["restarts"]:
        return ""
    times = counted(process["restarts"], "time")
    return f"  restarted {times}, last {process['restarted_at']}, exit code {process['last_exit']}"
