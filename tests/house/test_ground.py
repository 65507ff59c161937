"""What is committed names no registry and no machine, and the Makefile says what it does."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.tree import ROOT, committed

# Spelt in two halves, so that this file isn't one of those it looks for.
REGISTRIES = [
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("repo1.", "maven.org"),
    ("repo.maven.", "apache.org"),
    ("maven-", "central"),
    ("registry.", "npmjs"),
    ("proxy.", "golang"),
]
MACHINE_PATHS = [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/")]
TARGETS = [
    *("help", "setup", "packages", "run", "check", "unit", "integration", "browser", "screenshots"),
    *("chaos", "test", "soak", "model", "figures"),
    *("golden", "bench-engine", "bench-pathways", "clean"),
]


def naming(halves: tuple[str, str]) -> list[str]:
    """Returns the committed files in which the two halves stand together."""
    text = "".join(halves).encode()
    return [str(path) for path in committed() if text in (ROOT / path).read_bytes()]


@pytest.mark.parametrize("halves", REGISTRIES, ids="".join)
def test_no_committed_file_names_a_registry(halves: tuple[str, str]) -> None:
    assert naming(halves) == []


@pytest.mark.parametrize("halves", MACHINE_PATHS, ids="".join)
def test_no_committed_file_names_a_path_of_one_machine(halves: tuple[str, str]) -> None:
    assert naming(halves) == []


def test_every_target_of_the_makefile_has_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    explained = re.findall(r"^([a-z-]+):.*## .+$", makefile, re.MULTILINE)

    assert phony == explained == TARGETS


def test_make_help_prints_every_target() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout

    assert [line.split()[0] for line in printed.splitlines()] == TARGETS


def test_the_build_calls_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()

    assert lines[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
    assert lines[2:] == ['cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["dev", "run"])
def test_every_pin_has_a_hash(name: str) -> None:
    pins = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", requirements(name), re.MULTILINE | re.DOTALL)

    assert pins
    assert [pin.split()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_the_image_runs_the_versions_that_were_tested() -> None:
    tested, run = (set(re.findall(r"^\S+==\S+", requirements(name), re.MULTILINE)) for name in ("dev", "run"))

    assert run <= tested


def requirements(name: str) -> str:
    """Returns a lock's text."""
    return (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
