"""The five arrangements through the real doors: each source's figures, and books that balance."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streams.scenarios.files import load_scenario
from streams.scenarios.run import ARRANGEMENTS
from tests.house.tree import ROOT

pytestmark = pytest.mark.integration


def played(cache_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command from where no instance is, and on a terminal that is wide enough for whole rows."""
    variables = dict(os.environ) | {"BROBYGGER_CACHE": str(cache_dir), "COLUMNS": "200"}
    command = [sys.executable, "-m", "streams.cli", "scenario", *arguments]
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)


def rows_of(output: str) -> set[tuple[str, ...]]:
    """Returns the rows of all tables: a scenario's figure and a need's reason may have one name."""
    return {tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in output.splitlines() if "│" in line}


def test_the_sources_figures_come_out_and_the_books_balance_after_them(cache_dir: Path, *, soak: bool) -> None:
    """All five take minutes of calendar records: the soak plays them, every other run the shortest."""
    names = [*ARRANGEMENTS] if soak else ["opus-young"]
    run = played(cache_dir, "all" if soak else names[0])

    wrong = [line for line in run.stdout.splitlines() if "differs" in line or "unbalanced" in line]
    assert run.returncode == 0, f"{wrong}\n{run.stdout[-2000:]}\n{run.stderr[-3000:]}"
    rows = rows_of(run.stdout)
    for name in names:
        for figure in load_scenario(ROOT / f"scenarios/{name}.toml").figures:
            assert (figure.counts, str(figure.source), str(figure.source), "") in rows, (name, figure.id)
    assert not soak or ("families visitated", "2113", "2113", "") in rows
    assert "it balances" in run.stdout


def test_a_figure_that_is_not_ours_ends_with_1_and_says_which(cache_dir: Path, tmp_path: Path) -> None:
    folder, data = tmp_path / "scenarios", tmp_path / "kept"
    shutil.copytree(ROOT / "scenarios", folder)
    file = folder / "psykinfo-adviser.toml"
    right = file.read_text(encoding="utf-8")
    wrong = right.replace("source = 8\n", "source = 9\n")
    assert wrong != right
    file.write_text(wrong, encoding="utf-8")

    run = played(cache_dir, "psykinfo-adviser", "--folder", str(folder), "--keep", str(data), "--json")

    assert run.returncode == 1, run.stderr[-3000:]
    told = json.loads(run.stdout)
    [scenario] = told["scenarios"]
    assert [one for one in scenario["figures"] if not one["agrees"]] == [
        {"id": "during", "source": 9, "ours": 8, "agrees": False}
    ]
    assert told["reconcile"]["balances"]
    assert (data / "broker").is_dir()
