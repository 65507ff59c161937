"""One word, one thing: what a name means doesn't depend on the folder that it is read in."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.house.tree import ROOT, code

if TYPE_CHECKING:
    from collections.abc import Iterable


def given_twice(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Returns the names that more than one module defines, with those modules, of pairs of name and module."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in named:
        modules[name].append(module)
    return {name: found for name, found in modules.items() if len(found) > 1}


def classes() -> list[tuple[str, str]]:
    """Returns each public class of the service, and its module."""
    return [
        (node.name, str(path))
        for path in code()
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def test_no_two_classes_have_one_name() -> None:
    assert given_twice(classes()) == {}


def test_the_check_sees_a_class_that_has_the_name_of_another() -> None:
    assert given_twice([*classes(), ("Pathway", "elsewhere.py")]).keys() == {"Pathway"}
