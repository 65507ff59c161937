"""The deliverer's database: endpoints, what waits for each, and how far each topic was read.

Nothing personal: bodies are records of a programme's own topic, and secrets are encrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table

from connectors.vault.access import Access, Database
from connectors.vault.urls import sqlite_url

if TYPE_CHECKING:
    from pathlib import Path

TABLES = MetaData()
ACTIVE, PAUSED = "active", "paused"
QUEUED, DELIVERED, GIVING_UP, GIVEN_UP = "queued", "delivered", "giving_up", "given_up"
_CODE = String(64)
_GROWING = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER key counts by itself in SQLite

ENDPOINTS = Table(
    "endpoints",
    TABLES,
    Column("programme", String(64), primary_key=True),
    Column("url", String(2048), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former_secret", LargeBinary),
    Column("former_until_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", _CODE),
    Column("changed_at_ms", BigInteger, nullable=False),
)
#: ``next_offset`` is the first of a partition that is not in ``deliveries`` yet.
POSITIONS = Table(
    "positions",
    TABLES,
    Column("programme", String(64), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)
#: The last attempt that failed at each endpoint; the row stays when the next one succeeds.
FAILURES = Table(
    "failures",
    TABLES,
    Column("programme", String(64), primary_key=True),
    Column("outcome", _CODE, nullable=False),
    Column("failed_at_ms", BigInteger, nullable=False),
)
#: What the deliverer that was started last lets itself connect to; one row.
DELIVERER = Table(
    "deliverer",
    TABLES,
    Column("number", Integer, primary_key=True),
    Column("loopback_allowed", Boolean, nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
)
#: One row a record. ``number`` is their order; ``rounds`` counts how often a finished one was sent again.
DELIVERIES = Table(
    "deliveries",
    TABLES,
    Column("number", _GROWING, primary_key=True),
    Column("programme", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("handover", String(128), nullable=False),
    Column("youth_id", String(128), nullable=False),
    Column("correlation_id", String(36), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("queued_at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_ms", BigInteger, nullable=False),
    Column("outcome", _CODE),
    Column("ended_at_ms", BigInteger),
)
Index("deliveries_by_event", DELIVERIES.c.programme, DELIVERIES.c.event_id, unique=True)
Index("deliveries_by_queue", DELIVERIES.c.programme, DELIVERIES.c.state, DELIVERIES.c.handover, DELIVERIES.c.number)
Index("deliveries_by_end", DELIVERIES.c.state, DELIVERIES.c.ended_at_ms)


class WebhooksUnavailableError(Exception):
    """Raised where the deliverer's database can't be opened, read or written; the caller may try again."""


_ACCESS = Access(TABLES, "the webhooks' database", WebhooksUnavailableError)


def webhooks_database_of(data_folder: Path, url: str | None = None) -> Database:
    """Returns the database: a SQLite file in the data folder unless a URL is given."""
    return Database(_ACCESS, url or sqlite_url(data_folder / "webhooks.sqlite"))
