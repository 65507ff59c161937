"""When a record is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.webhooks.backoff import RetryRules, asked_delay

RULES = RetryRules()
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.uuids().map(str), st.integers(1, 10_000))
def test_a_delay_is_between_half_and_all_of_a_doubling_one_up_to_an_hour(event_id: str, attempts: int) -> None:
    longest = min(5 * 2.0 ** min(attempts - 1, 40), 3600)

    delay = RULES.delay_after(event_id, attempts).total_seconds()

    assert longest / 2 <= delay <= longest
    assert RULES.delay_after(event_id, attempts).total_seconds() == delay


def test_two_records_come_back_at_different_times() -> None:
    delays = {RULES.delay_after(f"event-{number}", 5) for number in range(100)}

    assert len(delays) == 100
    assert max(delays) - min(delays) > timedelta(seconds=30)


def test_a_receiver_may_ask_for_more_time_up_to_the_longest_delay() -> None:
    assert RULES.delay_after("event", 1, timedelta(minutes=10)) == timedelta(minutes=10)
    assert RULES.delay_after("event", 1, timedelta(days=9)) == timedelta(hours=1)
    assert RULES.delay_after("event", 1, timedelta(0)) == RULES.delay_after("event", 1)


def test_a_record_is_given_up_after_three_days_or_so_many_attempts() -> None:
    assert not RULES.is_over(1, NOW - timedelta(days=3) + timedelta(milliseconds=1), NOW)
    assert RULES.is_over(1, NOW - timedelta(days=3), NOW)
    assert not RULES.is_over(199, NOW, NOW)
    assert RULES.is_over(200, NOW, NOW)


def test_three_days_of_attempts_do_not_meet_the_bound_on_their_number_first() -> None:
    waited, attempts = timedelta(), 0
    while waited < RULES.age_max:
        attempts += 1
        waited += RULES.delay_after("event", attempts)

    assert 72 < attempts < RULES.attempts_max


@given(
    st.text(max_size=80) | st.from_regex(r"\A[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [-+A-Z0-9]{3,6}\Z")
)
def test_whatever_a_receiver_asks_is_a_delay_or_nothing(asked: str) -> None:
    delay = asked_delay(asked, NOW)

    assert delay is None or delay >= timedelta()


def test_a_date_that_has_passed_asks_for_nothing_more() -> None:
    assert asked_delay("Mon, 02 Mar 2026 11:59:59 GMT", NOW) == timedelta()
    assert asked_delay("Mon, 02 Mar 2026 14:00:00 +0200", NOW) == timedelta()
    assert asked_delay("Mon, 02 Mar 2026 13:00:00 GMT", NOW) == timedelta(hours=1)
