"""The pull way on a real broker: pages, a stream across a restart of the gateway, replies and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.settings import GatewaySettings
from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from tests.integration.broker_cases import CASES, START
from tests.integration.gateway_runner import Process
from tests.integration.service import Service, a_service
from tests.unit.gateway.prepared import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PROGRAMME = "ungevaerftet"
_SECONDS_MAX = 90
Record = dict[str, Any]


@dataclass
class Loop:
    """A service and its gateway, with Ungeværftet at the doors."""

    service: Service
    gateway: Process
    http: httpx.AsyncClient
    passed: timedelta = timedelta()

    async def offer(self, name: str) -> str:
        """Tells of a young person of this name, and returns the handover once Ungeværftet is offered it."""
        case = replace(CASES[0], number=f"pull-{name}")
        await self.service.publish(event for _, event in case.events())
        await self.service.wait_until_folded()
        self.passed += timedelta(minutes=20)
        await self.service.step_to(START + self.passed)
        pseudonyms = Pseudonyms(pseudonym_roots(self.service.settings.keys_folder))
        offered = await self.told(
            lambda event: (
                event["type"] == "offered" and pseudonyms.youth_of(PROGRAMME, event["youth_id"]) == case.youth_id
            )
        )
        return str(offered["event"]["subject"])

    async def told(self, wanted: Callable[[Record], bool]) -> Record:
        """Returns the first record of the topic that says what is wanted, once it is there."""
        async with asyncio.timeout(_SECONDS_MAX), aclosing(self.stream()) as records:
            async for _, record in records:
                if wanted(record["event"]):
                    return record
        raise AssertionError("the stream ended before it")

    async def stream(self, last_id: str | None = None) -> AsyncGenerator[tuple[str, Record]]:
        """Yields (id, record) of the topic behind an id as they come, until the gateway ends the stream."""
        headers = {"accept": "text/event-stream"} | ({} if last_id is None else {"last-event-id": last_id})
        async with self.http.stream("GET", "/handovers", headers=headers, timeout=_SECONDS_MAX) as answer:
            assert answer.status_code == 200
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                event[name] = value
                if not line and "data" in event:
                    yield event["id"], json.loads(event["data"])
                    event = {}

    async def pages(self, cursor: str | None = None) -> list[Record]:
        """Returns the topic behind a cursor, two records a page."""
        records: list[Record] = []
        while True:
            parameters = {"limit": "2"} | ({} if cursor is None else {"cursor": cursor})
            page = (await self.http.get("/handovers", params=parameters)).json()
            records += page["records"]
            if not page["records"]:
                return records
            cursor = page["next"]

    async def reply(self, handover_id: str, **reply: str) -> httpx.Response:
        """Replies to a handover."""
        return await self.http.post(f"/handovers/{handover_id}/replies", json=reply)

    async def subscribed(self) -> list[Record]:
        """Returns the topic, to the last of its records, as `brobygger subscribe --json` prints it."""
        name = f"handovers.{PROGRAMME}"
        count = [topic for topic, _ in await self.service.said()].count(name)
        command = [sys.executable, "-m", "streams.cli", "subscribe", name, "--json", "--limit", str(count)]
        environment = {"KAFKA_BOOTSTRAP": self.service.connection.bootstrap, "PATH": ""}

        def printed() -> str:
            return subprocess.run(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
            ).stdout

        return [json.loads(line) for line in (await asyncio.to_thread(printed)).splitlines()]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def loop(tmp_path_factory: pytest.TempPathFactory, empty_broker: EmbeddedBroker) -> AsyncIterator[Loop]:
    """Runs a service whose calendar stands at START, and a gateway on its data folder."""
    folder = tmp_path_factory.mktemp("data")
    async with a_service(folder, empty_broker.bootstrap) as service:
        await asyncio.to_thread(service.start_workers, 1)
        await service.step_to(START)
        gateway = Process(a_gateway_of(service), folder / "crash")
        await asyncio.to_thread(gateway.start)
        try:
            async with a_client(gateway) as http:
                yield Loop(service, gateway, http)
        finally:
            await asyncio.to_thread(gateway.stop)


def a_gateway_of(service: Service) -> GatewaySettings:
    return GatewaySettings(
        data_folder=service.settings.data_folder,
        kafka=service.connection,
        reference_folder=service.settings.reference_folder,
        programmes_folder=service.settings.programmes_folder,
    )


def a_client(gateway: Process) -> httpx.AsyncClient:
    with gateway.client(ClientKind.PROGRAMME, PROGRAMME) as client:
        return httpx.AsyncClient(base_url=client.base_url, headers=client.headers, timeout=_SECONDS_MAX)


async def test_pages_are_what_subscribe_prints_each_record_once(loop: Loop) -> None:
    await loop.offer("page-a")
    await loop.offer("page-b")

    pulled, printed = await loop.pages(), await loop.subscribed()

    assert sorted(pulled, key=place_of) == sorted(printed, key=place_of)
    assert len({place_of(one) for one in pulled}) == len(pulled) >= 2


async def test_a_reply_is_accepted_with_the_state_that_it_led_to(loop: Loop) -> None:
    handover = await loop.offer("accepted")

    answer = await loop.reply(handover, status="accepted")
    now = (await loop.http.get(f"/handovers/{handover}")).json()

    assert (answer.status_code, answer.json()["outcome"], answer.json()["state"]) == (200, "accepted", "accepted")
    assert now["handover"]["state"] == "accepted"
    assert [one["event"]["type"] for one in now["events"]] == ["offered", "reply_accepted"]
    assert now["events"][1]["event"]["causation_id"] == answer.json()["event_id"]


async def test_a_reply_that_does_not_fit_is_a_conflict_and_changes_nothing(loop: Loop) -> None:
    handover = await loop.offer("refused")

    answer = await loop.reply(handover, status="fulfilled")
    now = (await loop.http.get(f"/handovers/{handover}")).json()

    assert (answer.status_code, answer.json()["refused"]["code"]) == (409, "not_in_this_state")
    assert (answer.json()["state"], now["handover"]["state"]) == ("offered", "offered")


async def test_while_no_worker_runs_a_reply_is_taken_and_its_answer_asked_for_later(loop: Loop) -> None:
    handover = await loop.offer("later")
    await asyncio.to_thread(loop.service.stop_workers)
    taken = await loop.reply(handover, status="accepted")
    place, event_id = taken.headers["location"], taken.json()["event_id"]
    waiting = await loop.http.get(place)
    await asyncio.to_thread(loop.service.start_workers, 1)
    await loop.told(lambda event: bool(event["causation_id"] == event_id))
    answered = await loop.http.get(place)

    assert (taken.status_code, waiting.status_code, answered.status_code) == (202, 202, 200)
    assert (answered.json()["outcome"], answered.json()["state"]) == ("accepted", "accepted")


async def test_a_stream_goes_on_after_a_restart_of_the_gateway_with_nothing_lost_or_twice(loop: Loop) -> None:
    await loop.offer("stream-a")
    there = len(await loop.pages())
    before: list[tuple[str, Record]] = []
    stopping: asyncio.Task[None] | None = None
    async with aclosing(loop.stream()) as records:
        async for one in records:
            before.append(one)
            if len(before) == there:
                # From here on the stream waits; it ends because the gateway does, which then ends in order.
                stopping = asyncio.create_task(asyncio.to_thread(loop.gateway.stop))
    assert stopping is not None
    await stopping
    assert "graceful shutdown exceeded" not in loop.gateway.log.read_text()
    await asyncio.to_thread(loop.gateway.start)
    handover = await loop.offer("stream-b")
    after: list[Record] = []
    async with asyncio.timeout(_SECONDS_MAX), aclosing(loop.stream(before[-1][0])) as records:
        async for _, record in records:
            after.append(record)
            if record["event"]["subject"] == handover:
                break

    seen = [place_of(record) for _, record in before] + [place_of(record) for record in after]
    assert sorted(seen) == sorted(place_of(record) for record in await loop.pages())
    assert after


async def test_a_deleted_read_model_is_projected_again_and_old_cursors_hold(loop: Loop) -> None:
    await loop.offer("rebuilt")
    first = (await loop.http.get("/handovers", params={"limit": 1})).json()
    before = await loop.pages(first["next"])
    await asyncio.to_thread(loop.gateway.stop)
    for file in loop.service.settings.data_folder.glob("read-model.sqlite*"):
        file.unlink()
    await asyncio.to_thread(loop.gateway.start)

    assert await loop.pages(first["next"]) == before
    assert len(before) > 1


def place_of(record: Record) -> tuple[int, int]:
    return record["partition"], record["offset"]


async def test_the_readmes_example_accepts_what_is_offered_and_goes_on_from_its_cursor(
    loop: Loop, tmp_path: Path
) -> None:
    handover = await loop.offer("readme")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = [
        one for one in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if 'doors.get("/handovers"' in one
    ]
    example = example.replace(":8460", f":{loop.gateway.port}")
    environment = {"TOKEN": loop.http.headers["authorization"].removeprefix("Bearer ")}

    def run() -> str:
        command = [sys.executable, "-c", example]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    first, second = await asyncio.to_thread(run), await asyncio.to_thread(run)
    now = (await loop.http.get(f"/handovers/{handover}")).json()

    assert f"offered {handover} offered" in first
    assert f"reply_accepted {handover} accepted" in first
    assert now["handover"]["state"] == "accepted"
    assert second == ""
