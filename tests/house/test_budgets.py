"""Files and functions stay short enough to be read at once, and side doors stay shut."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeGuard

from tests.house.tree import ROOT, code, nodes_of

if TYPE_CHECKING:
    from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
# What is over its budget, each with the lines it has now. It only ever shrinks: no entry is added, none grows.
OVER_BUDGET: dict[str, int] = {}
# The settings are read at one place; `up` hands its environment on to the processes that it starts.
ENVIRONMENT_READERS = ("streams/settings.py", "streams/cli/up.py")
# What a handler calls to end the process: nothing is skipped, the group rebalances.
ENDS = {"end", "_end", "end_process", "_failed"}


def lines_over_budget(path: Path) -> dict[str, int]:
    """Returns the file and each of its functions that are longer than they may be."""
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    over = {str(path): lines} if lines > FILE_LINES_MAX else {}
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            over |= {f"{path}::{node.name}": length} if length > FUNCTION_LINES_MAX else {}
    return over


# One test looks at all files, since there are hundreds: each as a test of its own takes longer than the looking.
def test_files_and_their_functions_are_within_budget() -> None:
    over = {name: length for path in code() for name, length in lines_over_budget(path).items()}

    assert {name: length for name, length in over.items() if length > OVER_BUDGET.get(name, 0)} == {}


def test_no_allowance_is_larger_than_it_has_to_be() -> None:
    now = {name: length for path in code() for name, length in lines_over_budget(path).items()}

    assert {name: length for name, length in OVER_BUDGET.items() if now.get(name) != length} == {}


def test_the_environment_is_read_at_the_composition_root_alone() -> None:
    readers = [
        f"{path}:{node.lineno}"
        for path in code()
        for node in nodes_of(path)
        if str(path) not in ENVIRONMENT_READERS and _reads_environment(node)
    ]

    assert readers == []


def test_what_catches_everything_is_where_a_message_is_put_aside_or_ends_the_process() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in code()
        for node in nodes_of(path)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node) and not _ends(node)
    ]

    assert [place for place in found if not place.startswith("streams/agents/")] == []


def _reads_environment(node: ast.AST) -> TypeGuard[ast.Attribute | ast.ImportFrom]:
    if isinstance(node, ast.ImportFrom):
        return bool({"environ", "getenv"} & {alias.name for alias in node.names})
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    broad = {"Exception", "BaseException"}
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in broad)


def _ends(handler: ast.ExceptHandler) -> bool:
    calls = [node.func for node in ast.walk(handler) if isinstance(node, ast.Call)]
    called = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    return bool(called & ENDS) or any(isinstance(node, ast.Raise) for node in ast.walk(handler))
