"""Plays scenarios one after the other on one instance, and compares what came of each with its source's figures."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from schemas.reference import load_reference
from streams.demo.calendar import Calendar
from streams.demo.doors import DemoClient, demo_tokens
from streams.demo.watching import OutputWatch
from streams.provision import CatalogueUnchangedError, apply_programmes, receiving_programmes
from streams.scenarios import alliancen, opus_young, psykinfo_adviser, stime, ungevaerftet
from streams.scenarios.dates import Dates
from streams.scenarios.files import ScenarioFile, ScenarioFileError, ScenarioPart, play_of
from streams.scenarios.heard import TOPICS
from streams.scenarios.programme_files import write_copies
from streams.scenarios.stage import ScenarioStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection
    from schemas.reference import Reference
    from streams.settings import Settings

_TIMEOUT = timedelta(seconds=120)
Figures = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How one arrangement is played: the model of what its file tells it, and the play itself."""

    model: type[ScenarioPart]
    play: Callable[[ScenarioStage, Any], Awaitable[Figures]]


#: In the order in which `all` plays them: those whose young people come with hospital messages first, since the door
#: looks at their ages by today's date; STIME's hundreds of needs last, since people are reminded of each for good.
ARRANGEMENTS = {
    "ungevaerftet": Arrangement(ungevaerftet.UngevaerftetPlay, ungevaerftet.play_ungevaerftet),
    "alliancen": Arrangement(alliancen.AlliancenPlay, alliancen.play_alliancen),
    "psykinfo-adviser": Arrangement(psykinfo_adviser.PsykinfoAdviserPlay, psykinfo_adviser.play_psykinfo_adviser),
    "opus-young": Arrangement(opus_young.OpusYoungPlay, opus_young.play_opus_young),
    "stime": Arrangement(stime.StimePlay, stime.play_stime),
}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure: the source's, and ours, None where the play did not count it."""

    id: str
    counts: str
    source: int | str
    ours: int | str | None

    @property
    def agrees(self) -> bool:
        """Tells whether both are the same."""
        return self.source == self.ours


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """What came of one scenario, which was played ``weeks`` later than its source is dated."""

    scenario: ScenarioFile
    weeks: int
    rows: tuple[FigureRow, ...]

    @property
    def agrees(self) -> bool:
        """Tells whether every figure is the source's."""
        return all(row.agrees for row in self.rows)


@dataclass(frozen=True, slots=True)
class ScenarioInstance:
    """An instance on which scenarios may be played: its catalogue lets the calendar be set.

    ``settings.programmes_folder`` is the scenarios' own; ``programmes_from`` holds the files that it is copied from.
    """

    settings: Settings
    connection: KafkaConnection
    programmes_from: Path


async def play_all(
    place: ScenarioInstance, scenarios: Sequence[ScenarioFile], done: Callable[[ScenarioOutcome], None]
) -> tuple[ScenarioOutcome, ...]:
    """Plays scenarios in the order given and hands each outcome to ``done``.

    Raises ScenarioFileError before anything is played, and ScenarioError where one can't be played to its end.
    """
    told = [(scenario, *_checked(scenario)) for scenario in scenarios]
    settings = place.settings
    address = f"http://{settings.gateway_host}:{settings.gateway_port}"
    calendar = Calendar(settings, place.connection)
    calendar.load()
    programmes = receiving_programmes(settings)
    outcomes = []
    async with (
        httpx.AsyncClient(base_url=address, timeout=_TIMEOUT.total_seconds()) as http,
        OutputWatch(settings, place.connection, programmes, TOPICS) as watch,
    ):
        doors = DemoClient(http, demo_tokens(settings, programmes))
        reference = load_reference(settings.reference_folder)
        for scenario, arrangement, play in told:
            dates = Dates.ahead_of(calendar.now(), scenario.begins)
            await _apply(place, scenario, dates, reference)
            stage = ScenarioStage(
                scenario.id, settings, place.connection, doors, calendar, watch, reference, dates, scenario.begins
            )
            await stage.wait_until(scenario.begins)
            stage.forget_heard()  # what earlier scenarios' deadlines said on the way here is not this one's
            outcomes.append(scenario_outcome_of(scenario, dates, await arrangement.play(stage, play)))
            done(outcomes[-1])
    return tuple(outcomes)


def _checked(scenario: ScenarioFile) -> tuple[Arrangement, ScenarioPart]:
    arrangement = ARRANGEMENTS.get(scenario.id)
    if arrangement is None:
        raise ScenarioFileError(f"{scenario.id}.toml: id: no such arrangement is played; use one of {[*ARRANGEMENTS]}")
    return arrangement, play_of(scenario, arrangement.model)


async def _apply(place: ScenarioInstance, scenario: ScenarioFile, dates: Dates, reference: Reference) -> None:
    """Puts the programme files in force as the scenario's dates have them."""
    folder = place.settings.programmes_folder
    write_copies(place.programmes_from, folder, dates, scenario.begins.date(), reference)
    with suppress(CatalogueUnchangedError):
        await apply_programmes(place.settings, place.connection)


def scenario_outcome_of(scenario: ScenarioFile, dates: Dates, ours: Figures) -> ScenarioOutcome:
    """Returns what was counted beside the file's figures; what either lacks is a row that disagrees."""
    rows = [FigureRow(one.id, one.counts, one.source, ours.get(one.id)) for one in scenario.figures]
    known = {one.id for one in scenario.figures}
    rows += [
        FigureRow(name, "counted, and in no row of the file", "", value)
        for name, value in ours.items()
        if name not in known
    ]
    return ScenarioOutcome(scenario, dates.weeks, tuple(rows))
