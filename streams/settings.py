"""Everything a process is told by its environment: read once, here, at the composition root."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.kafka.connection import KafkaConnection
from connectors.vault.urls import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).parents[1]
APP_ID = "brobygger"


class SettingsError(Exception):
    """An environment variable is not as it must be; the text names variable, rule and what to do."""


def _networks(text: str) -> str:
    for part in filter(None, text.split(",")):
        try:
            ip_network(part.strip())
        except ValueError as error:
            raise ValueError("IP addresses or networks, with commas between them") from error
    return text


def _folders(text: str) -> str:
    names = [Path(part).name for part in filter(None, text.split(os.pathsep))]
    if len(set(names)) < len(names) or "" in names:
        raise ValueError(f"folders, with {os.pathsep} between them, each of another name: their tokens go by it")
    return text


class Settings(BaseModel):
    """The settings of every command. ``kafka`` None means the embedded broker of the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_folder: Path = Path(".brobygger")
    cache_folder: Path = Path("~/.cache/brobygger")
    programmes_folder: Path = _ROOT / "programmes"
    reference_folder: Path = _ROOT / "reference"
    scenarios_folder: Path = _ROOT / "scenarios"
    kafka: KafkaConnection | None = None
    partitions: Annotated[int, Field(ge=1, le=512)] = 12
    replication_factor: Annotated[int, Field(ge=1, le=9)] = 1
    vault_url: str | None = None
    ledger_url: str | None = None
    read_model_url: str | None = None
    letters_url: str | None = None
    gateway_host: str = "127.0.0.1"
    gateway_port: Annotated[int, Field(ge=0, le=65535)] = 8460
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    watch: Annotated[str, AfterValidator(_folders)] = ""
    calendar_allowed: bool = False
    webhooks_loopback: bool = False
    public_url: Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=512)] | None = None
    settle_seconds: Annotated[int, Field(ge=0, le=86_400)] = 900
    release: str = version("brobygger")

    @property
    def settle(self) -> timedelta:
        """Returns how long facts settle before anything leaves."""
        return timedelta(seconds=self.settle_seconds)

    @property
    def keys_folder(self) -> Path:
        """Returns the folder of the vault's keys."""
        return self.data_folder / "keys"

    @property
    def lists_folder(self) -> Path:
        """Returns the folder of the lists' mapping files."""
        return self.data_folder / "lists"

    @property
    def ledger_database(self) -> str:
        """Returns the URL of the gateway's receipts and clients, where no broker need run to ask for them."""
        return self.ledger_url or sqlite_url(self.data_folder / "gateway.sqlite")

    @property
    def watched_folders(self) -> tuple[Path, ...]:
        """Returns the sources' folders from which files are taken."""
        return tuple(Path(part).absolute() for part in filter(None, self.watch.split(os.pathsep)))

    def watch_token_file(self, folder: Path) -> Path:
        """Returns the file of the token of a watched folder's source."""
        return self.keys_folder / "watch" / f"{folder.absolute().name}.token"

    @property
    def state_folder(self) -> Path:
        """Returns the folder of the workers' stores."""
        return self.data_folder / "state"

    @property
    def broker_folder(self) -> Path:
        """Returns the embedded broker's folder."""
        return self.data_folder / "broker"

    @property
    def log_folder(self) -> Path:
        """Returns the folder of the processes' logs."""
        return self.data_folder / "logs"

    def as_variables(self) -> dict[str, str]:
        """Returns the variables that tell a child process of these settings; ``kafka`` has variables of its own."""
        values = {name: getattr(self, field) for name, field in _VARIABLES.items()}
        return {name: _text_of(value) for name, value in values.items() if value is not None}


_VARIABLES = {
    "BROBYGGER_DATA": "data_folder",
    "BROBYGGER_CACHE": "cache_folder",
    "BROBYGGER_PROGRAMMES": "programmes_folder",
    "BROBYGGER_REFERENCE": "reference_folder",
    "BROBYGGER_PARTITIONS": "partitions",
    "BROBYGGER_REPLICATION": "replication_factor",
    "BROBYGGER_VAULT_URL": "vault_url",
    "BROBYGGER_LEDGER_URL": "ledger_url",
    "BROBYGGER_READ_MODEL_URL": "read_model_url",
    "BROBYGGER_LETTERS_URL": "letters_url",
    "BROBYGGER_GATEWAY_HOST": "gateway_host",
    "BROBYGGER_GATEWAY_PORT": "gateway_port",
    "BROBYGGER_TRUSTED_PROXIES": "trusted_proxies",
    "BROBYGGER_WATCH": "watch",
    "BROBYGGER_CALENDAR_ALLOWED": "calendar_allowed",
    "BROBYGGER_WEBHOOKS_LOOPBACK": "webhooks_loopback",
    "BROBYGGER_PUBLIC_URL": "public_url",
    "BROBYGGER_SETTLE_SECONDS": "settle_seconds",
}


def _text_of(value: object) -> str:
    return str(value.absolute() if isinstance(value, Path) else value)


def settings_from(variables: Mapping[str, str]) -> Settings:
    """Returns the settings of a mapping of variables; raises SettingsError."""
    values: dict[str, object] = {field: variables[name] for name, field in _VARIABLES.items() if name in variables}
    if "KAFKA_BOOTSTRAP" in variables:
        values["kafka"] = KafkaConnection.from_mapping(variables)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        names = {field: name for name, field in _VARIABLES.items()}
        rows = "; ".join(f"{names.get(str(row['loc'][0]), row['loc'])}: {row['msg']}" for row in error.errors())
        raise SettingsError(f"{rows}; correct the variable and start again") from error
    folders = {name: getattr(settings, name).expanduser() for name in ("data_folder", "cache_folder")}
    return settings.model_copy(update=folders)


def settings_of_process() -> Settings:
    """Returns the settings of this process's environment."""
    return settings_from(os.environ)
