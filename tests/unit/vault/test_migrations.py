"""Versions of the tables: made, upgraded with what is in them by one process at a time, never by an older release."""

from __future__ import annotations

import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, MetaData, column, create_engine, inspect, select, table, text, update

from connectors import gateway
from connectors.gateway.tables import TABLES as LEDGER
from connectors.gateway.tables import LedgerUnavailableError, open_ledger
from connectors.read_model.tables import TABLES as READ_MODEL
from connectors.read_model.tables import ReadModelUnavailableError, open_read_model
from connectors.vault.database import open_database
from connectors.vault.migrating import Migrations
from connectors.vault.tables import INDEX, VaultUnavailableError, open_vault_tables
from connectors.vault.tables import TABLES as VAULT

if TYPE_CHECKING:
    from collections.abc import Callable

OWNERS = {
    "vault": (open_vault_tables, VAULT, VaultUnavailableError),
    "ledger": (open_ledger, LEDGER, LedgerUnavailableError),
    "read_model": (open_read_model, READ_MODEL, ReadModelUnavailableError),
}
Opened = tuple["Callable[[str], Engine]", MetaData, type[Exception]]


def shape_of(engine: Engine, names: list[str]) -> dict[str, list[object]]:
    """Returns what a database says of its tables: columns in any order, keys and indexes."""
    found = inspect(engine)
    return {
        name: [
            sorted((one["name"], str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"])) for one in found.get_indexes(name)),
        ]
        for name in names
    }


@pytest.fixture(params=list(OWNERS))
def owner(request: pytest.FixtureRequest) -> str:
    """Returns the name of each owner of tables."""
    return str(request.param)


def test_the_revisions_make_what_the_code_works_with(owner: str, database: str) -> None:
    opened, tables, _ = OWNERS[owner]
    # Whatever module declares a table, it is looked for.
    for module in pkgutil.walk_packages(gateway.__path__, "connectors.gateway."):
        importlib.import_module(module.name)
    names = sorted(tables.tables)

    migrated = opened(database)
    made = shape_of(migrated, names)
    with migrated.begin() as connection:
        tables.drop_all(connection)
        tables.create_all(connection)

    assert made == shape_of(migrated, names)


def test_a_database_of_a_later_release_is_refused_with_both_versions(owner: str, database: str) -> None:
    opened, _, error = OWNERS[owner]
    engine = opened(database)
    with engine.begin() as connection:
        connection.execute(update(table(f"{owner}_version", column("version_num"))).values(version_num="v9999"))

    with pytest.raises(error, match="are of version v9999, and this release knows them up to v000"):
        opened(database)


def test_all_three_live_in_one_database(database: str) -> None:
    for opened, _, _ in OWNERS.values():
        opened(database)

    names = inspect(open_vault_tables(database)).get_table_names()
    assert {f"{owner}_version" for owner in OWNERS} < set(names)


def test_processes_that_start_at_once_upgrade_once(database: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        engines = list(threads.map(lambda _: open_vault_tables(database), range(6)))

    with engines[0].connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM vault_version")).all() == ["v0002"]


def test_processes_that_make_a_file_at_the_same_moment_all_open_it(tmp_path: Path) -> None:
    """One in twenty was told that the database is locked: SQLite's waiting time doesn't hold for the switch to WAL."""
    with ThreadPoolExecutor(6) as threads:
        for number in range(200):
            url = f"sqlite:///{tmp_path / str(number)}.sqlite"
            for engine in threads.map(lambda _, at=url: open_database(at, MetaData()), range(6)):
                engine.dispose()


def test_an_upgrade_keeps_what_is_there_and_a_first_database_without_a_version_is_taken_on(database: str) -> None:
    lookup = b"l" * 32
    first = open_database(database, _tables_of_version_1())
    with first.begin() as connection:
        connection.execute(text("INSERT INTO youth_index VALUES (:lookup, :youth_id)"), _row(lookup))

    engine = open_vault_tables(database)

    with engine.connect() as connection:
        [row] = connection.execute(select(INDEX))
    assert tuple(row) == (lookup, "y" * 32, "k001")


def test_an_upgrade_that_fails_leaves_the_version_before(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "revisions"
    folder.mkdir()
    (folder / "v0001_first.py").write_text(_revision("v0001", None, "create_table('kept', Column('n', Integer))"))
    Migrations("things", folder).upgrade(create_engine(database))
    (folder / "v0002_broken.py").write_text(
        _revision("v0002", "v0001", "create_table('half', Column('n', Integer))\n    raise ZeroDivisionError")
    )

    engine = create_engine(database)
    with pytest.raises(ZeroDivisionError):
        Migrations("things", folder).upgrade(engine)

    assert sorted(inspect(engine).get_table_names()) == ["kept", "things_version"]
    with engine.connect() as connection:
        assert Migrations("things", folder).version_of(connection) == "v0001"


def test_an_error_tells_nothing_of_the_url() -> None:
    with pytest.raises(VaultUnavailableError) as caught:
        open_vault_tables("postgresql://someone:secret@localhost:1/vault")

    assert "secret" not in str(caught.value)
    with pytest.raises(VaultUnavailableError):
        open_vault_tables("mysql://localhost/vault")


def test_every_revision_follows_the_one_before_it() -> None:
    for owner in ("vault", "gateway", "read_model"):
        folder = Path(importlib.import_module(f"connectors.{owner}.migrations").__path__[0])
        before = None
        for path in sorted(folder.glob("v*.py")):
            revision = importlib.import_module(f"connectors.{owner}.migrations.{path.stem}")
            assert (revision.revision, revision.down_revision) == (path.stem[:5], before)
            before = revision.revision


def _tables_of_version_1() -> MetaData:
    tables = MetaData()
    for name in ("youth_index", "identities", "claims", "claim_misses"):
        table = VAULT.tables[name].to_metadata(tables)
        for name_of_column in ("key_id", "generation"):
            for index in [one for one in table.indexes if name_of_column in one.columns or "kek_id" in one.columns]:
                table.indexes.remove(index)
            if name_of_column in table.columns:
                table._columns.remove(table.columns[name_of_column])
    return tables


def _row(lookup: bytes) -> dict[str, object]:
    return {"lookup": lookup, "youth_id": "y" * 32}


def _revision(version: str, before: str | None, does: str) -> str:
    return (
        "from alembic import op\nfrom sqlalchemy import Column, Integer\n"
        f"revision, down_revision = {version!r}, {before!r}\n\n\ndef upgrade():\n    op.{does}\n"
    )
