"""Reads a file of reference data, and checks what all of them keep between them: keys, names, dates, sources."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from schemas.reference import Reference, Region

#: Every file that routing depends on; ``sources.toml`` says of each where it comes from.
FILES = frozenset({"receivers.toml", "units.toml", "owners.toml", "municipalities.csv", "regions.toml"})
_File = TypeVar("_File", bound=BaseModel)
_Period = tuple[date, date]


class ReferenceDataError(Exception):
    """Raised where a file of reference data is missing, unreadable or breaks a rule; names file and entry."""


def read_file(path: Path, model: type[_File], parse: Callable[[str], Any]) -> _File:
    """Returns what a file holds; raises ReferenceDataError naming file and entry."""
    try:
        return model.model_validate(parse(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReferenceDataError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceDataError(f"{path.name}: {where}: {first['msg']}") from error


def rows_of(text: str) -> dict[str, Any]:
    """Returns the municipalities of a CSV file's text."""
    return {"municipality": list(csv.DictReader(text.splitlines()))}


def check(reference: Reference) -> None:
    """Raises ReferenceDataError where keys repeat, periods overlap, or one file names what another lacks."""
    _check_apart("receivers.toml: SOR", [(one.sor, one.valid_from, one.valid_to) for one in reference.receivers])
    _check_apart("units.toml: SOR", [(one.sor, one.valid_from, one.valid_to) for one in reference.units])
    departments = [(one.sks, one.valid_from, one.valid_to) for one in reference.units if one.sks is not None]
    _check_apart("units.toml: SKS", departments)
    _check_unique("municipalities.csv: code", [entry.code for entry in reference.municipalities])
    _check_unique("regions.toml: code", [region.code for region in reference.regions])
    municipalities = {entry.code for entry in reference.municipalities}
    regions = {region.code for region in reference.regions}
    homes = {item.municipality for item in reference.receivers if item.municipality}
    _check_known("receivers.toml: municipality", homes, municipalities)
    _check_known("owners.toml: municipality", set(reference.owners), municipalities)
    _check_known("units.toml: region", {unit.region for unit in reference.units if unit.region}, regions)
    _check_known("municipalities.csv: region_code", {entry.region_code for entry in reference.municipalities}, regions)
    successors = {region.replaced_by for region in reference.regions if region.replaced_by}
    _check_known("regions.toml: replaced_by", successors, regions)
    _check_successions(reference.regions)
    _check_known("sources.toml: file", set(reference.sources), set(FILES))
    _check_known("sources.toml: no source of", set(FILES), set(reference.sources))


def _check_successions(regions: tuple[Region, ...]) -> None:
    """Raises ReferenceDataError where a region ends before it begins, or its successor begins on another day."""
    starts = {region.code: region.valid_from for region in regions}
    for region in regions:
        if region.valid_to is not None and region.valid_from >= region.valid_to:
            raise ReferenceDataError(f"regions.toml: {region.code} ends before it begins")
        if region.replaced_by is not None and starts[region.replaced_by] != region.valid_to:
            raise ReferenceDataError(f"regions.toml: {region.code} does not end when {region.replaced_by} begins")


def _check_apart(what: str, entries: Sequence[tuple[str, date | None, date | None]]) -> None:
    """Raises ReferenceDataError where two entries of a key are valid on the same day."""
    periods: dict[str, list[_Period]] = defaultdict(list)
    for key, begins, ends in entries:
        periods[key].append((begins or date.min, ends or date.max))
    for key, own in periods.items():
        own.sort()
        for (_, ends), (begins, _) in pairwise(own):
            if begins < ends:
                rule = "stands more than once, with no dates or with dates that overlap"
                raise ReferenceDataError(f"{what} {key} {rule}")


def _check_unique(what: str, keys: list[str]) -> None:
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ReferenceDataError(f"{what} {repeated[0]} stands more than once")


def _check_known(what: str, named: set[str], known: set[str]) -> None:
    if unknown := sorted(named - known):
        raise ReferenceDataError(f"{what} {unknown[0]} is unknown")
