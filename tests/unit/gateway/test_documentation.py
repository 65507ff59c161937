"""``/docs``: everything of it is served from here, as its lock names it."""

from __future__ import annotations

import hashlib
import re

import pytest

from connectors.gateway.documentation import FOLDER
from tests.unit.gateway.builders import Gateway


async def test_the_page_and_all_that_it_loads_come_from_the_gateway(gateway: Gateway) -> None:
    page = await gateway.http.get("/docs")
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert len(named) == 5
    for one in named:
        assert "//" not in one
        if not one.startswith("data:"):
            assert (await gateway.http.get(f"/{one}")).status_code == 200, one


async def test_its_policy_lets_it_load_nothing_from_elsewhere(gateway: Gateway) -> None:
    policy = (await gateway.http.get("/docs")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules["default-src"] == "'none'"
    assert {source for rule in rules.values() for source in rule.split()} <= {
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "data:",
    }
    assert "'unsafe-inline'" not in rules["script-src"]


@pytest.mark.parametrize("path", ["/docs/index.html", "/docs/LICENSE", "/docs/..%2fapp.py", "/docs/x", "/redoc"])
async def test_nothing_else_is_served(gateway: Gateway, path: str) -> None:
    assert (await gateway.http.get(path)).status_code == 404


def test_its_files_are_those_of_its_lock() -> None:
    lines = (FOLDER / "swagger_ui.lock").read_text(encoding="utf-8").splitlines()[1:]

    assert len(lines) == 5
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
