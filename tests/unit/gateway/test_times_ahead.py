"""What has happened lies no later than its receipt, a clock's skew forgiven; what is planned may lie ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.gateway.clients.clients import ClientKind
from schemas.instants import milliseconds_of
from schemas.rules import CLOCK_SKEW_MAX
from tests.unit.gateway.builders import NOW, Gateway, a_gateway, a_message, refused, response_code

if TYPE_CHECKING:
    from pathlib import Path

SKEW_REACHED = (NOW + CLOCK_SKEW_MAX).isoformat()
JUST_AHEAD = (NOW + CLOCK_SKEW_MAX + timedelta(milliseconds=1)).isoformat()
YEARS_AHEAD = "2150-01-01T00:00:00Z"
HAPPENED = [
    *[(topic, field) for topic in ("referrals", "enrolments") for field in ("occurred_at", "sent_at", "status_at")],
    ("discharges", "occurred_at"),
    ("discharges", "sent_at"),
    ("consents", "sent_at"),
]


@pytest.mark.parametrize("moment", [JUST_AHEAD, YEARS_AHEAD])
@pytest.mark.parametrize(("topic", "field"), HAPPENED)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_told_as_past_and_lies_ahead_is_refused_by_name(
    refusing: Gateway, topic: str, field: str, moment: str
) -> None:
    answer = await refusing.statement(topic, refusing.token(), **{field: moment})

    assert refused(answer) == (422, "time_ahead", field)
    assert refusing.publisher.records == []


@pytest.mark.parametrize(("topic", "field"), HAPPENED)
async def test_a_clock_that_is_a_day_fast_is_forgiven(gateway: Gateway, topic: str, field: str) -> None:
    answer = await gateway.statement(topic, gateway.token(), **{field: SKEW_REACHED})

    assert answer.status_code == 201


async def test_a_programmes_answer_from_the_future_is_refused(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")
    answer = await gateway.statement(
        "replies", headers, occurred_at=YEARS_AHEAD, youth_id=gateway.pseudonym("headspace")
    )

    assert refused(answer) == (422, "time_ahead", "occurred_at")


async def test_a_course_can_t_have_ended_on_a_day_to_come(gateway: Gateway) -> None:
    headers = gateway.token()
    ended = await gateway.statement("enrolments", headers, status="completed", ended_on="2026-01-12")
    expected = await gateway.statement("enrolments", headers, expected_end_on="2026-06-30", started_on="2026-02-01")

    assert refused(ended) == (422, "time_ahead", "ended_on")
    assert expected.status_code == 201


@pytest.mark.parametrize(
    ("topic", "fields"),
    [
        ("discharges", {"planned_at": "2026-03-01T10:00:00+01:00"}),
        ("consents", {"occurred_at": "2026-03-01T10:00:00+01:00", "lapses_at": "2026-09-01T00:00:00Z"}),
    ],
)
async def test_what_is_planned_or_counts_from_later_on_is_taken(
    gateway: Gateway, topic: str, fields: dict[str, str]
) -> None:
    answer = await gateway.statement(topic, gateway.token(), **fields)

    assert answer.status_code == 201


async def test_what_a_later_consent_tells_of_the_person_is_known_when_it_is_sent(gateway: Gateway) -> None:
    later = "2026-12-01T00:00:00Z"
    answer = await gateway.statement("consents", gateway.token(), occurred_at=later)

    assert answer.status_code == 201
    [person], [consent] = gateway.published("persons"), gateway.published("consents")
    assert person["occurred_at"] == person["sent_at"] == milliseconds_of(NOW)
    assert consent["occurred_at"] > person["occurred_at"]


async def test_a_message_that_says_it_was_sent_in_years_to_come_is_answered_fatal_error(gateway: Gateway) -> None:
    answer = await gateway.message(a_message(timestamp=YEARS_AHEAD), gateway.token())

    assert response_code(answer) == "fatal-error"
    assert "Bundle.timestamp" in answer.text
    assert gateway.publisher.records == []


async def test_where_a_demo_sets_the_calendar_ahead_its_times_are_taken(tmp_path: Path) -> None:
    async with a_gateway(tmp_path, ahead_max=None) as gateway:
        headers = gateway.token()
        statement = await gateway.statement("enrolments", headers, occurred_at=YEARS_AHEAD, sent_at=YEARS_AHEAD)
        message = await gateway.message(a_message(timestamp=YEARS_AHEAD), headers)

    assert statement.status_code == 201
    assert response_code(message) == "ok"
