"""What each gateway makes, reads or works out as it starts, once a process for all tests."""

from __future__ import annotations

import shutil
from functools import cache, partial, partialmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect
from starlette.routing import Route

from connectors.gateway import composition
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.tables import open_ledger
from connectors.kafka.connection import KafkaConnection
from connectors.pages import attach
from connectors.pages.links import links_key
from connectors.pages.sessions import open_sessions
from connectors.read_model.tables import open_read_model
from connectors.source_letters.tables import letters_database_of
from connectors.vault import database
from connectors.vault.keys import create_keys, index_keys
from connectors.vault.migrating import Migrations
from connectors.vault.store import open_vault
from schemas.programmes import load_programmes
from schemas.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI
    from sqlalchemy import Engine, MetaData
    from starlette.routing import BaseRoute

ROOT = Path(__file__).parents[3]
_ROUTES: dict[int, list[BaseRoute]] = {}
_COPIES: set[Path] = set()


def settings_in(folder: Path, **changes: object) -> GatewaySettings:
    """Returns the settings of a gateway on a data folder: no broker that can be reached, people of every age."""
    own = {"kafka": KafkaConnection(bootstrap="localhost:1"), "reference_folder": ROOT / "reference", "ages": (0, 150)}
    return GatewaySettings.model_validate({"data_folder": folder} | own | changes)


def make_ready(folder: Path) -> None:
    """Makes a data folder what a gateway's first start leaves; one in which there are keys stays as it is."""
    if not (folder / "keys").exists():
        shutil.copytree(_first_start().name, folder, dirs_exist_ok=True)
        _COPIES.add(folder)


def share_routes(app: FastAPI) -> None:
    """Gives an application the doors and pages of the first one that had as many; those of its documents stay its own.

    FastAPI works out what a route takes at its first request, and takes longer over it than most tests do.
    """
    routes = app.router.routes
    firsts = _ROUTES.setdefault(len(routes), list(routes))
    routes[:] = [route if isinstance(route, Route) else first for route, first in zip(routes, firsts, strict=True)]


def worked_out_once() -> Iterator[None]:
    """Lets starts meanwhile share what files say that no test changes, and make no tables where all of them are."""
    with pytest.MonkeyPatch.context() as patched:
        read_reference, read_programmes = cache(load_reference), cache(load_programmes)
        patched.setattr(composition, "load_reference", read_reference)
        patched.setattr(attach, "load_reference", read_reference)
        patched.setattr(attach, "load_programmes", read_programmes)
        patched.setattr(database, "_make_tables", partial(_make_missing, database._make_tables))
        patched.setattr(Migrations, "upgrade", partialmethod(_upgrade_others, Migrations.upgrade))
        yield


def _make_missing(make: Callable[[Engine, MetaData], None], engine: Engine, tables: MetaData) -> None:
    if not tables.tables.keys() <= set(inspect(engine).get_table_names()):
        make(engine, tables)


def _upgrade_others(migrations: Migrations, upgrade: Callable[[Migrations, Engine], None], engine: Engine) -> None:
    if engine.url.get_backend_name() != "sqlite" or Path(engine.url.database or "").parent not in _COPIES:
        upgrade(migrations, engine)


# Each key and table waits for the disk, some forty times a start.
@cache
def _first_start() -> TemporaryDirectory[str]:
    made = TemporaryDirectory(prefix="brobygger-first-start-")
    settings = settings_in(Path(made.name))
    create_keys(settings.keys_folder)
    links_key(settings.keys_folder)
    open_vault(settings.vault_database, partial(index_keys, settings.keys_folder)).close()
    for opened in (open_ledger, open_sessions):
        opened(settings.ledger_database).dispose()
    open_read_model(settings.read_model_database).dispose()
    letters_database_of(settings.data_folder).close()
    return made
