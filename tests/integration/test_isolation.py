"""A programme's credentials at every door: it reads and answers its own alone, and what is another's is not there.

Over Kafka that is held by ``test_access.py``: ``test_a_programmes_credentials_are_refused`` tries each topic, group and
right of the cluster, listed in ``attempts.py``. The doors over HTTP and the pages are listed in ``thefts.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from connectors.gateway.clients.clients import ClientKind
from schemas.topics import kafka_name
from tests.integration.attempts import ATTEMPTS
from tests.integration.closed_loop import client_of, closed_loop_of
from tests.integration.secured import a_secured_broker, a_secured_service
from tests.integration.thefts import THEFTS, A, B, Theft
from tests.integration.two_programmes import Two, View, a_two
from tests.integration.ways_over_http import Pulling
from tests.integration.webhook_service import Delivering, VerifyingReceiver, settings_in, until
from tests.unit.webhooks.receivers import a_receiver

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> AsyncIterator[Two]:
    """Runs the service; A has a named handover that it accepted and an anonymous one, B one of its own."""
    with a_secured_broker(cache_dir, tmp_path_factory.mktemp("data")) as secured:
        async with a_secured_service(secured, settle_seconds=0) as running, AsyncExitStack() as stack:
            loop = closed_loop_of(running)
            token = loop.token(ClientKind.PROGRAMME, B)
            a, b = loop.client(ClientKind.PROGRAMME, A), client_of(running, token)
            for client in (loop.hospital, a, b):
                await stack.enter_async_context(client)
            both = await a_two(loop, (a, b), token)
            await both.of_a()
            yield both


@pytest.mark.parametrize("theft", THEFTS, ids=str)
async def test_a_programme_gets_at_nothing_of_anothers(two: Two, theft: Theft) -> None:
    before = two.seen

    answer = await two.try_it(theft)

    said = answer.text + answer.headers.get("location", "")
    assert (answer.status_code, theft.refused_by in said) == (theft.status, True), said
    assert two.spoils["pseudonym"] not in said
    assert await two.of_a() == before


async def test_what_is_anothers_is_answered_as_what_was_never_there(two: Two) -> None:
    for path in ("/handovers/{}", "/replies/{}", "/handovers/{}/identity", "/pages/worklist/{}"):
        told = two.spoils["reply" if "replies" in path else "handover"]
        page: dict[str, Any] = {"comes_as": "session"} if "pages" in path else {}
        headers = {"idempotency-key": "never"}
        others, nobodys = [
            await two.try_it(Theft("any", "look", "GET", path.format(one), 404, "", headers=headers, **page))
            for one in (told, str(uuid4()))
        ]

        assert (others.status_code, others.content) == (404, nobodys.content)


async def test_an_answer_with_its_own_pseudonym_to_anothers_handover_is_refused_by_the_log(two: Two) -> None:
    before = two.seen
    own = (await two.b.get(f"/handovers/{two.own_handover}")).json()["handover"]
    reply = {"subject": two.spoils["handover"], "youth_id": own["youth_id"], "programme": B, "status": "ended"}

    taken = await two.b.post("/events/replies", json=reply | {"occurred_at": two.spoils["now"]})
    after = await two.of_a()
    way = Pulling(two.b)
    await way.told(two.spoils["handover"], 1)
    [told] = way.received.of(two.spoils["handover"])

    assert taken.status_code == 201
    assert after == before
    assert (told["type"], told["reason_code"], told["state"]) == ("reply_refused", "unknown_handover", None)
    assert told["causation_id"] == taken.json()["event_id"]


async def test_lists_and_streams_hold_its_own_handovers_alone(two: Two) -> None:
    pulled = (await two.b.get("/handovers", params={"limit": 500})).json()["records"]
    worklist = await two.try_it(Theft("worklist", "list", "GET", "/pages/worklist", 200, "", comes_as="session"))
    streamed: list[Any] = []
    async with (
        asyncio.timeout(60),
        two.b.stream("GET", "/handovers", headers={"accept": "text/event-stream"}) as answer,
    ):
        async for line in answer.aiter_lines():
            streamed += [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []
            if len(streamed) == len(pulled):
                break

    assert streamed == pulled
    assert handovers_in([one["event"] for one in pulled]) == {two.own_handover}
    assert two.spoils["pseudonym"] not in json.dumps(pulled)
    assert two.own_handover in worklist.text
    assert two.spoils["handover"] not in worklist.text


def handovers_in(events: list[View]) -> set[str]:
    """Returns the handovers of records for B; a refusal repeats B's own word for what it meant."""
    assert {one["programme"] for one in events} == {B}
    return {one["subject"] for one in events if one["type"] != "reply_refused"}


async def test_the_claim_code_is_as_good_as_before_for_whom_it_is_meant(two: Two) -> None:
    claimed = await two.a.post("/claims", json={"code": two.spoils["code"]})
    await two.of_a()

    assert (claimed.status_code, claimed.json()["state"]) == (200, "in_contact"), claimed.text


async def test_webhooks_bring_each_its_own_and_no_secret_speaks_for_another(two: Two) -> None:
    running = two.loop.running
    delivering = Delivering(settings_in(running.service.settings.data_folder, running.as_gateway.connection))
    at_a, at_b = VerifyingReceiver(), VerifyingReceiver()
    async with a_receiver(at_a.handle) as port_of_a, a_receiver(at_b.handle) as port_of_b:
        at_a.secret, at_b.secret = delivering.registered(A, port_of_a), delivering.registered(B, port_of_b)
        async with delivering.running():
            await until(lambda: at_a.numbers(two.spoils["handover"]) and at_b.numbers(two.own_handover))
        genuine = len(at_a.got)
        body, at = json.dumps(at_b.got[0]), datetime.now(UTC)
        signature = Webhook(at_b.secret).sign("forged", at, body)
        headers = {
            "webhook-id": "forged",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        async with httpx.AsyncClient() as forger:
            answer = await forger.post(f"http://127.0.0.1:{port_of_a}/hook", content=body, headers=headers)

    assert handovers_in(at_b.got) == {two.own_handover}
    assert two.spoils["handover"] in {one["subject"] for one in at_a.got}
    assert (answer.status_code, at_a.refused, len(at_a.got)) == (401, 1, genuine)


async def test_over_kafka_every_topic_of_another_programme_is_tried() -> None:
    tried = {attempt.what for attempt in ATTEMPTS}
    topics = [kafka_name(f"{topic}.{B}") for topic in ("handovers", "answers", "refusals")]

    assert {f"{act} {topic}" for act in ("read", "write") for topic in topics} <= tried
