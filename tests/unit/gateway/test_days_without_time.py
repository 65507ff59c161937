"""What is told by a day alone says so on its topic, beside the day's first moment in Denmark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.instants import days_of, milliseconds_of
from tests.unit.gateway.builders import Gateway, refused
from tests.unit.gateway.sent_lists import COURSE, Sender, map_courses, map_list

DAY = date(2026, 1, 5)
MIDNIGHT = milliseconds_of(datetime(2026, 1, 4, 23, tzinfo=UTC))
DATED = ["referrals", "discharges", "enrolments", "consents"]
STAYS = """
event = "discharge"
mode = "changes"
statement = ["CPR", "Hjem"]
[columns]
CPR = "person.cpr"
Hjem = "occurred_at"
[constants]
status = "discharged_home"
unit = "9991101000016001"
"""


@pytest.mark.parametrize("topic", DATED)
async def test_a_day_stands_in_for_the_times_and_is_told_as_one(gateway: Gateway, topic: str) -> None:
    answer = await gateway.statement(
        topic, gateway.token(), occurred_on="2026-01-05", occurred_at=..., **_no_status_time(topic)
    )

    assert answer.status_code == 201
    [event] = gateway.published(topic)
    assert (event["occurred_on"], event["occurred_at"]) == (days_of(DAY), MIDNIGHT)
    assert event.get("status_at", MIDNIGHT) == MIDNIGHT


@pytest.mark.parametrize("topic", DATED)
async def test_what_is_told_with_its_time_has_no_day(gateway: Gateway, topic: str) -> None:
    await gateway.statement(topic, gateway.token(), occurred_at="2026-01-05T00:00:00+01:00")

    [event] = gateway.published(topic)
    assert (event["occurred_on"], event["occurred_at"]) == (None, MIDNIGHT)


async def test_neither_a_time_nor_a_day_is_refused(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token(), occurred_at=...)

    assert refused(answer) == (422, "missing_field", "occurred_at")


async def test_a_time_that_is_not_the_days_start_contradicts_the_day(gateway: Gateway) -> None:
    answer = await gateway.statement(
        "discharges", gateway.token(), occurred_on="2026-01-05", occurred_at="2026-01-05T10:00:00+01:00"
    )

    assert refused(answer) == (422, "contradicting_times", "occurred_on")


async def test_a_lists_day_is_told_as_a_day(gateway: Gateway) -> None:
    map_courses(gateway)
    await Sender(gateway).send(COURSE.replace("01-11-2025", "05-01-2026"))

    [event] = gateway.published("enrolments")
    assert (event["occurred_on"], event["occurred_at"], event["status_at"]) == (days_of(DAY), MIDNIGHT, MIDNIGHT)


async def test_a_lists_time_is_told_without_a_day(gateway: Gateway) -> None:
    map_courses(gateway)
    await Sender(gateway).send(COURSE.replace("01-11-2025", "05-01-2026 00:00"))

    [event] = gateway.published("enrolments")
    assert (event["occurred_on"], event["occurred_at"]) == (None, MIDNIGHT)


async def test_a_stay_of_a_list_without_episode_ids_is_unnumbered(gateway: Gateway) -> None:
    map_list(gateway, STAYS, "hjem")
    await Sender(gateway, "hjem").send("010510-9996;05-01-2026", names="CPR;Hjem")

    [event] = gateway.published("discharges")
    assert (event["episode_id"], event["occurred_on"]) == ("unnumbered", days_of(DAY))


def _no_status_time(topic: str) -> dict[str, Any]:
    return {"status_at": ...} if topic in {"referrals", "enrolments"} else {}
