"""The deliverer on a real broker with real receivers: all of it, once, in order, and no one's trouble is another's."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.webhooks.deliverer import open_endpoints
from connectors.webhooks.lock import AlreadyRunningError
from schemas.codec import codec
from schemas.codes import ReplyStatus
from schemas.events import Reply
from schemas.identifiers import derived_id
from schemas.topics import kafka_name
from streams.cli.up import free_port
from streams.supervision import Child, stop_all, wait_until_ready
from tests.integration.command_line import document_of, lines_of, run
from tests.integration.service import committed_records
from tests.integration.webhook_service import (
    PARTITIONS,
    Delivering,
    VerifyingReceiver,
    a_handover_event,
    events_of,
    make_topics,
    public_json,
    publish,
    settings_in,
    until,
)
from tests.unit.webhooks.receivers import a_receiver, answering, dripping, never_answering

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HANDOVERS = [f"handover-{number}" for number in range(6)]


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the topic of replies there."""
    make_topics(empty_broker.connection, "replies")
    return empty_broker.connection


@pytest.fixture
def delivering(tmp_path: Path, connection: KafkaConnection) -> Delivering:
    return Delivering(settings_in(tmp_path, connection))


async def test_every_committed_record_arrives_once_verified_in_order_and_as_subscribe_prints_it(
    delivering: Delivering, connection: KafkaConnection
) -> None:
    make_topics(connection, "handovers.first")
    events = events_of("first", HANDOVERS, 5)
    await publish(connection, events[:10])
    await publish(connection, [a_handover_event("first", "aborted", 0)], commits=False)
    receiver = VerifyingReceiver()
    async with a_receiver(receiver.handle) as port:
        receiver.secret = delivering.registered("first", port)
        async with delivering.running():
            await until(lambda: len(receiver.got) >= 10)
        async with delivering.running():
            await publish(connection, events[10:])
            await until(lambda: len(receiver.got) >= len(events) and not delivering.waiting("first"))

    assert receiver.refused == 0
    assert sorted(receiver.ids) == sorted(str(event.event_id) for event in events)
    for handover in HANDOVERS:
        assert receiver.numbers(handover) == [0, 1, 2, 3, 4]
    by_id = {one["event_id"]: one for one in receiver.got}
    assert [by_id[str(event.event_id)] for event in events] == [public_json(event) for event in events]


async def test_down_for_a_day_it_gets_everything_once_in_order_when_it_is_back(
    delivering: Delivering, connection: KafkaConnection
) -> None:
    make_topics(connection, "handovers.down")
    back_at, port = delivering.now, free_port()
    delivering.now = back_at - timedelta(days=1)
    events = events_of("down", HANDOVERS, 4)
    receiver = VerifyingReceiver(delivering.registered("down", port))
    for hour in range(0, 24, 6):
        async with delivering.running():  # started anew four times on the way
            published = hour + 6
            await publish(connection, events[hour:published])
            await until_waiting(delivering, "down", published)
            for _ in range(6):
                await until(lambda: delivering.nothing_is_due("down"))
                delivering.now += timedelta(hours=1)
    assert delivering.now == back_at

    async with a_receiver(receiver.handle, port=port), delivering.running():
        await until(lambda: delivering.nothing_is_due("down"))
        delivering.now = datetime.now(UTC)
        await until(lambda: not delivering.waiting("down"))

    assert sorted(receiver.ids) == sorted(str(event.event_id) for event in events)
    assert [receiver.numbers(handover) for handover in HANDOVERS] == [[0, 1, 2, 3]] * len(HANDOVERS)


async def test_killed_between_the_receivers_200_and_its_note_it_repeats_that_id_and_loses_nothing(
    tmp_path: Path, connection: KafkaConnection, *, soak: bool
) -> None:
    make_topics(connection, "handovers.killed")
    delivering = Delivering(settings_in(tmp_path, connection))
    events = events_of("killed", HANDOVERS[:2], 6)
    await publish(connection, events)
    crash_file, kills = tmp_path / "crash", 3 if soak else 1
    receiver = VerifyingReceiver()
    command = [sys.executable, "-m", "tests.integration.deliverer_process", delivering.settings.model_dump_json()]
    async with a_receiver(receiver.handle) as port:
        receiver.secret = delivering.registered("killed", port)
        for _ in range(kills):
            crash_file.touch()
            ended = await asyncio.to_thread(subprocess.run, [*command, str(free_port()), str(crash_file)], cwd=ROOT)
            assert ended.returncode == -signal.SIGKILL
        delivering.now = datetime.now(UTC)
        async with delivering.running():
            await until(lambda: len(set(receiver.ids)) == len(events) and not delivering.waiting("killed"))

    assert set(receiver.ids) == {str(event.event_id) for event in events}
    assert len(events) + 1 <= len(receiver.ids) <= len(events) + kills * len(HANDOVERS[:2])
    for handover in HANDOVERS[:2]:
        numbers = receiver.numbers(handover)
        assert sorted(set(numbers)) == list(range(6))
        assert numbers == sorted(numbers), "a repeat comes before what follows it"


async def test_garbage_slow_redirecting_and_silent_receivers_harm_nobody_else(
    tmp_path: Path, connection: KafkaConnection
) -> None:
    # What ends the test too: attempts that are under way are finished.
    little_time = {"attempt_time_max": timedelta(seconds=5)}
    delivering = Delivering(settings_in(tmp_path, connection).model_copy(update=little_time))
    reached: list[bytes] = []

    async def inside(request: bytes, writer: asyncio.StreamWriter) -> None:
        reached.append(request)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async with AsyncExitStack() as stack:
        secret_place = await stack.enter_async_context(a_receiver(inside))
        redirect = f"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:{secret_place}/\r\n\r\n".encode()
        harmful = {
            "garbage": answering(b"\x00\x01 nonsense \xff\r\n\r\n"),
            "silent": never_answering,
            "slow": dripping,
            "redirecting": answering(redirect),
        }
        good = VerifyingReceiver()
        make_topics(connection, "handovers.good", *(f"handovers.{name}" for name in harmful))
        for name, handler in harmful.items():
            delivering.registered(name, await stack.enter_async_context(a_receiver(handler)))
        good.secret = delivering.registered("good", await stack.enter_async_context(a_receiver(good.handle)))
        await publish(connection, [event for name in harmful for event in events_of(name, HANDOVERS, 3)])
        async with delivering.running():
            await until(lambda: all(delivering.waiting(name) == 18 for name in harmful))
            events = events_of("good", [*HANDOVERS, *(f"more-{number}" for number in range(20))], 5)
            await publish(connection, events)
            await until(lambda: len(good.got) == len(events))
            assert [delivering.waiting(name) for name in harmful] == [18] * len(harmful)

    assert sorted(good.ids) == sorted(str(event.event_id) for event in events)
    assert [good.numbers(handover) for handover in HANDOVERS] == [[0, 1, 2, 3, 4]] * len(HANDOVERS)
    assert reached == []


async def test_given_up_after_three_days_a_handover_is_escalated_by_one_reply_and_never_parked(
    delivering: Delivering, connection: KafkaConnection
) -> None:
    make_topics(connection, "handovers.lost")
    [event] = events_of("lost", ["handover-lost"], 1)
    await publish(connection, [event])
    delivering.registered("lost", free_port())
    async with delivering.running():
        await until(lambda: delivering.waiting("lost") == 1)
        await until(lambda: delivering.nothing_is_due("lost"))
        delivering.now += timedelta(days=3)
        given_up_at = delivering.now
        await until(lambda: not delivering.waiting("lost"))
    async with delivering.running() as deliverer:
        await until(lambda: deliverer.ready)
        replies = await replies_of(connection, "lost")
        while not replies:
            replies = await replies_of(connection, "lost")

    [(key, reply)] = replies
    assert (reply.status, reply.source, reply.reason_code) == (ReplyStatus.UNDELIVERABLE, "brobygger", "unreachable")
    assert (key, reply.youth_id, reply.subject) == (b"k001-lost-handover-lost", key.decode(), "handover-lost")
    assert reply.event_id == derived_id("undeliverable", str(event.event_id))
    assert reply.causation_id == event.event_id
    assert reply.occurred_at.replace(microsecond=0) == given_up_at.replace(microsecond=0)


async def test_an_endpoint_registered_or_removed_while_it_runs_is_followed_or_left_at_once(
    delivering: Delivering, connection: KafkaConnection
) -> None:
    make_topics(connection, "handovers.late")
    await publish(connection, events_of("late", HANDOVERS, 1))
    receiver = VerifyingReceiver()
    endpoints = open_endpoints(delivering.settings.data_folder)
    async with delivering.running() as deliverer, a_receiver(receiver.handle) as port:
        await until(lambda: deliverer.ready)
        receiver.secret = delivering.registered("late", port)
        await until(lambda: len(receiver.got) == len(HANDOVERS) and not delivering.waiting("late"))
        endpoints.pause("late", delivering.now)
        await publish(connection, [a_handover_event("late", HANDOVERS[0], 1)])
        await until(lambda: delivering.waiting("late") == 1)
        assert receiver.numbers(HANDOVERS[0]) == [0]
        endpoints.resume("late", delivering.now)
        await until(lambda: receiver.numbers(HANDOVERS[0]) == [0, 1] and not delivering.waiting("late"))
        endpoints.remove("late", delivering.now, gives_up=False)
        await publish(connection, [a_handover_event("late", HANDOVERS[0], 2)])
        delivering.registered("without-topic", port)
        receiver.secret = delivering.registered("other", port)
        make_topics(connection, "handovers.other")
        await publish(connection, [a_handover_event("other", "handover-other", 0)])
        await until(lambda: receiver.numbers("handover-other") == [0])
        assert receiver.numbers(HANDOVERS[0]) == [0, 1]


async def test_a_second_deliverer_on_the_same_data_ends_itself(delivering: Delivering) -> None:
    async with delivering.running() as first:
        await until(lambda: first.ready)
        with pytest.raises(AlreadyRunningError):
            async with delivering.running() as second:
                await second.run()


async def test_the_receiver_of_the_readme_prints_what_the_commands_bring_to_it(
    tmp_path: Path, connection: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topics(connection, "handovers.headspace")
    [example] = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "Webhook" in block]
    port, health_port = free_port(), free_port()
    variables = {
        "KAFKA_BOOTSTRAP": connection.bootstrap,
        "BROBYGGER_DATA": str(tmp_path),
        "BROBYGGER_WEBHOOKS_LOOPBACK": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    secret = document_of("webhooks", "set", "headspace", f"http://127.0.0.1:{port}/", "--json")["secret"]
    arguments = ["deliver", "--health-port", str(health_port)]
    health = f"http://127.0.0.1:{health_port}"
    child = Child("deliverer", arguments, dict(os.environ), tmp_path / "deliverer.log", f"{health}/ready")
    command = [sys.executable, "-c", example.replace("8000", str(port))]
    receiver = subprocess.Popen(  # noqa: ASYNC220 - it is this test's own
        command, env=dict(os.environ) | {"WEBHOOK_SECRET": secret}, stdout=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    try:
        child.start()
        await asyncio.to_thread(wait_until_ready, [child], timedelta(seconds=90), threading.Event())
        await publish(connection, events_of("headspace", ["handover-1"], 2))

        printed = [await asyncio.to_thread(receiver.stdout.readline) for _ in range(2)]

        assert printed == ["offered handover-1\n", "updated handover-1\n"]
        await until(lambda: lines_of("webhooks", "list", "--json")[0]["waiting"] == 0)
        assert run("webhooks", "send-again", "headspace").exit_code == 0
        await until(lambda: 'outcome="delivered",programme="headspace"} 4.0' in httpx.get(f"{health}/metrics").text)
    finally:
        await asyncio.to_thread(stop_all, [child])
        receiver.kill()
        rest = receiver.communicate()[0]
    assert rest == "", "what was sent again is known by its webhook-id"
    assert child.ended() == 0, child.last_words()


async def until_waiting(delivering: Delivering, programme: str, count: int) -> None:
    await until(lambda: delivering.waiting(programme) == count)


async def replies_of(connection: KafkaConnection, programme: str) -> list[tuple[bytes, Reply]]:
    partitions = [TopicPartition(kafka_name("replies"), number) for number in range(PARTITIONS)]
    found = []
    async for _, record in committed_records(connection, partitions):
        reply = codec(Reply).decode(record.value)
        assert isinstance(reply, Reply)
        if reply.programme == programme:
            found.append((record.key, reply))
    return found
