"""Says where the chaos tests' brokers keep their jars."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """Returns where jars are kept between sessions."""
    given = os.environ.get("BROBYGGER_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "brobygger"
