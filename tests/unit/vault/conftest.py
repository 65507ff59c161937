"""A vault that several processes could open, and ten people in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.vault.instances import NUMBERS, Instance, an_instance


@pytest.fixture
def instance(database: str, tmp_path: Path) -> Instance:
    """Returns a new vault."""
    return an_instance(database, tmp_path / "keys")


@pytest.fixture
def people(instance: Instance) -> dict[str, str]:
    """Tells the vault of ten people, and returns their youth ids by number."""
    return {number: instance.tell(number) for number in NUMBERS}
