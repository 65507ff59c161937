"""Every clock and date of a programme file has limits, and those that belong together agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.programmes import ProgrammeFileError, load_programmes

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMME = """
id = "stime"
name = "STIME"
triggers = ["discharge"]
identity = ["named"]
ages = { lowest = 3, highest = 17 }
municipalities = ["0217"]
"""


def load(folder: Path, more: str) -> None:
    """Loads a programme file with more lines at its end."""
    (folder / "stime.toml").write_text(PROGRAMME + more, encoding="utf-8")
    load_programmes(folder)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("clocks = { remind_working_days = 2, reply_working_days = 2 }", "remind_working_days"),
        ("clocks = { remind_working_days = 3 }", "remind_working_days"),
        ("clocks = { reply_working_days = 1 }", "remind_working_days"),
        ("clocks = { reply_working_days = 61 }", "reply_working_days"),
        ("clocks = { remind_working_days = 0 }", "remind_working_days"),
        ("clocks = { first_contact_days = 93 }", "first_contact_days"),
        ("clocks = { first_contact_days = 0 }", "first_contact_days"),
        ("valid_from = 2027-01-01\nvalid_to = 2026-12-31", "valid_to"),
        ("valid_from = 1999-12-31", "valid_from"),
        ("valid_to = 2100-01-01", "valid_to"),
        ("closing_days = [2226-12-27]", "closing_days"),
        ('[[sites]]\nid = "a"\nname = "A"\nmunicipalities = ["0217"]\nclosing_days = [1026-12-27]', "closing_days"),
        ("course_months = 2", "course_notice_months"),
        ("course_months = 121", "course_months"),
    ],
)
def test_a_time_outside_its_limits_is_refused_by_name(tmp_path: Path, more: str, named: str) -> None:
    with pytest.raises(ProgrammeFileError, match=named):
        load(tmp_path, more)


@pytest.mark.parametrize(
    "more",
    [
        "clocks = { remind_working_days = 59, reply_working_days = 60, first_contact_days = 92 }",
        "valid_from = 2027-01-01\nvalid_to = 2027-01-01",
        "closing_days = [2026-12-27]\ncourse_months = 24",
    ],
)
def test_a_time_within_them_is_taken(tmp_path: Path, more: str) -> None:
    load(tmp_path, more)
