"""ARCHITECTURE names, for each law, tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_every_file_and_folder_that_it_names_exists() -> None:
    for name in re.findall(r"`((?:schemas|connectors|streams|tests|benchmarks|programmes|reference)/[^`*]*)`", TEXT):
        assert (ROOT / name).exists(), name


def test_every_law_names_a_test_that_exists() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"\| [1-5] ", line)]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert len(rows) == 5
    for name in re.findall(r"`(test_[a-z0-9_]+)`", TEXT):
        assert f"def {name}(" in sources, name
    for row in rows:
        assert "`tests/" in row, row
