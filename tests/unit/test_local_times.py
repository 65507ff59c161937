"""Danish local times are none, one or two moments, and a period keeps its order where an hour comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.local_times import COPENHAGEN, danish_moments, ordered_period


def local(text: str) -> datetime:
    """Returns a time without offset, as clocks show it."""
    return datetime.fromisoformat(text)


SUMMER, WINTER = (timezone(timedelta(hours=hours)) for hours in (2, 1))
QUARTER_TO, QUARTER_PAST = local("2026-10-25T02:45"), local("2026-10-25T02:15")


@pytest.mark.parametrize(
    ("shown", "hours"),
    [
        (local("2026-10-25T01:59:59"), [-2]),
        (local("2026-10-25T02:00"), [-2, -1]),
        (local("2026-10-25T02:59:59"), [-2, -1]),
        (local("2026-10-25T03:00"), [-1]),
        (local("2026-03-29T01:59:59"), [-1]),
        (local("2026-03-29T02:00"), []),
        (local("2026-03-29T02:59:59"), []),
        (local("2026-03-29T03:00"), [-2]),
    ],
)
def test_a_local_time_is_the_moments_at_which_clocks_show_it(shown: datetime, hours: list[int]) -> None:
    assert list(danish_moments(shown)) == [shown.replace(tzinfo=UTC) + timedelta(hours=one) for one in hours]


@given(st.datetimes(min_value=local("1900-01-01T00:00"), max_value=local("2199-12-31T00:00")))
def test_clocks_show_a_time_at_each_of_its_moments(shown: datetime) -> None:
    for moment in danish_moments(shown):
        assert moment.astimezone(COPENHAGEN).replace(tzinfo=None, fold=0) == shown


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_the_first_and_the_last_time_end_in_no_exception(text: str) -> None:
    assert len(danish_moments(local(text))) <= 1


@pytest.mark.parametrize("zone", [SUMMER, WINTER])
def test_two_hours_that_were_written_with_one_offset_are_brought_into_order(zone: timezone) -> None:
    start, end = ordered_period(QUARTER_TO.replace(tzinfo=zone), QUARTER_PAST.replace(tzinfo=zone))

    assert end - start == timedelta(minutes=30)
    assert (start.astimezone(UTC), end.astimezone(UTC)) == (
        datetime(2026, 10, 25, 0, 45, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 15, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (QUARTER_PAST.replace(tzinfo=SUMMER), QUARTER_TO.replace(tzinfo=SUMMER)),
        (QUARTER_TO.replace(tzinfo=SUMMER), QUARTER_PAST.replace(tzinfo=WINTER)),
        (QUARTER_TO.replace(tzinfo=UTC), QUARTER_PAST.replace(tzinfo=UTC)),
        (datetime(2026, 11, 1, 9, tzinfo=WINTER), datetime(2026, 10, 1, 9, tzinfo=SUMMER)),
    ],
)
def test_what_is_in_order_or_can_t_be_stays_as_it_is(start: datetime, end: datetime) -> None:
    assert ordered_period(start, end) == (start, end)
