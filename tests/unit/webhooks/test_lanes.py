"""One programme's deliveries: order, retries, pause, resume and cut-off, by a clock that is set by hand."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from connectors.local_times import utc_now
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.endpoints import FORMER_SECRET_SIGNS, Endpoints, Registration
from connectors.webhooks.lanes import Lane
from connectors.webhooks.sending import Delivered, Failed, Gone
from connectors.webhooks.signing import SecretBox
from connectors.webhooks.tables import webhooks_database_of
from schemas.codes import ReplyStatus
from schemas.identifiers import derived_id
from schemas.refusals import RefusedError
from tests.unit.webhooks.lane_builders import PROGRAMME, START, URL, World, a_record

pytestmark = pytest.mark.long

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_records_of_one_handover_arrive_in_order_one_after_the_other(world: World) -> None:
    world.comes(*(a_record("a", number) for number in range(5)))
    await world.turns()
    assert world.receiver.got == ["a0"]

    await world.turns(4)

    assert world.receiver.got == ["a0", "a1", "a2", "a3", "a4"]
    assert world.waiting_count() == 0


async def test_a_stuck_handover_holds_itself_up_and_no_other(world: World) -> None:
    world.receiver.answer = lambda body: Failed("http_500") if body == "a0" else Delivered()
    world.comes(*(a_record(handover, number) for number in range(3) for handover in "abc"))

    await world.turns(5)

    assert world.receiver.got.count("a0") == 1
    assert [body for body in world.receiver.got if body[0] != "a"] == ["b0", "c0", "b1", "c1", "b2", "c2"]
    assert world.waiting_count() == 3


async def test_an_attempt_that_lasts_holds_no_other_handover_up_within_the_limit(world: World) -> None:
    world.receiver.gates = {"a0": asyncio.Event()}
    world.comes(a_record("a", 0), a_record("a", 1), a_record("b", 0))
    await world.lane.turn()
    await world.receiver.has_got(2)
    world.comes(a_record("c", 0))
    await world.lane.turn()
    await world.receiver.has_got(3)

    assert "a1" not in world.receiver.got
    world.receiver.gates["a0"].set()
    await world.turns(2)
    assert world.receiver.got == ["a0", "b0", "c0", "a1"]


async def test_no_more_attempts_than_the_limit_are_under_way_at_once(world: World) -> None:
    world.receiver.gates = {f"{handover}0": asyncio.Event() for handover in "abcdefg"}
    world.comes(*(a_record(handover, 0) for handover in "abcdefg"))

    await world.lane.turn()
    await world.lane.turn()
    await world.receiver.has_got(4)
    await world.lane.turn()

    assert world.receiver.got == ["a0", "b0", "c0", "d0"]
    for gate in world.receiver.gates.values():
        gate.set()
    await world.lane.finish()


async def test_a_failed_attempt_is_made_again_when_its_delay_is_over_and_not_before(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_503")
    world.comes(a_record("a", 0))
    await world.turns(3)
    delay = RetryRules().delay_after(a_record("a", 0).event_id, 1)

    await world.passes(delay - timedelta(milliseconds=2), turns=2)
    assert len(world.receiver.got) == 1
    await world.passes(timedelta(milliseconds=2), turns=2)

    assert len(world.receiver.got) == 2


async def test_a_restart_changes_neither_the_count_of_attempts_nor_the_time_of_the_next(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_503")
    world.comes(a_record("a", 0))
    for attempts in range(1, 6):
        await world.turns()
        world.restart()
        await world.turns()
        assert len(world.receiver.got) == attempts
        world.now += RetryRules().delay_after(a_record("a", 0).event_id, attempts)

    assert world.waiting.due(PROGRAMME, world.now, (), 1)[0].attempts == 5


async def test_a_receiver_that_asks_for_time_gets_it(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_429", timedelta(minutes=30))
    world.comes(a_record("a", 0))
    await world.turns()
    await world.passes(timedelta(minutes=29))
    assert len(world.receiver.got) == 1

    await world.passes(timedelta(minutes=1))

    assert len(world.receiver.got) == 2


@pytest.mark.long
async def test_down_for_a_day_it_gets_everything_once_in_order_when_it_is_back(world: World) -> None:
    world.receiver.answer = lambda _: Failed("unreachable")
    for hour in range(24):
        world.comes(*(a_record(handover, hour) for handover in "abc"))
        await world.passes(HOUR, turns=2)
    world.receiver.got.clear()
    world.receiver.answer = lambda _: Delivered()

    await world.passes(HOUR, turns=80)

    assert sorted(world.receiver.got) == sorted(f"{handover}{hour}" for handover in "abc" for hour in range(24))
    for handover in "abc":
        assert [body for body in world.receiver.got if body[0] == handover] == [f"{handover}{n}" for n in range(24)]
    assert await world.escalate() == []


@pytest.mark.long
async def test_the_first_delivery_after_no_connection_brings_all_others_at_once(world: World) -> None:
    world.receiver.answer = lambda _: Failed("unreachable")
    world.comes(*(a_record(handover, 0) for handover in "abcdefgh"))
    for _ in range(12):
        await world.passes(HOUR, turns=3)
    await world.passes(timedelta(milliseconds=1), turns=3)
    world.receiver.got.clear()
    world.receiver.answer = lambda _: Delivered()
    world.comes(a_record("new", 0))

    await world.turns(4)

    assert set(world.receiver.got) == {"new0", *(f"{handover}0" for handover in "abcdefgh")}


async def test_what_the_receiver_itself_refuses_keeps_its_delay_when_another_is_delivered(world: World) -> None:
    world.receiver.answer = lambda body: Failed("http_500") if body == "a0" else Delivered()
    world.comes(a_record("a", 0), a_record("b", 0))
    await world.turns(2)
    world.comes(a_record("b", 1))

    await world.turns(3)

    assert world.receiver.got.count("a0") == 1


@pytest.mark.long
async def test_after_three_days_a_record_is_given_up_its_handover_escalated_and_the_next_one_tried(
    world: World,
) -> None:
    world.receiver.answer = lambda body: Failed("http_500") if body == "a0" else Delivered()
    world.comes(a_record("a", 0), a_record("a", 1))
    await world.turns()
    while world.now < START + 3 * DAY:
        assert await world.escalate() == []
        await world.passes(HOUR)
    await world.turns(2)

    [reply] = await world.escalate()

    assert world.receiver.got[-1] == "a1"
    assert world.waiting_count() == 0
    assert (reply.status, reply.source, reply.programme) == (ReplyStatus.UNDELIVERABLE, "brobygger", PROGRAMME)
    assert (reply.subject, reply.youth_id) == ("a", a_record("a", 0).youth_id)
    assert reply.event_id == derived_id("undeliverable", a_record("a", 0).event_id)
    assert reply.reason_code == "http_500"
    assert await world.escalate() == [reply]


async def test_so_many_attempts_give_a_record_up_too(tmp_path: Path) -> None:
    world = World(tmp_path, RetryRules(attempts_max=3))
    world.receiver.answer = lambda _: Failed("timed_out")
    world.comes(a_record("a", 0))

    for _ in range(6):
        await world.passes(HOUR)

    assert len(world.receiver.got) == 3
    assert len(await world.escalate()) == 1


async def test_killed_between_the_reply_and_its_note_the_same_reply_is_published_again(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_500")
    world.comes(a_record("a", 0))
    world.now += 4 * DAY
    await world.turns()
    world.replies.fails = True
    with pytest.raises(ConnectionError):
        await world.escalate()
    world.replies.fails = False
    world.now += HOUR

    first, second = await world.escalate()

    assert first == second


async def test_gone_pauses_the_endpoint_and_resume_sends_what_waits(world: World) -> None:
    world.receiver.answer = lambda _: Gone()
    world.comes(a_record("a", 0), a_record("b", 0))
    await world.turns()
    await world.passes(2 * HOUR, turns=3)
    attempts = len(world.receiver.got)
    [endpoint] = world.endpoints.listed(world.now)
    assert (endpoint.state, endpoint.reason) == ("paused", "http_410")
    assert attempts == 2
    world.receiver.answer = lambda _: Delivered()

    world.endpoints.resume(PROGRAMME, world.now)
    await world.turns()

    assert world.receiver.got[attempts:] == ["a0", "b0"]
    assert world.endpoints.listed(world.now)[0].state == "active"


async def test_gone_from_a_url_that_was_changed_meanwhile_pauses_nothing(world: World) -> None:
    world.receiver.answer = lambda _: Gone()
    world.receiver.gates = {"a0": asyncio.Event()}
    world.comes(a_record("a", 0))
    await world.lane.turn()
    await world.receiver.has_got(1)
    world.endpoints.put(Registration(PROGRAMME, f"{URL}new"), world.now)

    world.receiver.gates["a0"].set()
    await world.lane.finish()

    assert world.endpoints.listed(world.now)[0].state == "active"


async def test_while_paused_nothing_is_sent_and_what_waits_for_three_days_is_escalated(world: World) -> None:
    world.endpoints.pause(PROGRAMME, world.now)
    world.comes(a_record("a", 0))
    await world.passes(2 * DAY)
    world.comes(a_record("b", 0))
    assert await world.escalate() == []

    await world.passes(DAY)

    assert [(reply.subject, reply.reason_code) for reply in await world.escalate()] == [("a", "paused")]
    assert world.receiver.got == []
    assert world.waiting_count() == 1


async def test_an_endpoint_is_removed_when_nothing_waits_or_what_waits_is_given_up(world: World) -> None:
    world.comes(a_record("a", 0))
    with pytest.raises(RefusedError, match="records_waiting"):
        world.endpoints.remove(PROGRAMME, world.now, gives_up=False)

    assert world.endpoints.remove(PROGRAMME, world.now, gives_up=True) == 1

    await world.turns()
    assert world.receiver.got == []
    assert [reply.reason_code for reply in await world.escalate()] == ["removed"]
    assert world.endpoints.listed(world.now) == ()
    assert world.waiting.positions(PROGRAMME) == {}
    with pytest.raises(RefusedError, match="no_endpoint"):
        world.endpoints.remove(PROGRAMME, world.now, gives_up=True)


async def test_sent_again_a_record_has_the_webhook_id_it_had(world: World) -> None:
    world.comes(a_record("a", 0), a_record("a", 1), a_record("b", 0))
    await world.turns(2)
    world.now += DAY

    assert world.endpoints.send_again(PROGRAMME, world.now, None, "a") == 2
    await world.turns(2)

    assert world.receiver.got[3:] == ["a0", "a1"]
    assert world.receiver.messages[0].headers["webhook-id"] == world.receiver.messages[3].headers["webhook-id"]
    assert world.endpoints.send_again(PROGRAMME, world.now, world.now + HOUR, None) == 0


async def test_sent_again_and_given_up_again_it_is_escalated_by_another_reply(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_500")
    world.comes(a_record("a", 0))
    await world.passes(4 * DAY)
    await world.escalate()

    world.endpoints.send_again(PROGRAMME, world.now, None, None)
    await world.turns()
    await world.passes(4 * DAY)

    first, second = await world.escalate()
    assert first.event_id != second.event_id


def test_a_record_that_comes_twice_is_taken_once_and_its_offset_with_it(world: World) -> None:
    world.comes(a_record("a", 0), a_record("b", 0), a_record("a", 0))
    world.comes(a_record("b", 0))

    assert world.waiting_count() == 2
    assert world.waiting.positions(PROGRAMME) == {0: 4}


async def test_what_ended_is_forgotten_after_its_time_and_what_waits_is_not(world: World) -> None:
    world.receiver.answer = lambda body: Delivered() if body == "a0" else Failed("http_500")
    world.comes(a_record("a", 0), a_record("b", 0))
    await world.turns()

    assert world.waiting.forget_before(world.now) == 0
    assert world.waiting.forget_before(world.now + DAY) == 1
    assert world.waiting_count() == 1


async def test_the_signature_is_verified_by_the_librarys_own_receiver(world: World) -> None:
    world.now = utc_now()
    world.comes(a_record("a", 0))
    await world.turns()
    [message] = world.receiver.messages

    assert world.secret is not None
    Webhook(world.secret).verify(message.body, dict(message.headers), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(world.secret).verify(message.body + b" ", dict(message.headers), json_parse=False)


async def test_a_new_secret_signs_beside_the_former_one_for_a_day(world: World) -> None:
    renewed = Registration(PROGRAMME, URL, renews_secret=True)
    assert world.endpoints.put(Registration(PROGRAMME, URL), world.now) is None
    new = world.endpoints.put(renewed, world.now)

    def secrets() -> tuple[str, ...]:
        endpoint = world.endpoints.found(PROGRAMME, world.now)
        assert endpoint is not None
        return world.endpoints.keys_of(endpoint)

    assert secrets() == (new, world.secret)
    world.now += FORMER_SECRET_SIGNS
    assert secrets() == (new,)


async def test_a_secret_that_cannot_be_opened_fails_its_own_deliveries_and_ends_nothing(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "keys" / "webhooks.key").unlink()
    database = webhooks_database_of(tmp_path)
    bench = replace(world.bench, endpoints=Endpoints(database, SecretBox(tmp_path / "keys")))
    world.comes(a_record("a", 0))
    world.lane = Lane(PROGRAMME, bench, world.receiver)

    await world.turns(2)

    assert world.receiver.got == []
    world.now += HOUR
    assert [one.outcome for one in world.waiting.due(PROGRAMME, world.now, (), 1)] == ["secret_unreadable"]


def test_no_secret_stands_in_the_database_as_it_is(world: World, tmp_path: Path) -> None:
    assert world.secret is not None
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("webhooks.sqlite*"))

    assert URL.encode() in stored
    assert world.secret.encode() not in stored
    assert base64.b64decode(world.secret.removeprefix("whsec_")) not in stored


async def test_metrics_say_what_was_delivered_what_failed_and_what_waits_for_how_long(world: World) -> None:
    world.receiver.answer = lambda body: Delivered() if body == "a0" else Failed("redirected")
    world.comes(a_record("a", 0), a_record("b", 0))
    await world.passes(timedelta(seconds=90))
    world.metrics.backlogs_observed(world.waiting.backlogs(), {PROGRAMME: True, "other": False}, world.now)

    def value(name: str, **labels: str) -> float | None:
        return world.metrics.registry.get_sample_value(f"brobygger_webhook_{name}", {"programme": PROGRAMME} | labels)

    assert value("attempts_total", outcome="delivered") == 1
    assert value("attempts_total", outcome="redirected") == 1
    assert value("waiting_records") == value("failing_records") == value("active") == 1
    assert value("oldest_age_seconds") == 90
    assert value("waiting_records", programme="other") == value("active", programme="other") == 0
