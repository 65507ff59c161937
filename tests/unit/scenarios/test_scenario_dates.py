"""A scenario's dates: as few years later as it takes, in whole weeks, and the programme files along with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from schemas.programmes import load_programmes
from schemas.reference import load_reference
from streams.scenarios.dates import COPENHAGEN, Dates
from streams.scenarios.programme_files import add_public_key, write_copies
from tests.house.tree import ROOT

REFERENCE = load_reference(ROOT / "reference")
YEAR = timedelta(days=365.25)
PILOT = datetime(2019, 4, 1, 9)  # noqa: DTZ001 - a scenario's times are Danish, without offset
_TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001


@given(begins=_TIMES, now=_TIMES)
def test_a_scenario_begins_after_now_and_no_year_later_than_it_has_to(begins: datetime, now: datetime) -> None:
    at = now.replace(tzinfo=UTC)

    dates = Dates.ahead_of(at, begins)

    assert dates.played(begins) > at
    assert dates.weeks == 0 or Dates(dates.weeks - 53).played(begins) <= at + timedelta(hours=2)


@given(begins=_TIMES, now=_TIMES)
def test_a_scenario_keeps_its_season(begins: datetime, now: datetime) -> None:
    shift = timedelta(weeks=Dates.ahead_of(now.replace(tzinfo=UTC), begins).weeks)

    assert abs(shift - round(shift / YEAR) * YEAR) <= timedelta(days=3.5)


@given(moment=_TIMES, weeks=st.integers(min_value=0, max_value=2000))
def test_weekday_and_time_of_day_stay_and_can_be_told_back(moment: datetime, weeks: int) -> None:
    played = Dates(weeks).played(moment)

    assert (played.weekday(), played.time()) == (moment.weekday(), moment.time())
    assert played.tzinfo is COPENHAGEN
    exists = played.astimezone(UTC).astimezone(COPENHAGEN).replace(tzinfo=None) == played.replace(tzinfo=None)
    assert not exists or played.fold or Dates(weeks).told(played) == moment


def test_the_pilot_is_played_with_its_own_days_of_validity_moved_along(tmp_path: Path) -> None:
    dates = Dates(400)
    write_copies(ROOT / "programmes", tmp_path, dates, PILOT.date(), REFERENCE)

    was = {one.id: one for one in load_programmes(ROOT / "programmes")}
    now = {one.id: one for one in load_programmes(tmp_path)}
    assert now["psykinfo-adviser"].valid_from == date(2019, 4, 1) + timedelta(weeks=400)
    assert now["psykinfo-adviser"].valid_to == date(2020, 3, 31) + timedelta(weeks=400)
    moved = {"valid_from", "valid_to", "region", "municipalities"}
    assert [one.model_dump(exclude=moved) for one in now.values()] == [
        one.model_dump(exclude=moved) for one in was.values()
    ]
    undated = [one for one in was.values() if one.valid_to is None]
    assert [now[one.id].valid_from for one in undated] == [one.valid_from for one in undated]


def test_a_region_is_spelt_out_as_it_was_when_the_scenario_is_dated(tmp_path: Path) -> None:
    write_copies(ROOT / "programmes", tmp_path, Dates(0), date(2026, 6, 1), REFERENCE)

    copies = {one.id: one for one in load_programmes(tmp_path)}
    assert "0217" in copies["unik-recovery-young"].municipalities
    assert len(copies["unik-recovery-young"].municipalities) == 29
    assert len(copies["alliancen-plan"].municipalities) == 19
    assert [one.region for one in copies.values()] == [None] * len(copies)


def test_a_copy_takes_a_public_key_and_is_as_before_otherwise(tmp_path: Path) -> None:
    write_copies(ROOT / "programmes", tmp_path, Dates(0), PILOT.date(), REFERENCE)
    before = {one.id: one for one in load_programmes(tmp_path)}

    add_public_key(tmp_path, "headspace", "ab" * 32)

    after = {one.id: one for one in load_programmes(tmp_path)}
    assert after["headspace"] == before["headspace"].model_copy(update={"public_key": "ab" * 32})
