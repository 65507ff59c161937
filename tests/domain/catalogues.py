"""Catalogues for tests: the shipped programme files, with the fictional units of the stories."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path

import holidays

from schemas.instants import days_of
from schemas.programmes import Catalogue, Programme, compiled, load_programmes

_PROGRAMMES = Path(__file__).parents[2] / "programmes"
_REGIONS = {"1084": ("0101", "0175", "0217", "0360x"), "1082": ("0751", "0740", "0746")}


@cache
def shipped() -> dict[str, Programme]:
    """Returns the compiled programmes that the product ships."""
    files = load_programmes(_PROGRAMMES)
    return {file.id: compiled(file, _REGIONS) for file in files if file.receives_handovers}


@cache
def danish_holidays() -> frozenset[int]:
    """Returns the days on which clocks in working days stand still, beside weekends."""
    public = set(holidays.country_holidays("DK", years=range(2018, 2030)))
    closed = {date(year, *day) for year in range(2018, 2030) for day in ((6, 5), (12, 24), (12, 31))}
    return frozenset(map(days_of, public | closed))


def a_catalogue(version: int = 1, *, without: tuple[str, ...] = (), units: dict[str, str] | None = None) -> Catalogue:
    """Builds a catalogue of the shipped programmes."""
    owners: dict[str, str] = defaultdict(str)
    owners |= {code: f"municipality-{code}" for code in ("0101", "0175", "0217", "0360", "0751")}
    known = {
        "900000000001001": "child_psychiatry",
        "900000000001002": "psychiatric_emergency",
        "900000000001003": "somatic",
        "900000000001004": "child_psychiatry",
    }
    return Catalogue(
        version=version,
        programmes={name: one for name, one in shipped().items() if name not in without},
        holidays=danish_holidays(),
        units=known | (units or {}),
        owners=dict(owners),
        calendar_allowed=True,
    )
