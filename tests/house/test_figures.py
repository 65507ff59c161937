"""The figures of the house are counted, not believed."""

from __future__ import annotations

from pathlib import Path

from tests.house.figures import Spread, back_arrows, figures, shared_file_names


def test_every_figure_is_there() -> None:
    counted = dict(figures())

    assert counted["public names given twice"] == "0"
    assert int(counted["files / lines"].split(" / ")[0]) > 100


def test_a_spread_is_of_lengths_in_any_order() -> None:
    assert str(Spread.of([*range(100, 0, -1)])) == "50 / 91 / 100"


def test_a_name_that_a_fourth_file_has_is_shared_too_often() -> None:
    own = [Path(folder, "__init__.py") for folder in "abcd"]
    tables = [Path(folder, "tables.py") for folder in "abcd"]

    assert shared_file_names([*own, *tables, Path("a/rows.py")]) == {"tables.py": 4}


def test_imports_that_close_a_circle_are_found_and_get_no_more() -> None:
    assert ("connectors.gateway.ports", "connectors.gateway.letters.receipts") in back_arrows()
    assert len(back_arrows()) <= 7
