"""Lists as municipalities keep them give the statements, and the refusals, that were worked out by hand."""

from __future__ import annotations

import json

import pytest

from tests.unit.municipal.builders import EXAMPLES, GOLDEN, an_example, said_of


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_row_is_what_was_worked_out_by_hand(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))

    assert said_of(an_example(name)) == expected


def test_no_expectation_and_no_list_is_an_orphan() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == EXAMPLES
