"""Compiles a catalogue version from programme files, reference data and the Danish holidays."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import holidays

from schemas.instants import days_of
from schemas.programmes import Catalogue, ProgrammeFile, compiled

if TYPE_CHECKING:
    from schemas.reference import Reference

_FIRST_YEAR = 2015
_YEARS_AHEAD = 3
# No public holidays, and no working days either (docs/specification/domain.md#law-that-shapes-behaviour).
_CLOSED_TOO = ((6, 5), (12, 24), (12, 31))


@dataclass(frozen=True, slots=True)
class Rules:
    """The deployment's own rules: how long facts settle, and whether a demo may set the calendar."""

    settle: timedelta
    calendar_allowed: bool = False


def compile_catalogue(
    version: int, programmes: tuple[ProgrammeFile, ...], reference: Reference, on: date, rules: Rules
) -> Catalogue:
    """Returns the catalogue as it stands on a day; programmes that receive nothing are left out.

    A region that is no more goes on to mean the municipalities that it had, so that no programme loses them overnight.
    """
    members: dict[str, list[str]] = defaultdict(list)
    municipalities = sorted(entry.code for entry in reference.municipalities)
    for municipality in municipalities:
        for region in reference.regions_of(municipality, on):
            members[region].append(municipality)
    regions = {region: tuple(codes) for region, codes in members.items()}
    return Catalogue(
        version=version,
        programmes={one.id: compiled(one, regions) for one in programmes if one.receives_handovers},
        holidays=frozenset(_holidays(range(_FIRST_YEAR, on.year + _YEARS_AHEAD))),
        units=_units(reference, on),
        owners={code: reference.owner_of(code) for code in municipalities},
        operations=reference.default_owner,
        settle_ms=rules.settle // timedelta(milliseconds=1),
        calendar_allowed=rules.calendar_allowed,
    )


def _units(reference: Reference, on: date) -> dict[str, str]:
    """Returns each unit's specialty on a day by its SOR code, and by what older letters call one that nobody knew then.

    So a stay at ``sks:4202090`` goes on when reference data names that department.
    """
    there = [unit for sor in {one.sor for one in reference.units} if (unit := reference.unit(sor, on)) is not None]
    units = {unit.sor: unit.specialty.value for unit in there}
    units |= {f"sks:{unit.sks}": unit.specialty.value for unit in there if unit.sks is not None}
    return dict(sorted(units.items()))


def _holidays(years: range) -> set[int]:
    public = holidays.country_holidays("DK", years=years)
    named = {date(year, month, day) for year in years for month, day in _CLOSED_TOO}
    return {days_of(day) for day in set(public) | named}
