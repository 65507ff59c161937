"""The ages that decide what is out of scope at the door follow the programme files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.gateway.served_ages import ServedAges
from schemas.programmes import ProgrammeFileError

PROGRAMME = """
id = "{name}"
name = "A programme"
triggers = ["discharge"]
identity = ["anonymous"]
municipalities = ["0217"]
ages = {{ lowest = {lowest}, highest = {highest} }}
"""


def write(folder: Path, name: str, lowest: int, highest: int) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(PROGRAMME.format(name=name, lowest=lowest, highest=highest), encoding="utf-8")
    return path


def touched(path: Path) -> None:
    """Gives a file another time than it had: a file system's times may be coarse."""
    stamp = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(stamp, stamp))


def test_a_programme_that_is_added_or_widened_is_served_without_a_restart(tmp_path: Path) -> None:
    first = write(tmp_path, "first", 13, 17)
    ages = ServedAges(tmp_path)
    assert ages() == range(13, 18)
    write(tmp_path, "second", 12, 20)
    assert ages() == range(12, 21)
    write(tmp_path, "first", 13, 25)
    touched(first)
    assert ages() == range(12, 26)


def test_files_that_cannot_be_read_leave_the_ages_as_they_were(tmp_path: Path) -> None:
    first = write(tmp_path, "first", 13, 17)
    ages = ServedAges(tmp_path)
    first.write_text("id = ", encoding="utf-8")
    touched(first)
    assert ages() == range(13, 18)


def test_files_that_cannot_be_read_at_the_start_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProgrammeFileError):
        ServedAges(tmp_path)
