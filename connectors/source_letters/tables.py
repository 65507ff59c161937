"""The database of letters to sources: mailboxes, what is known of the sources' own letters, the outbox, positions.

Nothing personal: ids of statements and episodes, the sources' own; a mailbox's token is encrypted. What changes here
goes into a new revision in ``migrations``.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, false

from connectors.vault.access import Access, Database
from connectors.vault.migrating import Migrations
from connectors.vault.urls import sqlite_url

TABLES = MetaData()
_NAME, _ID, _CODE = String(128), String(36), String(64)
_GROWING = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER key counts by itself in SQLite

MAILBOXES = Table(
    "mailboxes",
    TABLES,
    Column("recipient", _NAME, primary_key=True),
    Column("sor", String(18), nullable=False),
    Column("gln", String(13), nullable=False),
    Column("url", String(2048), nullable=False),
    Column("token", LargeBinary),
    Column("in_envelope", Boolean, nullable=False, server_default=false()),
    Column("since_ms", BigInteger, nullable=False),
)
#: The statements of sources that have a mailbox, by event id: the ids by which a source knows its own letter.
STATEMENTS = Table(
    "statements",
    TABLES,
    Column("event_id", _ID, primary_key=True),
    Column("source", _NAME, nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("episode_id", _NAME),
    Column("seen_at_ms", BigInteger, nullable=False),
)
#: One row a notice. ``sendings`` counts Bundles, ``attempts`` the failed ones of bringing the last Bundle across.
OUTBOX = Table(
    "outbox",
    TABLES,
    Column("number", _GROWING, primary_key=True),
    Column("notice_id", _ID, nullable=False, unique=True),
    Column("letter_id", _ID, nullable=False, unique=True),
    Column("recipient", _NAME, nullable=False),
    Column("kind", _CODE, nullable=False),
    Column("about", _ID, nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("thread", _ID, nullable=False),
    Column("said_at_ms", BigInteger, nullable=False),
    Column("queued_at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sendings", Integer, nullable=False),
    Column("sent_at_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("outcome", _CODE),
)
Index("outbox_by_recipient", OUTBOX.c.recipient, OUTBOX.c.state, OUTBOX.c.next_at_ms)
POSITIONS = Table(
    "positions",
    TABLES,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)


class SourceLettersUnavailableError(Exception):
    """Raised where the database of letters to sources can't be opened, read or written; the caller may try again."""


_MIGRATIONS = Migrations("source_letters", Path(__file__).parent / "migrations")
_ACCESS = Access(_MIGRATIONS, "the database of letters to sources", SourceLettersUnavailableError)


def letters_database_of(data_folder: Path, url: str | None = None) -> Database:
    """Returns the database: a SQLite file in the data folder unless a URL is given."""
    return Database(_ACCESS, url or sqlite_url(data_folder / "source-letters.sqlite"))
