"""Answers over Kafka: taken by the door's own rules, as the programme whose topic it is; refusals are told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from connectors.gateway.over_kafka.answers import take_answers
from connectors.gateway.over_kafka.inboxes import Received, RecordPosition
from connectors.gateway.statements.reading import record_of
from connectors.vault.store import VaultUnavailableError
from schemas.events import Reply
from schemas.refusals import Refusal
from tests.unit.gateway.builders import NOW, Gateway, a_statement

EVENT_ID = "6a4f6e20-8f4e-4f7e-9d3c-0a7a4f0f7b11"
HANDOVER_ID = a_statement("replies")["subject"]


def answered(value: bytes | dict[str, Any], offset: int = 0) -> Received:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Received(RecordPosition("brobygger.answers.headspace.v1", 0, offset), body)


def an_answer(gateway: Gateway, **changes: Any) -> dict[str, Any]:
    return a_statement("replies", **({"youth_id": gateway.pseudonym("headspace")} | changes))


async def take(gateway: Gateway, *answers: Received, programme: str = "headspace") -> bool:
    return await take_answers(gateway.app.state.desk, programme, answers)


def refusals(gateway: Gateway) -> list[tuple[str, dict[str, str]]]:
    """Returns topic and reasons of every refusal told."""
    told = [record for record in gateway.publisher.records if record.topic.startswith("refusals.")]
    return [(one.topic, {name: value.decode() for name, value in one.headers if name[:2] == "re"}) for one in told]


async def test_an_answer_is_a_reply_of_the_programme_whose_topic_it_is(gateway: Gateway) -> None:
    assert await take(gateway, answered(an_answer(gateway, event_id=EVENT_ID)))

    [reply] = gateway.published("replies")
    assert (reply["event_id"], reply["source"], reply["programme"]) == (EVENT_ID, "headspace", "headspace")
    assert refusals(gateway) == []


async def test_an_avro_reply_is_taken_as_its_json_form_is(gateway: Gateway) -> None:
    form = an_answer(gateway, event_id=EVENT_ID, correlation_id=EVENT_ID, source="headspace")
    times = {"sent_at": NOW, "recorded_at": NOW, "occurred_at": NOW}
    reply = Reply.model_validate(form | times)

    assert await take(gateway, answered(record_of("replies", reply).value))

    [published] = gateway.published("replies")
    assert published["event_id"] == EVENT_ID


async def test_the_same_answer_again_is_published_once(gateway: Gateway) -> None:
    answer = answered(an_answer(gateway))

    assert await take(gateway, answer)
    assert await take(gateway, answer)

    assert len(gateway.published("replies")) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"programme": "ungevaerftet"}, "foreign_programme"),
        ({"source": "ungevaerftet"}, "foreign_source"),
        ({"youth_id": "k001Mb3SptkmvUxNxT8uTm0vu_9gRDGHRa-XadHBk-3TUmM"}, "unknown_pseudonym"),
        (
            {"programme": "ungevaerftet", "status": "free_capacity", "youth_id": None, "free_places": 9},
            "foreign_programme",
        ),
    ],
)
async def test_nobody_answers_for_another(gateway: Gateway, changes: dict[str, Any], code: str) -> None:
    assert await take(gateway, answered(an_answer(gateway, **changes)))

    [(topic, why)] = refusals(gateway)
    assert (topic, why["refused-code"]) == ("refusals.headspace", code)
    assert gateway.published("replies") == []


@pytest.mark.parametrize("status", ["identity_wanted", "code_claimed"])
async def test_what_the_service_alone_vouches_for_is_refused(gateway: Gateway, status: str) -> None:
    assert await take(gateway, answered(an_answer(gateway, status=status)))

    assert len(refusals(gateway)) == 1
    assert gateway.published("replies") == []


async def test_a_refusal_names_the_answer_and_the_handover(gateway: Gateway) -> None:
    assert await take(gateway, answered(an_answer(gateway, event_id=EVENT_ID, status="perhaps")))

    [told] = gateway.published("refusals.headspace")
    [(_, why)] = refusals(gateway)
    assert (told["causation_id"], told["subject"], told["type"]) == (EVENT_ID, HANDOVER_ID, "reply_refused")
    assert set(why) == {"refused-code", "refused-field", "refused-rule", "refused-help"}
    assert why["refused-field"] == "status"


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff", b"{", b"[]", b"[" * 60_000, b"\xc3\x01garbage", b'{"event_id": 7}']
)
async def test_garbage_is_refused_and_what_follows_it_is_taken(gateway: Gateway, garbage: bytes) -> None:
    assert await take(gateway, answered(garbage), answered(an_answer(gateway), 1))

    assert len(refusals(gateway)) == len(gateway.published("replies")) == 1


async def test_what_could_not_be_read_at_all_is_told_and_what_is_around_it_is_taken(gateway: Gateway) -> None:
    why = Refusal("unreadable_header", "headers", "the name of a header is text", "correct it")
    unreadable = Received(RecordPosition("brobygger.answers.headspace.v1", 0, 7), b"", refusal=why)

    assert await take(gateway, answered(an_answer(gateway)), unreadable, answered(b"{", 8))

    assert [why["refused-code"] for _, why in refusals(gateway)] == ["unreadable_header", "not_json"]
    assert len(gateway.published("replies")) == 1


async def test_a_refusal_repeats_nothing_that_may_be_personal(gateway: Gateway) -> None:
    personal = an_answer(gateway, subject="2512489996", event_id="Nancy", status="2512489996")

    assert await take(gateway, answered(personal))

    [told] = [record for record in gateway.publisher.records if record.topic == "refusals.headspace"]
    assert b"2512489996" not in told.value + repr(told.headers).encode()
    assert b"Nancy" not in told.value + repr(told.headers).encode()


async def test_the_same_record_refused_again_is_the_same_refusal(gateway: Gateway) -> None:
    await take(gateway, answered(b"{", 7))
    await take(gateway, answered(b"{", 7))

    first, second = gateway.published("refusals.headspace")
    assert UUID(first["event_id"]) == UUID(second["event_id"])


async def test_answers_come_again_where_the_broker_did_not_confirm(gateway: Gateway) -> None:
    answers = (answered(an_answer(gateway)), answered(b"{", 1))
    gateway.publisher.reachable = False
    assert not await take(gateway, *answers)

    gateway.publisher.reachable = True
    assert await take(gateway, *answers)

    assert len(refusals(gateway)) == len(gateway.published("replies")) == 1


async def test_answers_come_again_where_a_store_is_away(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise VaultUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(gateway.app.state.desk.ledger, "enter", away)
        assert not await take(gateway, answered(an_answer(gateway)))

    assert await take(gateway, answered(an_answer(gateway)))
    assert len(gateway.published("replies")) == 1
