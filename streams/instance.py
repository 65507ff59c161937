"""The running instance, as it writes itself down: where its broker, gateway and workers are."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.gateway.settings import GatewaySettings, Limits
from connectors.kafka.embedded import connection_to
from connectors.kafka.reachability import require_broker
from schemas.rules import CLOCK_SKEW_MAX

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection
    from streams.settings import Settings

_FILE = "instance.json"


class NoInstanceError(Exception):
    """No instance runs on this data folder, and no outside cluster is set."""


class Process(BaseModel):
    """One process of the instance. ``health`` is the address of its health server, if it has one.

    ``restarts`` counts how often it ended by itself and was started again, ``last_exit`` is what it ended with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    role: str
    pid: int
    health: str | None = None
    log: str | None = None
    restarts: int = 0
    restarted_at: datetime | None = None
    last_exit: int | None = None

    def alive(self) -> bool:
        """Tells whether the process is there."""
        return Path(f"/proc/{self.pid}").exists() if Path("/proc/self").exists() else _answers(self.pid)


class Instance(BaseModel):
    """Everything that ``brobygger up`` has started."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap: str
    gateway: str
    processes: tuple[Process, ...]
    demo: bool = False

    def write(self, data_folder: Path) -> None:
        """Writes the instance down, whole or not at all."""
        partial = data_folder / f"{_FILE}.new"
        partial.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        partial.replace(data_folder / _FILE)


def read_instance(data_folder: Path) -> Instance | None:
    """Returns the instance of a data folder, or None where none was written."""
    try:
        return Instance.model_validate_json((data_folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def forget_instance(data_folder: Path) -> None:
    """Removes what a stopped instance wrote."""
    (data_folder / _FILE).unlink(missing_ok=True)


def connection_of(settings: Settings) -> KafkaConnection:
    """Returns the way to the brokers: the cluster that is set, else the embedded broker that runs.

    Raises NoInstanceError where there is neither.
    """
    if settings.kafka is not None:
        return settings.kafka
    instance = read_instance(settings.data_folder)
    if instance is None:
        raise NoInstanceError(
            f"no instance runs on {settings.data_folder}; start one with `brobygger up`, or set KAFKA_BOOTSTRAP"
        )
    return connection_to(settings.broker_folder, instance.bootstrap)


def broker_of(settings: Settings) -> KafkaConnection:
    """Returns the way to the brokers, for a command that can do nothing without them: one has answered just now.

    Blocks three seconds at most; raises as ``connection_of`` does, and BrokerUnavailableError.
    """
    connection = connection_of(settings)
    require_broker(connection)
    return connection


def gateway_settings(settings: Settings) -> GatewaySettings:
    """Returns the gateway's part of the settings; raises as ``connection_of`` does."""
    return GatewaySettings(
        data_folder=settings.data_folder,
        kafka=connection_of(settings),
        reference_folder=settings.reference_folder,
        vault_url=settings.vault_url,
        ledger_url=settings.ledger_url,
        read_model_url=settings.read_model_url,
        letters_url=settings.letters_url,
        trusted_proxies=tuple(part.strip() for part in settings.trusted_proxies.split(",") if part.strip()),
        programmes_folder=settings.programmes_folder,
        limits=Limits(ahead_max=None if settings.calendar_allowed else CLOCK_SKEW_MAX),
    )


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
