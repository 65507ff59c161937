"""Lists as municipalities keep them give the statements, and the refusals, that were worked out by hand."""

from __future__ import annotations

import json

import pytest

from connectors.municipal.failed import failed_rows
from connectors.municipal.mapping import load_mapping
from tests.unit.municipal.builders import EXAMPLES, GOLDEN, LISTS, an_example, read, said_of


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_row_is_what_was_worked_out_by_hand(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))

    assert said_of(an_example(name)) == expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_all_rows_come_back_as_failed_and_are_read_again_as_what_they_were(name: str) -> None:
    whole = an_example(name)

    _, content = failed_rows(whole, {row.number: "why" for row in whole.rows})
    part = read(content, load_mapping(LISTS / f"{name}.toml"))

    assert part.is_part
    assert [row.form for row in part.rows] == [row.form for row in whole.rows]
    assert [row.key for row in part.rows if row.form] == [row.key for row in whole.rows if row.form]


def test_no_expectation_and_no_list_is_an_orphan() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == EXAMPLES
