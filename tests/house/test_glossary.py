"""The glossary is what is said: each of its words is used, and none that it has replaced."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, code, committed, nodes_of

_GLOSSARY = Path("docs/glossary.md")
_TEXT = (ROOT / _GLOSSARY).read_text(encoding="utf-8")
_KEPT, _REPLACED = _TEXT.split("## Not said any more")


def rows_of(text: str) -> list[tuple[str, str]]:
    """Returns the two cells of each row of a text's tables, their heads left out."""
    rows = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in text.splitlines() if line.startswith("| ")]
    return [(first, second) for first, second in rows if first not in {"Word", "Was"}]


WORDS = [word for words, _ in rows_of(_KEPT) for word in words.split(", ")]
REPLACED = [(was.strip("`"), say.strip("`")) for was, say in rows_of(_REPLACED)]


def names() -> set[str]:
    """Returns every name that the service's code defines or reads."""
    found = set()
    for path in code():
        for node in nodes_of(path):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case _:
                    pass
    return found


def test_every_word_is_explained_once() -> None:
    assert sorted(WORDS) == sorted(set(WORDS))
    assert len(WORDS) > 40


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_glossary_is_used(word: str) -> None:
    pattern = re.compile(r"\b" + "[ _-]".join(map(re.escape, word.split())), re.IGNORECASE)
    others = [path for path in committed() if path.suffix in {".py", ".md"} and path.parts[0] != "tests"]

    assert any(pattern.search((ROOT / path).read_text(encoding="utf-8")) for path in others if path != _GLOSSARY)


def test_no_word_that_was_replaced_is_a_name_again() -> None:
    assert {was for was, _ in REPLACED} & names() == set()


def test_what_is_said_instead_is_a_name() -> None:
    assert {say for _, say in REPLACED} - names() == set()
