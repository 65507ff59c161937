"""Options of the whole test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --soak: the chaos tests' full counts instead of a seeded tenth."""
    parser.addoption("--soak", action="store_true", help="run the chaos tests in full, about half an hour")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Returns whether the chaos tests run in full."""
    return bool(request.config.getoption("--soak"))
