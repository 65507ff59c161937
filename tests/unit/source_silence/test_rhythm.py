"""A source's rhythm: what is usual is learnt, working days and days off apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.source_silence.rhythm import GAPS_MIN, LEARNT_FROM, has_day_off
from tests.unit.source_silence.builders import BEGIN, FRIDAY, a_rhythm, heard_at, office_hours

OVERNIGHT, WEEKEND = timedelta(hours=16), timedelta(hours=64)


def test_on_working_days_half_as_much_again_as_the_longest_night_is_allowed() -> None:
    events = [*office_hours(3), *(heard_at(BEGIN + timedelta(weeks=3, hours=hour)) for hour in (0, 2, 4))]

    assert a_rhythm(events).silent_from() == events[-1].at + 1.5 * OVERNIGHT


def test_over_a_weekend_half_as_much_again_as_the_longest_weekend_is_allowed() -> None:
    events = office_hours(3)

    assert a_rhythm(events).silent_from() == events[-1].at + 1.5 * WEEKEND


def test_a_source_of_less_than_two_weeks_or_twenty_gaps_has_no_rhythm_yet() -> None:
    rare = [heard_at(BEGIN + timedelta(days=day)) for day in range(GAPS_MIN)]

    assert a_rhythm(office_hours(2)[:40]).silent_from() is None
    assert a_rhythm(rare).silent_from() is None
    assert a_rhythm([]).silent_from() is None


def test_what_is_set_counts_from_the_first_event_and_zero_means_never() -> None:
    one = [heard_at(BEGIN)]

    assert a_rhythm(one, timedelta(hours=5)).silent_from() == BEGIN + timedelta(hours=5)
    assert a_rhythm(office_hours(4), timedelta()).silent_from() is None


def test_a_silence_is_not_learnt_as_usual() -> None:
    events = office_hours(3)
    after = [heard_at(one.at + timedelta(weeks=3)) for one in office_hours(2)]

    rhythm = a_rhythm([*events, *after])

    assert rhythm.silent_from() == after[-1].at + 1.5 * WEEKEND


def test_what_is_older_than_five_weeks_is_forgotten() -> None:
    long_ago = [heard_at(BEGIN - timedelta(hours=40)), *office_hours(2)]
    later = [one for one in office_hours(9) if one.at > BEGIN + timedelta(weeks=2)]

    assert later[-1].at - BEGIN > LEARNT_FROM
    assert a_rhythm([*long_ago, *later]).silent_from() == later[-1].at + 1.5 * WEEKEND


def test_repeats_and_events_out_of_order_change_nothing() -> None:
    events = office_hours(3)

    assert a_rhythm([*events, events[3], events[-1]]).silent_from() == a_rhythm(events).silent_from()


@pytest.mark.parametrize(
    ("start", "end", "off"),
    [
        (FRIDAY, FRIDAY + timedelta(hours=12), False),
        (FRIDAY, FRIDAY + timedelta(hours=18), True),
        (datetime(2026, 12, 23, 8, tzinfo=UTC), datetime(2026, 12, 23, 20, tzinfo=UTC), False),
        (datetime(2026, 12, 23, 8, tzinfo=UTC), datetime(2026, 12, 23, 23, 30, tzinfo=UTC), True),
        (datetime(2026, 4, 2, 8, tzinfo=UTC), datetime(2026, 4, 2, 9, tzinfo=UTC), True),
        (BEGIN, BEGIN + timedelta(days=30), True),
    ],
)
def test_days_off_are_weekends_and_danish_holidays_in_danish_time(start: datetime, end: datetime, off: bool) -> None:
    assert has_day_off(start, end) is off
