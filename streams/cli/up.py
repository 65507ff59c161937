"""``brobygger up``: everything on one machine, started, watched and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from connectors.kafka import training
from connectors.kafka.access import add_rules
from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import create_keys
from streams.access import wanted_rules
from streams.instance import Instance, Process, forget_instance
from streams.provision import CatalogueUnchangedError, apply_programmes, create_topics, parties_of
from streams.settings import Settings, settings_of_process
from streams.supervision import Child, restart_ended, stop_all, wait_until_ready

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection

_READY_MAX = timedelta(seconds=120)
_WATCH = timedelta(milliseconds=500)
_SAVED_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")

console = Console()


def up(
    demo: Annotated[bool, typer.Option("--demo", help="simulate regions, municipalities and programmes")] = False,  # noqa: FBT002
    workers: Annotated[int, typer.Option(min=1, max=16, help="how many workers")] = 2,
    secured: Annotated[bool, typer.Option("--secured", help="a new broker with users, passwords and rules")] = False,  # noqa: FBT002
) -> None:
    """Starts broker (unless KAFKA_BOOTSTRAP is set), workers and gateway; Ctrl-C stops all of it.

    A data folder that began with --secured stays so: `brobygger acls user` makes its users.
    """
    settings = settings_of_process()
    if demo:
        settings = settings.model_copy(update={"calendar_allowed": True})
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    # The broker's log and the workers' stores in it hold birth dates, in files that the umask alone would show to all.
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stopping = _stop_on_signals()
    with ExitStack() as stack:
        connection = settings.kafka or _embedded(settings, stack, secured=secured)
        provision(settings, connection)
        children = children_of(settings, connection, workers)
        stack.callback(forget_instance, settings.data_folder)
        stack.callback(stop_all, children)
        for child in children:
            child.start()
        _write_down(settings, connection, children, demo=demo)
        wait_until_ready(children, _READY_MAX, stopping)
        _say_where(settings, connection, children)
        if demo and not stopping.is_set():
            _start_demo(settings, connection, stopping)
        while not stopping.wait(_WATCH.total_seconds()):
            if restarted := restart_ended(children):
                for child in restarted:
                    console.print(
                        f"{child.role} ended with exit code {child.last_exit}; started again: {child.log_file}"
                    )
                _write_down(settings, connection, children, demo=demo)
        console.print("stopping …")
    console.print("stopped")


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _embedded(settings: Settings, stack: ExitStack, *, secured: bool) -> KafkaConnection:
    console.print("broker …")
    training.prepare(settings.cache_folder)
    broker = EmbeddedBroker(settings.broker_folder, cache_dir=settings.cache_folder, secured=secured)
    return stack.enter_context(broker).connection


def provision(settings: Settings, connection: KafkaConnection, told: Console = console) -> None:
    """Makes keys, topics and rules where they are missing, and puts the programme files in force."""
    told.print("topics and programmes …")
    create_keys(settings.keys_folder)
    create_topics(settings, connection)
    if settings.kafka is None and connection.uses_sasl:
        add_rules(connection, wanted_rules(parties_of(settings)))
    try:
        version = asyncio.run(apply_programmes(settings, connection))
        told.print(f"programmes: version {version} written to the log")
    except CatalogueUnchangedError:
        told.print("programmes: unchanged")


def children_of(settings: Settings, connection: KafkaConnection, workers: int) -> list[Child]:
    """Returns the processes of an instance beside its broker, the gateway first; none is started yet."""
    environment = _environment(settings, connection)
    gateway = Child(
        "gateway",
        ["gateway"],
        environment,
        settings.log_folder / "gateway.log",
        f"http://{settings.gateway_host}:{settings.gateway_port}/ready",
    )
    numbered = [f"worker-{number + 1}" for number in range(workers)]
    return [
        gateway,
        *(_with_health(settings, environment, name, "worker", "--instance-id", name) for name in numbered),
        _with_health(settings, environment, "deliverer", "deliver"),
        *(_watching(settings, environment, folder) for folder in settings.watched_folders),
    ]


def _watching(settings: Settings, environment: dict[str, str], folder: Path) -> Child:
    gateway = f"http://{settings.gateway_host}:{settings.gateway_port}"
    return _with_health(settings, environment, f"watch-{folder.name}", "watch", str(folder), "--gateway", gateway)


def _with_health(settings: Settings, environment: dict[str, str], role: str, *arguments: str) -> Child:
    port = free_port()
    return Child(
        role,
        [*arguments, "--health-port", str(port)],
        environment,
        settings.log_folder / f"{role}.log",
        f"http://127.0.0.1:{port}/ready",
    )


def _environment(settings: Settings, connection: KafkaConnection) -> dict[str, str]:
    """Returns the children's environment: the settings in force, spelt out."""
    kept = {name: os.environ[name] for name in _SAVED_VARIABLES if name in os.environ}
    return kept | settings.as_variables() | connection.as_variables() | {"PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Returns a port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_down(settings: Settings, connection: KafkaConnection, children: list[Child], *, demo: bool) -> None:
    processes = tuple(
        Process(
            role=child.role,
            pid=child.pid,
            health=child.ready_url.removesuffix("/ready"),
            log=str(child.log_file),
            restarts=child.failures,
            restarted_at=child.restarted_at,
            last_exit=child.last_exit,
        )
        for child in children
    )
    gateway = f"http://{settings.gateway_host}:{settings.gateway_port}"
    Instance(bootstrap=connection.bootstrap, gateway=gateway, processes=processes, demo=demo).write(
        settings.data_folder
    )


def _say_where(settings: Settings, connection: KafkaConnection, children: list[Child]) -> None:
    console.print("\n[bold]Brobygger is running.[/bold] Ctrl-C stops all of it.")
    console.print(f"  broker    {connection.bootstrap}")
    console.print(f"  gateway   http://{settings.gateway_host}:{settings.gateway_port}/docs")
    for child in children[1:]:
        console.print(f"  {child.role}  {child.ready_url.removesuffix('/ready')}/metrics")
    console.print(f"  logs      {settings.log_folder}")
    console.print(f"  look      {command_from(Path.cwd())} subscribe handovers.headspace --limit 1\n", soft_wrap=True)


def command_from(folder: Path) -> str:
    """Returns how this command is called in a folder: shortly where it is installed below that."""
    command = Path(sys.executable).with_name("brobygger")
    return str(command.relative_to(folder) if command.is_relative_to(folder) else command)


def _start_demo(settings: Settings, connection: KafkaConnection, stopping: threading.Event) -> None:
    from streams.demo.run import run_demo  # noqa: PLC0415

    thread = threading.Thread(target=run_demo, args=(settings, connection, stopping, console), daemon=True)
    thread.start()
