"""Scenario files: those shipped are whole, and what is wrong with one is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.scenarios.files import ScenarioFileError, load_scenario, play_of
from streams.scenarios.run import ARRANGEMENTS
from tests.house.tree import ROOT

SHIPPED = sorted((ROOT / "scenarios").glob("*.toml"))


def changed(folder: Path, old: str, new: str) -> Path:
    """Returns the adviser's file with one text replaced."""
    text = (ROOT / "scenarios/psykinfo-adviser.toml").read_text(encoding="utf-8")
    assert old in text
    file = folder / "psykinfo-adviser.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_each_arrangement_has_a_file_and_each_file_an_arrangement() -> None:
    assert {path.stem for path in SHIPPED} == set(ARRANGEMENTS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_tells_its_arrangement_all_that_it_wants_to_know(path: Path) -> None:
    scenario = load_scenario(path)

    model = ARRANGEMENTS[scenario.id].model
    assert isinstance(play_of(scenario, model), model)


def test_the_families_of_stime_add_up_as_their_source_says() -> None:
    scenario = load_scenario(ROOT / "scenarios/stime.toml")
    figures = {one.id: one.source for one in scenario.figures}

    assert figures["visitated"] == 2113
    parts = ("completed", "in_progress", "referred_elsewhere", "dropped_out")
    assert [figures[part] for part in parts] == [1208, 276, 395, 234]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "psykinfo-adviser"', 'id = "psykinfo"', "name the file psykinfo.toml"),
        ("begins = 2019-03-29T09:00:00", "begins = 2019-03-29T09:00:00Z", "begins: .*have no offset"),
        ("begins = 2019-03-29T09:00:00", "begun = 1", "begins: Field required.*begun: Extra inputs"),
        ('id = "during"', 'id = "before"', "figures: each id stands once"),
        ("source = 8", "source = 8.5", r"figures\.1\.source"),
        ("[play]", "[play", "not a TOML file"),
    ],
)
def test_a_broken_file_is_refused_with_the_field_and_what_to_do(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ScenarioFileError) as raised:
        load_scenario(changed(tmp_path, old, new))

    assert re.search(told, str(raised.value)), raised.value


def test_what_an_arrangement_does_not_know_is_refused_before_it_is_played(tmp_path: Path) -> None:
    scenario = load_scenario(changed(tmp_path, "sign_ups = 3", "sign_up = 3"))

    with pytest.raises(ScenarioFileError, match=r"play: sign_ups: Field required"):
        play_of(scenario, ARRANGEMENTS[scenario.id].model)


def test_a_file_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileError, match=r"stime\.toml: No such file"):
        load_scenario(tmp_path / "stime.toml")
