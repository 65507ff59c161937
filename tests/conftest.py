"""Options of the whole test run."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from connectors.vault.urls import sqlite_url
from tests.postgresql import Cluster

if TYPE_CHECKING:
    from connectors.kafka.embedded import EmbeddedBroker

settings.register_profile("tenth", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("soak", max_examples=2_000, deadline=None)
# Coming as often as it does else, the garbage collector took a tenth of the time.
gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --soak: the long tests' full counts instead of a seeded tenth; and --screenshots: a folder for pictures."""
    parser.addoption("--soak", action="store_true", help="run the long tests in full, about an hour")
    parser.addoption("--screenshots", metavar="FOLDER", help="save the browser tests' pictures there")


def pytest_configure(config: pytest.Config) -> None:
    """Sets how many examples a property is tried on: the same ones each time, or many new ones with --soak."""
    settings.load_profile("soak" if config.getoption("--soak") else "tenth")


def pytest_collection_finish() -> None:
    """Lets the garbage collector leave alone what was imported."""
    gc.freeze()


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Returns whether the long tests run in full."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """Runs a PostgreSQL; the test fails by the package's name where that is missing."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Returns what makes an empty database and returns its URL: once SQLite files, once a PostgreSQL's."""
    if request.param == "sqlite":
        numbers = count(1)
        return lambda: sqlite_url(tmp_path / f"database-{next(numbers)}.sqlite")
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.database


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """Returns the URL of an empty database: once a SQLite file, once a PostgreSQL's."""
    return new_database()


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """Returns where jars are kept between sessions."""
    given = os.environ.get("BROBYGGER_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "brobygger"


@pytest.fixture(scope="session")
def broker(cache_dir: Path) -> Iterator[EmbeddedBroker]:
    """Runs one broker for all tests of the session, each of which uses topics of its own or empties it before."""
    # What runs without a broker has no need of Kafka's clients.
    from connectors.kafka.embedded import temporary_broker  # noqa: PLC0415

    with temporary_broker(cache_dir) as running:
        yield running
