"""The examples in docstrings are run: a name that has changed, or a value that never was, is found."""

from __future__ import annotations

import doctest
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.house.tree import ROOT, code

if TYPE_CHECKING:
    from pathlib import Path

_WITH_EXAMPLES = [path for path in code() if ">>> " in (ROOT / path).read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", _WITH_EXAMPLES, ids=str)
def test_the_examples_of_a_modules_docstrings_are_true(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = import_module(".".join(path.with_suffix("").parts))

    failed, attempted = doctest.testmod(module)

    assert (failed, attempted > 0) == (0, True), capsys.readouterr().out
