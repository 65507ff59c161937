"""A source that floods: what it may state in the long run is bounded at every door, and nobody else waits for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from connectors.gateway.over_kafka.answers import take_answers
from connectors.gateway.over_kafka.inboxes import Received, RecordPosition
from connectors.gateway.over_kafka.source_statements import take_statements
from tests.unit.gateway.builders import NDJSON, Gateway, a_gateway, a_message, a_statement, refused
from tests.unit.gateway.sent_lists import COURSE, CSV, OTHER, a_list, map_courses
from tests.unit.medcom_edi.builders import Notice, an_interchange

BURST = 6
SPENT = (429, "too_many_statements", "")
Sends = Callable[[Gateway, dict[str, str], int], Awaitable[httpx.Response]]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Runs a gateway that takes six statements at once from each, then one a second."""
    async with a_gateway(tmp_path / "data", statements_burst=BURST, statements_per_second=1) as running:
        map_courses(running)
        yield running


async def two_lines(gateway: Gateway, headers: dict[str, str], nth: int) -> httpx.Response:
    lines = [json.dumps(a_statement("enrolments", subject=f"course-{nth}-{number}")) for number in range(2)]
    return await gateway.http.post("/events/enrolments", content="\n".join(lines), headers=headers | NDJSON)


async def two_statements(gateway: Gateway, headers: dict[str, str], nth: int) -> httpx.Response:
    await gateway.statement("enrolments", headers, subject=f"course-{nth}-a")
    return await gateway.statement("enrolments", headers, subject=f"course-{nth}-b")


async def two_rows(gateway: Gateway, headers: dict[str, str], nth: int) -> httpx.Response:
    return await gateway.http.post("/lists/courses", content=a_list(COURSE, OTHER), headers=headers | CSV)


async def two_letters(gateway: Gateway, headers: dict[str, str], nth: int) -> httpx.Response:
    body = an_interchange(*(Notice().but(identifier=f"EPIC{nth}{number}") for number in range(2)))
    return await gateway.http.post(
        "/medcom/edifact", content=body, headers=headers | {"content-type": "application/edifact"}
    )


async def two_messages(gateway: Gateway, headers: dict[str, str], nth: int) -> httpx.Response:
    await gateway.message(a_message(id=f"{nth}a"), headers)
    return await gateway.message(a_message(id=f"{nth}b"), headers)


@pytest.mark.parametrize("send", [two_lines, two_statements, two_rows, two_letters, two_messages])
async def test_a_source_states_no_more_than_its_quota(gateway: Gateway, send: Sends) -> None:
    flooding, other = gateway.token(), gateway.token(name="region-syddanmark")
    answers = [await send(gateway, flooding, nth) for nth in range(3)]
    published = len(gateway.publisher.records)

    too_many = await send(gateway, flooding, 3)

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert refused(too_many) == SPENT
    assert int(too_many.headers["retry-after"]) > 0
    assert len(gateway.publisher.records) == published
    assert (await send(gateway, other, 4)).status_code in {200, 201}
    gateway.clock.seconds += BURST
    assert (await send(gateway, flooding, 3)).status_code in {200, 201}


async def test_a_body_of_more_than_a_burst_is_taken_by_whoever_has_stated_nothing_else(gateway: Gateway) -> None:
    headers = gateway.token()
    lines = [json.dumps(a_statement("enrolments", subject=f"course-{number}")) for number in range(BURST + 4)]
    body = "\n".join(lines)

    first = await gateway.http.post("/events/enrolments", content=body, headers=headers | NDJSON)
    second = await gateway.http.post("/events/enrolments", content=body, headers=headers | NDJSON)

    assert (first.status_code, refused(second)) == (200, SPENT)


async def test_a_source_over_kafka_waits_in_its_own_topic(gateway: Gateway) -> None:
    gateway.token(name="helsingor-kommune", kafka_id="helsingor")
    body = json.dumps(a_statement("enrolments")).encode()
    records = [
        Received(RecordPosition("statements", 0, at), body, {"ce_type": b"brobygger.enrolments.v1"}) for at in range(5)
    ]

    taken = [await take_statements(gateway.app.state.desk, "helsingor", records) for _ in range(2)]
    gateway.clock.seconds += BURST

    assert taken == [True, False]
    assert await take_statements(gateway.app.state.desk, "helsingor", records)


async def test_a_programme_over_kafka_waits_in_its_own_topic(gateway: Gateway) -> None:
    answers = [Received(RecordPosition("answers", 0, at), b"{}") for at in range(5)]

    taken = [await take_answers(gateway.app.state.desk, "headspace", answers) for _ in range(2)]
    other = await take_answers(gateway.app.state.desk, "ungevaerftet", answers)
    gateway.clock.seconds += BURST

    assert (taken, other) == ([True, False], True)
    assert await take_answers(gateway.app.state.desk, "headspace", answers)


async def test_what_comes_again_over_kafka_counts_once(gateway: Gateway) -> None:
    gateway.token(name="helsingor-kommune", kafka_id="helsingor")
    body = json.dumps(a_statement("enrolments")).encode()
    records = [
        Received(RecordPosition("statements", 0, at), body, {"ce_type": b"brobygger.enrolments.v1"}) for at in range(5)
    ]
    answers = [Received(RecordPosition("answers", 0, at), b"{}") for at in range(5)]
    desk = gateway.app.state.desk
    gateway.publisher.reachable = False
    away = [await take_statements(desk, "helsingor", records) for _ in range(3)]
    away += [await take_answers(desk, "headspace", answers) for _ in range(3)]
    gateway.publisher.reachable = True

    assert not any(away)
    assert await take_statements(desk, "helsingor", records)
    assert await take_answers(desk, "headspace", answers)
