"""The names that the service gives, and those that it gives to more than one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.house.tree import code, module_of

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Entry points (`python -m`) and Alembic's migrations.
CALLED_FROM_OUTSIDE = {"main", "upgrade"}


def given_twice(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the names that more than one module defines, with those modules, of pairs of name and module."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in named:
        modules[name].append(module)
    return {name: found for name, found in modules.items() if len(found) > 1}


def public_names() -> list[tuple[str, str]]:
    """Returns each public class, function and alias of a type of the service, and its module.

    A command's function is called as the operator types it, `main` and `upgrade` as those who call them have it.
    """
    return [
        (name, str(path))
        for path in code()
        for node in module_of(path).body
        if (name := _defined(node)) is not None and not name.startswith("_") and name not in CALLED_FROM_OUTSIDE
    ]


def _defined(node: ast.stmt) -> str | None:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return None if any("command" in ast.unparse(one) for one in node.decorator_list) else node.name
        case ast.ClassDef():
            return node.name
        case ast.Assign(targets=[ast.Name(id=name)]) if not name.isupper() and not name.islower():
            return name
        case _:
            return None
