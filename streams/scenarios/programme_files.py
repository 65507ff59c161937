"""The programme files as a scenario plays them: its own copies, moved along with its dates and nothing else."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.reference import Reference
    from streams.scenarios.dates import Dates

_DATED = re.compile(r"(?m)^(valid_from|valid_to) = (\d{4}-\d\d-\d\d)")
_REGION = re.compile(r'(?m)^region = "(\d{4})"')


def write_copies(source: Path, target: Path, dates: Dates, as_of: date, reference: Reference) -> None:
    """Writes every programme file to another folder, as a scenario that is dated ``as_of`` plays it.

    Dates of validity move by the scenario's weeks, and a region is spelt out as the municipalities that it had then:
    the catalogue is compiled for today, when regions may be others.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.toml")):
        text = _DATED.sub(lambda found: _moved(found, dates), file.read_text(encoding="utf-8"))
        text = _REGION.sub(lambda found: _spelt_out(found[1], as_of, reference), text)
        partial = target / f"{file.name}.new"
        partial.write_text(text, encoding="utf-8")
        partial.replace(target / file.name)


def add_public_key(folder: Path, programme: str, public_key: str) -> None:
    """Gives a programme's copy the key that identities are sealed to, as operations enter what a programme sends."""
    file = folder / f"{programme}.toml"
    file.write_text(f'public_key = "{public_key}"\n{file.read_text(encoding="utf-8")}', encoding="utf-8")


def _moved(found: re.Match[str], dates: Dates) -> str:
    return f"{found[1]} = {date.fromisoformat(found[2]) + timedelta(weeks=dates.weeks)}"


def _spelt_out(region: str, as_of: date, reference: Reference) -> str:
    members = [one.code for one in reference.municipalities if reference.region_of(one.code, as_of) == region]
    return f"municipalities = {json.dumps(members)}"
