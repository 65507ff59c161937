"""The tables of letters to sources: the revisions make what the code works with, and lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, MetaData, create_engine, inspect, text

from connectors.source_letters.mailboxes import Mailbox, Mailboxes
from connectors.source_letters.tables import TABLES, letters_database_of
from connectors.vault.urls import sqlite_url
from connectors.webhooks.signing import SecretBox
from tests.unit.source_letters.builders import HOSPITAL, NOW, RECIPIENT

if TYPE_CHECKING:
    from pathlib import Path


def shape_of(engine: Engine) -> dict[str, Any]:
    """Returns the columns, keys and indexes of the tables that the code knows."""
    found = inspect(engine)
    return {
        name: (
            sorted((one["name"], str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"])) for one in found.get_indexes(name)),
            sorted(tuple(one["column_names"]) for one in found.get_unique_constraints(name)),
        )
        for name in TABLES.tables
    }


def test_the_revisions_make_what_the_code_works_with(tmp_path: Path) -> None:
    letters_database_of(tmp_path).close()
    made = create_engine(sqlite_url(tmp_path / "made.sqlite"))
    TABLES.create_all(made)

    assert shape_of(create_engine(sqlite_url(tmp_path / "source-letters.sqlite"))) == shape_of(made)


def test_a_mailbox_from_before_there_were_envelopes_stays_without(tmp_path: Path) -> None:
    database = create_engine(sqlite_url(tmp_path / "source-letters.sqlite"))
    first = MetaData()
    for table in TABLES.tables.values():
        table.to_metadata(first)
    with database.begin() as connection:
        first.create_all(connection)
        connection.execute(text("ALTER TABLE mailboxes DROP COLUMN in_envelope"))
        row = {"recipient": RECIPIENT, "sor": HOSPITAL.sor, "gln": HOSPITAL.gln, "since": int(NOW.timestamp() * 1000)}
        connection.execute(
            text("INSERT INTO mailboxes VALUES (:recipient, :sor, :gln, 'https://a', NULL, :since)"), row
        )

    mailboxes = Mailboxes(letters_database_of(tmp_path), SecretBox(tmp_path / "keys"))

    assert mailboxes.listed() == (Mailbox(RECIPIENT, HOSPITAL, "https://a", has_token=False, since=NOW),)
