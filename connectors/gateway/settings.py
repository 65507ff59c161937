"""What the gateway is told when it starts: where things are, and the limit on everything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from connectors.kafka.connection import KafkaConnection
from connectors.vault.urls import sqlite_url
from schemas.rules import CLOCK_SKEW_MAX

Positive = Annotated[int, Field(gt=0)]


class Limits(BaseModel):
    """How much of anything one client may ask for at once.

    ``letter_bytes_max`` is for a MedCom letter with its attachments; of those larger than ``body_bytes_max`` no more
    than ``large_letters_max`` are held at once, one of each client. ``ahead_max`` is by how much what has happened may
    lie after its receipt. None, without limit, is for where a demo or a scenario sets the calendar ahead of the clock.
    ``list_processes_max`` is how many lists are read at once, each in a process of its own and within
    ``list_time_max``, or its client states nothing for ten times as long; ``lists_per_client_max`` is how many one
    client may have on their way.
    ``connections_max``, ``silence_max`` and ``idle_max`` as ``connectors.gateway.connections`` says.
    ``statements_per_second`` and ``statements_burst`` bound what one client may state in the long run, lines, rows and
    letters counted singly. ``requests_per_client_max`` are under way at once, its streams among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    body_bytes_max: Positive = 2 * 1024 * 1024
    letter_bytes_max: Positive = 50 * 1024 * 1024
    large_letters_max: Positive = 2
    lines_bytes_max: Positive = 16 * 1024 * 1024
    lines_max: Positive = 10_000
    list_processes_max: Positive = 2
    lists_per_client_max: Positive = 8
    list_time_max: timedelta = timedelta(seconds=30)
    nesting_max: Positive = 64
    ahead_max: timedelta | None = CLOCK_SKEW_MAX
    body_time_max: timedelta = timedelta(seconds=30)
    connections_max: Positive = 512
    silence_max: timedelta = timedelta(seconds=10)
    idle_max: timedelta = timedelta(seconds=65)
    publish_time_max: timedelta = timedelta(seconds=10)
    requests_per_second: Positive = 50
    requests_burst: Positive = 200
    statements_per_second: Positive = 20
    statements_burst: Positive = 20_000
    receipts_kept: timedelta = timedelta(days=400)
    answer_time_max: timedelta = timedelta(seconds=5)
    requests_per_client_max: Positive = 128
    streams_per_client_max: Positive = 4
    stream_heartbeat: timedelta = timedelta(seconds=15)
    stream_time_max: timedelta = timedelta(minutes=15)


class GatewaySettings(BaseModel):
    """Where the gateway keeps its data, and whom it serves.

    ``ages`` are the youngest and the oldest age, in whole years, of those whom messages are published about;
    others' are acknowledged and counted. None: of those whom the programme files serve. ``trusted_proxies`` are the
    addresses and networks whose word (X-Forwarded-For) is taken for where a request came from; nobody else's is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_folder: Path
    kafka: KafkaConnection
    reference_folder: Path
    programmes_folder: Path = Path("programmes")
    ages: tuple[int, int] | None = None
    vault_url: str | None = None
    ledger_url: str | None = None
    read_model_url: str | None = None
    letters_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    limits: Limits = Limits()

    @property
    def keys_folder(self) -> Path:
        """Returns the folder of the vault's key files."""
        return self.data_folder / "keys"

    @property
    def vault_database(self) -> str:
        """Returns the URL of the vault's database: a SQLite file in the data folder unless set."""
        return self.vault_url or sqlite_url(self.data_folder / "vault.sqlite")

    @property
    def ledger_database(self) -> str:
        """Returns the URL of the gateway's receipts and clients: a file of its own, apart from the vault."""
        return self.ledger_url or sqlite_url(self.data_folder / "gateway.sqlite")

    @property
    def lists_folder(self) -> Path:
        """Returns the folder of the lists' mapping files, one ``<list>.toml`` each."""
        return self.data_folder / "lists"

    @property
    def read_model_database(self) -> str:
        """Returns the URL of the read model: a file of its own, which may be deleted while the gateway stands still."""
        return self.read_model_url or sqlite_url(self.data_folder / "read-model.sqlite")
