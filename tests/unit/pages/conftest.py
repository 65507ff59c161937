"""The pages, anew for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.gateway.prepared import worked_out_once
from tests.unit.pages.builders import Pages, the_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

worked_out = pytest.fixture(worked_out_once, autouse=True, scope="session")


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    """Runs the pages on a folder of their own."""
    async with the_pages(tmp_path / "data") as running:
        yield running
