"""A gateway a test; one a module where nothing is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.unit.gateway.builders import Gateway, a_gateway
from tests.unit.gateway.prepared import worked_out_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

worked_out = pytest.fixture(worked_out_once, autouse=True, scope="session")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Runs a gateway on a folder of its own."""
    async with a_gateway(tmp_path / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Runs a gateway for all those tests of a module that expect a refusal, and that nothing was published."""
    async with a_gateway(tmp_path_factory.mktemp("refusing")) as running:
        yield running


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Runs a gateway that waits for no answer to a reply."""
    async with a_gateway(tmp_path / "data", answer_time_max=timedelta()) as running:
        yield running
