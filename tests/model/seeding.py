"""``python -m tests.model.seeding``: puts each bug of ``seeded_bugs.py`` into a copy, and tells its first seed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.model.seeded_bugs import SEEDED_BUGS, SeededBug

ROOT = Path(__file__).parents[2]
#: A bug that takes more histories than this is one that the model doesn't see.
HISTORIES_MAX = 2_000
_STEP = 100
_SEED = re.compile(r"first seed (\d+)")
_LINKED = ("schemas", "connectors", "tests", "programmes", "reference", "pyproject.toml")


def seeded(bug: SeededBug) -> dict[str, str]:
    """Returns the files of the domain with a bug in them; raises ValueError where a text stands there not once."""
    texts: dict[str, str] = {}
    for change in bug.changes:
        path = ROOT / "streams" / "domain" / change.file
        text = texts.get(change.file) or path.read_text(encoding="utf-8")
        if text.count(change.right) != 1:
            raise ValueError(f"{bug.name}: {change.file} holds the text to change {text.count(change.right)} times")
        texts[change.file] = text.replace(change.right, change.wrong)
    return texts


def first_of(bug: SeededBug, seeds: str) -> int | None:
    """Returns the first of some seeds by which the model finds a bug; raises RuntimeError where it can't run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "streams", folder / "streams", ignore=shutil.ignore_patterns("__pycache__"))
        for linked in _LINKED:
            (folder / linked).symlink_to(ROOT / linked)
        for file, text in seeded(bug).items():
            (folder / "streams" / "domain" / file).write_text(text, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "tests.model", seeds, "--no-shrink"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": name},
            capture_output=True,
            text=True,
            check=False,
        )
    if "histories in" not in run.stdout:
        raise RuntimeError(run.stderr)
    return min(map(int, _SEED.findall(run.stdout)), default=None)


def first_seed(bug: SeededBug) -> int | None:
    """Returns the first seed that finds a bug, or None where none of the first histories does."""
    firsts = (first_of(bug, f"{begin}:{begin + _STEP}") for begin in range(0, HISTORIES_MAX, _STEP))
    return next((seed for seed in firsts if seed is not None), None)


if __name__ == "__main__":
    for one in SEEDED_BUGS:
        sys.stdout.write(f"{one.name}: {first_seed(one)}\n")
        sys.stdout.flush()
