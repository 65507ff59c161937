"""A short reply to a handover: filled in, published once, and answered with what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.gateway.doors.handover_forms import HandoverReply
from schemas.codes import ReplyStatus
from schemas.instants import milliseconds_of
from tests.unit.gateway.builders import NOW, Crashed, Gateway, a_gateway, refused
from tests.unit.gateway.pulling import Programme, a_programme, project
from tests.unit.read_model.builders import an_answer, handover_id, told

pytestmark = pytest.mark.long

ONE = handover_id("one")


async def offered(gateway: Gateway) -> Programme:
    """Returns headspace, told of handover one."""
    await project(gateway, told("one", (0, 0), youth_id=gateway.pseudonym("headspace")))
    return a_programme(gateway)


async def answered(gateway: Gateway, programme: Programme, reply: dict[str, Any], **answer: Any) -> httpx.Response:
    """Replies, and answers the reply as stage 2 would as soon as it is published."""
    sending = asyncio.create_task(programme.reply(ONE, **reply))
    await gateway.publisher.published(1)
    cause = gateway.published("replies")[0]["event_id"]
    await project(gateway, an_answer(cause, "one", (0, 1), youth_id=gateway.pseudonym("headspace"), **answer))
    return await sending


async def test_what_is_published_is_filled_in_from_the_handover(hasty: Gateway) -> None:
    programme = await offered(hasty)

    await programme.reply(ONE, status="declined", side="programme", reason_code="no_capacity")

    [reply] = hasty.published("replies")
    assert (reply["subject"], reply["programme"], reply["source"]) == (ONE, "headspace", "headspace")
    assert (reply["status"], reply["side"], reply["reason_code"]) == ("declined", "programme", "no_capacity")
    assert reply["occurred_at"] == milliseconds_of(NOW)
    assert hasty.publisher.records[0].key.decode() == hasty.pseudonym("headspace")


async def test_an_accepted_reply_is_answered_with_the_record_that_says_so(gateway: Gateway) -> None:
    answer = await answered(gateway, await offered(gateway), {"status": "accepted"})

    content = answer.json()
    assert (answer.status_code, content["outcome"], content["state"]) == (200, "accepted", "accepted")
    assert content["answer"]["event"]["causation_id"] == content["event_id"]


async def test_a_refused_reply_is_a_conflict_with_reason_and_state(gateway: Gateway) -> None:
    said = {"type": "reply_refused", "state": "withdrawn", "reason_code": "handover_withdrawn"}
    answer = await answered(gateway, await offered(gateway), {"status": "accepted"}, **said)

    content = answer.json()
    assert (answer.status_code, content["refused"]["code"]) == (409, "handover_withdrawn")
    assert (content["outcome"], content["state"], content["reason_code"]) == (
        "refused",
        "withdrawn",
        "handover_withdrawn",
    )


async def test_a_reply_that_is_not_answered_in_time_can_be_asked_for(hasty: Gateway) -> None:
    programme = await offered(hasty)
    taken = await programme.reply(ONE, status="accepted")
    place = taken.headers["location"]
    waiting = await programme.get(place)
    [reply] = hasty.published("replies")
    await project(hasty, an_answer(reply["event_id"], "one", (0, 1)))
    done = await programme.get(place)

    assert (taken.status_code, waiting.status_code, done.status_code) == (202, 202, 200)
    assert taken.json() == waiting.json() == {"event_id": reply["event_id"], "outcome": "waiting"}
    assert done.json()["outcome"] == "accepted"


async def test_the_same_key_is_the_same_reply_and_gets_its_answer(hasty: Gateway) -> None:
    programme = await offered(hasty)
    first = await programme.reply(ONE, key="k", status="accepted")
    hasty.clock.now = hasty.clock.now.replace(hour=13)
    again = await programme.reply(ONE, key="k", status="accepted")
    [reply] = hasty.published("replies")
    await project(hasty, an_answer(reply["event_id"], "one", (0, 1), youth_id=hasty.pseudonym("headspace")))
    last = await programme.reply(ONE, key="k", status="accepted")

    assert (first.status_code, again.status_code, last.status_code) == (202, 202, 200)
    assert first.json()["event_id"] == again.json()["event_id"] == last.json()["event_id"]
    assert len(hasty.published("replies")) == 1


@pytest.mark.parametrize(
    "written", [str.upper, lambda given: given.replace("-", ""), lambda given: f"urn:uuid:{given}"]
)
async def test_a_handover_is_known_however_its_id_is_written(hasty: Gateway, written: Callable[[str], str]) -> None:
    programme = await offered(hasty)
    first = await programme.reply(ONE, key="k", status="accepted")

    again = await programme.reply(written(ONE), key="k", status="accepted")
    shown = await programme.get(f"/handovers/{written(ONE)}")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert shown.json()["handover"]["handover_id"] == ONE
    assert len(hasty.published("replies")) == 1


async def test_a_key_for_another_body_is_refused(hasty: Gateway) -> None:
    programme = await offered(hasty)
    await programme.reply(ONE, key="k", status="accepted")

    answer = await programme.reply(ONE, key="k", status="no_show")

    assert refused(answer) == (422, "idempotency_key_reused", "Idempotency-Key")
    assert len(hasty.published("replies")) == 1


async def test_without_a_key_every_reply_is_its_own(hasty: Gateway) -> None:
    programme = await offered(hasty)
    await programme.reply(ONE, status="no_show")
    hasty.clock.now = hasty.clock.now.replace(hour=13)
    await programme.reply(ONE, status="no_show")

    assert len({one["event_id"] for one in hasty.published("replies")}) == 2


async def test_a_repeat_after_a_crash_is_published_again_byte_for_byte(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as gateway:
        programme = await offered(gateway)
        gateway.crashes()
        with pytest.raises(Crashed):
            await programme.reply(ONE, key="k", status="accepted")
        before = gateway.publisher.records
        again = asyncio.create_task(programme.reply(ONE, key="k", status="accepted"))
        await gateway.publisher.published(2)
        cause = gateway.published("replies")[0]["event_id"]
        await project(gateway, an_answer(cause, "one", (0, 1)))

        assert (await again).status_code == 200
        assert before[0] == gateway.publisher.records[1]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({}, (422, "missing_field", "status")),
        ({"status": "perhaps"}, (422, "unknown_code", "status")),
        ({"status": "free_capacity"}, (422, "unknown_code", "status")),
        ({"status": "identity_wanted"}, (422, "unknown_code", "status")),
        ({"status": "undeliverable"}, (422, "unknown_code", "status")),
        ({"status": "accepted", "programme": "stime"}, (422, "unknown_field", "programme")),
        ({"status": "waitlisted", "waitlisted_until": "soon"}, (422, "impossible_date", "waitlisted_until")),
    ],
)
async def test_what_is_no_short_reply_is_refused(
    hasty: Gateway, reply: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    programme = await offered(hasty)

    answer = await programme.reply(ONE, **reply)

    assert refused(answer) == expected
    assert hasty.published("replies") == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b'{"status":"accepted","status":"declined"}', {"content-type": "application/json"}, 400),
        (b"status=accepted", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b'{"status":"accepted"}', {"content-type": "application/json", "idempotency-key": "x" * 256}, 400),
        (b" " * 3_000_000, {"content-type": "application/json"}, 413),
    ],
)
async def test_bodies_and_keys_that_cannot_be_taken(
    hasty: Gateway, body: bytes, headers: dict[str, str], status: int
) -> None:
    programme = await offered(hasty)

    answer = await hasty.http.post(f"/handovers/{ONE}/replies", content=body, headers=programme.headers | headers)

    assert answer.status_code == status
    assert hasty.published("replies") == []


async def test_what_the_broker_has_not_confirmed_may_be_sent_again(hasty: Gateway) -> None:
    programme = await offered(hasty)
    hasty.publisher.reachable = False
    unconfirmed = await programme.reply(ONE, key="k", status="accepted")
    hasty.publisher.reachable = True
    taken = await programme.reply(ONE, key="k", status="accepted")

    assert refused(unconfirmed)[:2] == (503, "broker_unavailable")
    assert unconfirmed.headers["retry-after"] == "5"
    assert taken.status_code == 202
    assert len(hasty.published("replies")) == 1


async def test_an_answer_to_a_reply_by_the_long_form_can_be_asked_for_too(hasty: Gateway) -> None:
    programme = await offered(hasty)
    fields = {"youth_id": hasty.pseudonym("headspace"), "subject": ONE}
    sent = await hasty.statement("replies", programme.headers, **fields)
    await project(hasty, an_answer(sent.json()["event_id"], "one", (0, 1)))

    answer = await programme.get(f"/replies/{sent.json()['event_id']}")

    assert (answer.status_code, answer.json()["outcome"]) == (200, "accepted")


def test_every_status_of_the_short_form_is_one_of_the_long_forms() -> None:
    [statuses] = [
        one["enum"] for name, one in HandoverReply.model_json_schema()["properties"].items() if name == "status"
    ]

    assert set(statuses) < set(ReplyStatus)
