"""Figures agree where source and count are the same, and nowhere else."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.scenarios.dates import Dates
from streams.scenarios.files import load_scenario
from streams.scenarios.run import Figures, scenario_outcome_of
from tests.house.tree import ROOT

SCENARIO = load_scenario(ROOT / "scenarios/opus-young.toml")
COUNTED: Figures = {one.id: one.source for one in SCENARIO.figures}


def test_figures_that_are_all_the_sources_agree() -> None:
    assert scenario_outcome_of(SCENARIO, Dates(3), COUNTED).agrees


@pytest.mark.parametrize(
    "ours",
    [
        COUNTED | {"taken_over": 1},
        COUNTED | {"next": "ungevaerftet"},
        COUNTED | {"taken_over": "2"},
        {name: value for name, value in COUNTED.items() if name != "identity"},
        COUNTED | {"of_no_row": 7},
    ],
)
def test_one_figure_that_differs_or_is_missing_on_either_side_is_enough_to_disagree(ours: Figures) -> None:
    outcome = scenario_outcome_of(SCENARIO, Dates(3), ours)

    assert not outcome.agrees
    assert len([row for row in outcome.rows if not row.agrees]) == 1


def test_a_name_that_no_arrangement_has_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(app, ["scenario", "psykinfo"])

    assert result.exit_code == 2
    assert "ungevaerftet, alliancen, psykinfo-adviser, opus-young, stime, or all" in " ".join(result.output.split())


def test_a_folder_that_is_there_already_is_not_played_over(tmp_path: object) -> None:
    result = CliRunner().invoke(app, ["scenario", "stime", "--keep", str(tmp_path)])

    assert result.exit_code == 2
    assert "name a folder that isn't there yet" in " ".join(result.output.split())
