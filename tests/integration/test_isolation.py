"""A programme's credentials at every door: it reads and answers its own alone, and what is another's is not there.

Over Kafka that is held by ``test_access.py``: ``test_a_programmes_credentials_are_refused`` tries each topic, group and
right of the cluster, listed in ``attempts.py``. The doors over HTTP and the pages are listed in ``thefts.py``.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from connectors.gateway.clients import ClientKind
from connectors.pages.links import Link, links_key, signed
from connectors.pages.sessions import form_token
from connectors.pages.visits import SESSION_COOKIE
from schemas.topics import kafka_name
from tests.integration.attempts import ATTEMPTS
from tests.integration.closed_loop import ClosedLoop, client_of, closed_loop_of, handover_in
from tests.integration.secured import a_secured_broker, a_secured_service
from tests.integration.thefts import THEFTS, A, B, Theft
from tests.integration.webhook_service import Delivering, VerifyingReceiver, settings_in, until
from tests.unit.webhooks.receivers import a_receiver

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
View = dict[str, Any]


@dataclass
class Two:
    """Programme A, what it has, and programme B, which knows of it; ``youths`` are those of A.

    ``seen`` is what the pathways of A's young people were when they were last looked at.
    """

    loop: ClosedLoop
    a: httpx.AsyncClient
    b: httpx.AsyncClient
    spoils: dict[str, str]
    youths: tuple[str, ...]
    own_handover: str
    seen: list[View] = field(default_factory=list)

    async def of_a(self) -> list[View]:
        """Returns the pathways of A's young people as they are committed, once all that came in is folded."""
        await self.loop.running.service.wait_until_folded()
        views = await self.loop.pathways()
        self.seen = [views[youth] for youth in self.youths]
        return self.seen

    async def try_it(self, theft: Theft) -> httpx.Response:
        """Tries it as B."""
        headers = {name: self._filled(value) for name, value in theft.headers.items()}
        path, body = self._filled(theft.path), self._filled(json.dumps(theft.body))
        if theft.comes_as == "session":
            cookies = {"cookie": f"{SESSION_COOKIE}={self.spoils['session']}"}
            form = None if theft.body is None else json.loads(body)
            async with httpx.AsyncClient(base_url=self.loop.running.doors, headers=headers | cookies) as browser:
                return await browser.request(theft.method, path, data=form, timeout=60)
        if theft.comes_as != "token":
            headers["authorization"] = f"Bearer {self._filled(theft.comes_as)}"
        content = None if theft.body is None else body.encode()
        return await self.b.request(
            theft.method, path, content=content, headers={"content-type": "application/json"} | headers
        )

    def _filled(self, text: str) -> str:
        for name, value in self.spoils.items():
            text = text.replace(f"{{{name}}}", value)
        return text


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


async def a_two(loop: ClosedLoop, clients: tuple[httpx.AsyncClient, httpx.AsyncClient], token: str) -> Two:
    a, b = clients
    [named], [anonymous] = await loop.tell(1), await loop.tell(1, scope="anonymous")
    [own] = await loop.tell(1, municipality="0217", scope="anonymous")
    views = await loop.pathways()
    handover = handover_in(views[named.youth_id], A)
    assert handover_in(views[anonymous.youth_id], A)
    need = str(views[named.youth_id]["needs"][0]["need_id"])
    key = str(uuid4())
    reply = await a.post(
        f"/handovers/{handover}/replies", json={"status": "accepted"}, headers={"idempotency-key": key}
    )
    assert reply.status_code == 200, reply.text
    page = (await a.get("/handovers", params={"limit": 1})).json()
    offered = (await a.get(f"/handovers/{handover}")).json()["handover"]
    session = await session_of(loop.running.doors, token)
    forged, altered = links_about(loop, UUID(need))
    spoils = {
        "handover": handover,
        "pseudonym": offered["youth_id"],
        "need": need,
        "key": key,
        "reply": reply.json()["event_id"],
        "cursor": page["next"],
        "cpr": named.person.cpr,
        "code": anonymous.claim_code or "",
        "client": a.headers["authorization"].removeprefix("Bearer ").partition(".")[0],
        "secret": token.partition(".")[2],
        "session": session,
        "form_token": form_token(session),
        "forged": forged,
        "forged_form_token": form_token(forged),
        "altered": altered,
        "act": str(uuid4()),
        "now": datetime.now(UTC).isoformat(),
    }
    return Two(loop, a, b, spoils, (named.youth_id, anonymous.youth_id), handover_in(views[own.youth_id], B))


async def session_of(doors: str, token: str) -> str:
    """Returns the cookie of a programme that has signed in at the pages."""
    async with httpx.AsyncClient(base_url=doors, timeout=60) as browser:
        [given] = re.findall(r'name="form_token" value="(\w+)"', (await browser.get("/pages/sign-in")).text)
        answer = await browser.post("/pages/sign-in", data={"form_token": given, "token": token})
        assert answer.headers["location"] == "/pages/worklist"
        return browser.cookies[SESSION_COOKIE]


def links_about(loop: ClosedLoop, need: UUID) -> tuple[str, str]:
    """Returns a link about A's need that another key has signed, and a good one that was altered to be about it."""
    expires_at = datetime.now(UTC) + timedelta(days=1)
    wanted = Link(uuid4(), need, B, expires_at)
    key = links_key(loop.running.service.settings.keys_folder)
    good = signed(key, Link(uuid4(), uuid4(), B, expires_at))
    forged = signed(b"of its own", wanted)
    return forged, f"{forged.partition('.')[0]}.{good.partition('.')[2]}"


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
    reply = {"statement_id": two.spoils["handover"], "youth_id": own["youth_id"], "programme": B, "status": "ended"}

    taken = await two.b.post("/events/replies", json=reply | {"occurred_at": two.spoils["now"]})
    after = await two.of_a()
    told = (await two.b.get("/handovers")).json()["records"][-1]["event"]

    assert taken.status_code == 201
    assert after == before
    assert (told["statement"], told["reason_code"], told["state"]) == ("reply_refused", "unknown_handover", None)
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
    return {one["statement_id"] for one in events if one["statement"] != "reply_refused"}


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
            await until(lambda: at_a.got and at_b.got and not delivering.waiting(A) and not delivering.waiting(B))
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
    assert two.spoils["handover"] in {one["statement_id"] for one in at_a.got}
    assert (answer.status_code, at_a.refused, len(at_a.got)) == (401, 1, genuine)


async def test_over_kafka_every_topic_of_another_programme_is_tried() -> None:
    tried = {attempt.what for attempt in ATTEMPTS}
    topics = [kafka_name(f"{topic}.{B}") for topic in ("handovers", "answers", "refusals")]

    assert {f"{act} {topic}" for act in ("read", "write") for topic in topics} <= tried
