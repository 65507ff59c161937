"""The domain has no clock, ids, randomness or I/O: it may import these modules and nothing else."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT, code, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAY_IMPORT = {
    "__future__",
    "bisect",
    "calendar",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "operator",
    "schemas",
    "streams",
    "types",
    "typing",
    "zoneinfo",
}
CLOCKS = {"now", "today", "utcnow"}
DOMAIN = [path for path in code() if path.parts[:2] == ("streams", "domain")]


@pytest.mark.parametrize("path", DOMAIN, ids=str)
def test_a_file_of_the_domain_imports_only_what_is_pure(path: Path) -> None:
    assert {name.partition(".")[0] for name in _imported(path)} <= MAY_IMPORT


@pytest.mark.parametrize("path", DOMAIN, ids=str)
def test_a_file_of_the_domain_asks_no_clock(path: Path) -> None:
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]

    assert [call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in CLOCKS] == []


@pytest.mark.parametrize("path", DOMAIN, ids=str)
def test_a_file_of_the_domain_opens_and_prints_nothing(path: Path) -> None:
    called = {node.func.id for node in nodes_of(path) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert called & {"open", "print", "input", "eval", "exec", "__import__"} == set()


def test_the_domains_contract_lists_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    [forbidden] = [set(one["forbidden_modules"]) for one in contracts if one["id"] == "domain"]
    named = {re.match(r"[\w-]+", line).group() for line in project["project"]["dependencies"]}  # type: ignore[union-attr]
    installed = packages_distributions().items()
    covered = {name.lower().replace("_", "-") for module, names in installed if module in forbidden for name in names}

    assert named - covered == set()


def _imported(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."
