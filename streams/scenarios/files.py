"""Scenario files (``scenarios/*.toml``): an arrangement, what is played of it, and the figures of its source."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.programmes import ProgrammeId

if TYPE_CHECKING:
    from pathlib import Path

_HELP = "; the files in scenarios/ are examples"


class ScenarioFileError(Exception):
    """A scenario file is not as it must be; the text names file, field, rule and what to do."""


def _without_offset(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise ValueError("a scenario's times are Danish and have no offset, e.g. 2019-04-01T09:00:00")
    return moment


DanishTime = Annotated[datetime, AfterValidator(_without_offset)]


class ScenarioPart(BaseModel):
    """A part of a scenario file: frozen, and without fields that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Figure(ScenarioPart):
    """One figure: what is counted, and what the source says."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
    counts: Annotated[str, Field(min_length=1, max_length=120)]
    source: int | str


class ScenarioFile(ScenarioPart):
    """One arrangement. ``begins`` is its first day in the source; ``play`` is what its own module is told."""

    id: ProgrammeId
    name: str
    source: str
    begins: DanishTime
    play: dict[str, Any]
    figures: Annotated[tuple[Figure, ...], Field(min_length=1)]


def load_scenario(path: Path) -> ScenarioFile:
    """Reads one scenario file; raises ScenarioFileError."""
    try:
        scenario = ScenarioFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioFileError(f"{path}: {error.strerror}; `brobygger scenario --help` lists the names") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioFileError(f"{path.name}: not a TOML file: {error}") from error
    except ValidationError as error:
        raise ScenarioFileError(f"{path.name}: {_explained(error)}") from error
    if scenario.id != path.stem:
        raise ScenarioFileError(f"{path.name}: id is {scenario.id!r}; name the file {scenario.id}.toml")
    ids = [figure.id for figure in scenario.figures]
    if len(set(ids)) < len(ids):
        raise ScenarioFileError(f"{path.name}: figures: each id stands once; give the others another id")
    return scenario


_Play = TypeVar("_Play", bound=ScenarioPart)


def play_of(scenario: ScenarioFile, model: type[_Play]) -> _Play:
    """Returns what an arrangement's module is told, checked against its model; raises ScenarioFileError."""
    try:
        return model.model_validate(scenario.play)
    except ValidationError as error:
        raise ScenarioFileError(f"{scenario.id}.toml: play: {_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    rows = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows) + _HELP
