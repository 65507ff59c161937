"""The files that are committed or about to be, as the house tests read them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("schemas", "connectors", "streams")


@cache
def committed() -> tuple[Path, ...]:
    """Returns every file that git tracks or would add, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return tuple(path for name in listed.split("\0") if name and (ROOT / (path := Path(name))).is_file())


def code() -> tuple[Path, ...]:
    """Returns the Python files of the service itself."""
    return tuple(path for path in committed() if path.suffix == ".py" and path.parts[0] in CODE)


@cache
def module_of(path: Path) -> ast.Module:
    """Returns a file's syntax tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Returns every node of a file's syntax tree."""
    return tuple(ast.walk(module_of(path)))
