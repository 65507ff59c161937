"""A gateway a test."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.unit.gateway.builders import Gateway, a_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Runs a gateway on a folder of its own."""
    async with a_gateway(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Runs a gateway that waits for no answer to a reply."""
    async with a_gateway(tmp_path / "data", answer_time_max=timedelta()) as running:
        yield running
