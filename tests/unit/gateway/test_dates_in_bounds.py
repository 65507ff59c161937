"""Every date that comes in lies within its field's limit, counted from the day of its receipt."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.statements.forms import FORMS
from schemas.instants import start_of_day
from schemas.rules import DATE_LIMITS
from tests.unit.gateway.builders import NOW, Gateway, refused
from tests.unit.gateway.sent_lists import COURSE, Sender, map_courses

TODAY = date(2026, 1, 10)
TOPICS = {
    "planned_at": "discharges",
    "started_on": "enrolments",
    "ended_on": "enrolments",
    "expected_end_on": "enrolments",
    "lapses_at": "consents",
    "waitlisted_until": "replies",
    "occurred_at": "consents",
    "status_at": "referrals",
    "sent_at": "discharges",
}


def told(field: str, days: int) -> str:
    """Returns a day so many days from the receipt, as its field is written."""
    day = TODAY + timedelta(days=days)
    return start_of_day(day).isoformat() if field.endswith("_at") else day.isoformat()


async def sent(gateway: Gateway, field: str, days: int) -> Any:
    """Sends the statement that has the field, and returns the answer."""
    topic = TOPICS[field]
    if topic != "replies":
        return await gateway.statement(topic, gateway.token(), **{field: told(field, days)})
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")
    own = {"youth_id": gateway.pseudonym("headspace"), "status": "waitlisted", "occurred_at": NOW.isoformat()}
    return await gateway.statement(topic, headers, **own | {field: told(field, days)})


def test_every_date_and_time_of_every_form_has_a_limit() -> None:
    fields = {
        name
        for form in FORMS.values()
        for name, info in form.model_fields.items()
        if str(date.__name__) in str(info.annotation)
    }

    assert fields - {"occurred_on"} == DATE_LIMITS.keys() == TOPICS.keys()


@pytest.mark.parametrize("field", DATE_LIMITS)
async def test_the_first_and_the_last_day_are_taken(gateway: Gateway, field: str) -> None:
    first, last = DATE_LIMITS[field]
    ends = field in {"status_at", "sent_at", "ended_on"}  # these may be as late as a clock's skew allows, no day more

    answers = [await sent(gateway, field, days) for days in (first, last - ends)]

    assert {answer.status_code for answer in answers} <= {200, 201}


@pytest.mark.parametrize("field", DATE_LIMITS)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_day_beyond_either_is_refused(refusing: Gateway, field: str, side: int) -> None:
    answer = await sent(refusing, field, DATE_LIMITS[field][0] - 1 if side < 0 else DATE_LIMITS[field][1] + 1)

    status, code, named = refused(answer)
    assert (status, named) == (422, field)
    assert code in {"date_out_of_bounds", "time_ahead", "time_long_ago"}


@pytest.mark.parametrize("day", ["2025-12-31", "2026-01-10", "2126-01-10", "2199-12-31"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_waiting_list_ends_within_a_year_and_the_refusal_names_the_bound(refusing: Gateway, day: str) -> None:
    headers = refusing.token(ClientKind.PROGRAMME, "headspace")
    own = {"youth_id": refusing.pseudonym("headspace"), "status": "waitlisted", "waitlisted_until": day}
    answer = await refusing.statement("replies", headers, occurred_at=NOW.isoformat(), **own)

    assert refused(answer) == (422, "date_out_of_bounds", "waitlisted_until")
    assert answer.json()["refused"]["rule"] == "a date lies 1 to 366 days after the day of its receipt"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_number_that_tells_a_birth_to_come_is_refused(refusing: Gateway) -> None:
    answer = await refusing.statement("consents", refusing.token(), person={"cpr": "0101575000"})

    assert refused(answer) == (422, "invalid_cpr", "person.cpr")


async def test_a_lists_date_beyond_its_limit_is_refused_by_row_and_column(gateway: Gateway) -> None:
    map_courses(gateway)
    answer = await Sender(gateway).send(COURSE, COURSE.replace("01-11-2025", "01-11-1925").replace("S-1", "S-2"))

    [taken, row] = answer.json()["report"]
    assert (taken["outcome"], row["outcome"]) == ("accepted", "refused")
    assert (row["refused"][0]["column"], row["refused"][0]["code"]) == ("Dato", "time_long_ago")
