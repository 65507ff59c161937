"""Gives the integration tests one real broker a session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectors.kafka.embedded import EmbeddedBroker, temporary_broker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """Returns where jars are kept between sessions."""
    given = os.environ.get("BROBYGGER_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "brobygger"


@pytest.fixture(scope="session")
def broker(cache_dir: Path) -> Iterator[EmbeddedBroker]:
    """Runs one broker for all tests of the session; each test uses topics of its own."""
    with temporary_broker(cache_dir) as running:
        yield running
