"""A gateway a test."""

from __future__ import annotations

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
