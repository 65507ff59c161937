"""Compiles a catalogue version from programme files, reference data and the Danish holidays."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import holidays

from schemas.instants import days_of
from schemas.programmes import Catalogue, ProgrammeFile, compiled
from schemas.reference import Reference

_FIRST_YEAR = 2015
_YEARS_AHEAD = 3
# DOMAIN §4: these count as no working days although they are not public holidays.
_CLOSED_TOO = ((6, 5), (12, 24), (12, 31))


def compile_catalogue(
    version: int, programmes: tuple[ProgrammeFile, ...], reference: Reference, on: date, settle: timedelta
) -> Catalogue:
    """Returns the catalogue as it stands on a day (regions are dated); programmes that receive nothing are left out."""
    members: dict[str, list[str]] = defaultdict(list)
    for municipality in sorted(reference.municipalities):
        members[reference.region_of(municipality, on)].append(municipality)
    regions = {region: tuple(codes) for region, codes in members.items()}
    return Catalogue(
        version=version,
        programmes={one.id: compiled(one, regions) for one in programmes if one.receives_handovers},
        holidays=frozenset(_holidays(range(_FIRST_YEAR, on.year + _YEARS_AHEAD))),
        units={sor: unit.specialty.value for sor, unit in sorted(reference.units.items())},
        owners={code: reference.owner_of(code) for code in sorted(reference.municipalities)},
        settle_ms=settle // timedelta(milliseconds=1),
    )


def _holidays(years: range) -> set[int]:
    public = holidays.country_holidays("DK", years=years)
    named = {date(year, month, day) for year in years for month, day in _CLOSED_TOO}
    return {days_of(day) for day in set(public) | named}
