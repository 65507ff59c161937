"""One contract over every way in which a programme receives and answers: the same tests, the same outcomes.

All of it runs on a broker with users and rules: the programme that uses Kafka comes with its own password.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.all_ways import Programme
from tests.integration.closed_loop import ClosedLoop, closed_loop_of
from tests.integration.secured import a_secured_broker, a_secured_service
from tests.integration.way_contract import PROGRAMME, SITE, Answered, Way, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WAYS = (
    "kafka",
    "pull",
    "stream",
    "webhook",
    pytest.param("page", marks=pytest.mark.browser),
)
DECLINED = {"side": "programme", "reason_code": "no_capacity"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def programme(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> AsyncIterator[Programme]:
    """Runs the service on a secured broker; what a young person is told of is offered at once."""
    with a_secured_broker(cache_dir, tmp_path_factory.mktemp("data")) as secured:
        async with a_secured_service(secured, settle_seconds=0) as running, AsyncExitStack() as stack:
            loop = closed_loop_of(running)
            stack.push_async_callback(loop.hospital.aclose)
            yield Programme(loop, stack)


@pytest_asyncio.fixture(loop_scope="module", params=WAYS)
async def way(programme: Programme, request: pytest.FixtureRequest) -> Way:
    """Returns each way in turn."""
    return await programme.way(request.param)


def accepted(state: str) -> Answered:
    return Answered(accepted=True, reason=None, state=state)


def refused(reason: str, state: str) -> Answered:
    return Answered(accepted=False, reason=reason, state=state)


async def test_an_offer_comes_once_with_what_it_must_have_and_nothing_personal(programme: Programme, way: Way) -> None:
    youth, handover = await programme.offer()
    await way.told(handover, 1)
    offer = await way.offer(handover)
    await way.answer(handover, "accepted")

    assert await way.told(handover, 2) == ["offered", "reply_accepted"]
    assert (offer.need_kind, offer.trigger, offer.identity) == ("aftercare", "discharge", "named")
    assert (offer.municipality, offer.site) == (youth.person.municipality, SITE)
    assert offer.age_band == "18-21"
    assert offer.reply_by > datetime.now(UTC)
    assert [found for found in youth.personal() if found in way.text] == []


Journey = tuple[tuple[str, Callable[[], dict[str, str]], str], ...]


def _says(**fields: str) -> Callable[[], dict[str, str]]:
    return lambda: fields


def _in_a_fortnight() -> dict[str, str]:
    return {"waitlisted_until": (datetime.now(UTC) + timedelta(days=14)).date().isoformat()}


JOURNEYS: dict[str, tuple[Journey, tuple[str, str | None]]] = {
    "fulfilled": (
        (
            ("waitlisted", _in_a_fortnight, "waitlisted"),
            ("accepted", _says(), "accepted"),
            ("no_show", _says(), "accepted"),
            ("first_contact", _says(), "in_contact"),
            ("fulfilled", _says(), "fulfilled"),
        ),
        ("closed", "fulfilled"),
    ),
    "ended": (
        (
            ("accepted", _says(), "accepted"),
            ("ended", _says(side="programme", reason_code="agreed_end"), "ended"),
        ),
        ("closed", "ended"),
    ),
    "declined": ((("declined", _says(**DECLINED), "declined"),), ("with_person", "no_answer")),
}


@pytest.mark.parametrize("journey", JOURNEYS)
async def test_every_answer_reaches_the_pathway(programme: Programme, way: Way, journey: str) -> None:
    steps, end = JOURNEYS[journey]
    _, handover = await programme.offer()
    await way.told(handover, 1)
    seen: list[Any] = []
    for status, fields, _ in steps:
        answered = await way.answer(handover, status, **fields())
        seen.append((answered, (await programme.loop.state_of(handover))[0]["state"]))
    _, need = await programme.loop.state_of(handover)

    assert seen == [(accepted(state), state) for _, _, state in steps]
    assert (need["state"], need["reason_code"]) == end
    assert await way.told(handover, 1 + len(steps)) == ["offered"] + ["reply_accepted"] * len(steps)


async def test_an_answer_that_does_not_fit_is_refused_with_reason_and_state_and_changes_nothing(
    programme: Programme, way: Way
) -> None:
    _, handover = await programme.offer()
    await way.told(handover, 1)
    await way.answer(handover, "accepted")
    before = await programme.loop.state_of(handover)

    answered = await way.answer(handover, "waitlisted", **_in_a_fortnight())

    assert answered == refused("not_in_this_state", "accepted")
    assert await programme.loop.state_of(handover) == before
    assert await way.told(handover, 3) == ["offered", "reply_accepted", "reply_refused"]


async def test_the_same_answer_twice_counts_once(programme: Programme, way: Way) -> None:
    _, handover = await programme.offer()
    await way.told(handover, 1)
    first = await way.answer(handover, "accepted", key=f"accept {handover}")

    again = await way.answer(handover, "accepted", key=f"accept {handover}")
    await way.answer(handover, "first_contact")

    assert first == again == accepted("accepted")
    assert await way.told(handover, 3) == ["offered", "reply_accepted", "reply_accepted"]


async def test_an_answer_to_what_was_withdrawn_a_moment_ago_is_refused(programme: Programme, way: Way) -> None:
    youth, handover = await programme.offer()
    await way.told(handover, 1)
    await programme.loop.take_back_consent(youth)

    answered = await way.answer(handover, "accepted")

    assert answered == refused("handover_withdrawn", "withdrawn")
    assert (await programme.loop.state_of(handover))[0]["state"] == "withdrawn"
    assert await way.told(handover, 3) == ["offered", "withdrawn", "reply_refused"]


async def test_without_free_places_the_next_is_not_offered_until_there_are_some_again(
    programme: Programme, way: Way
) -> None:
    loop = programme.loop
    await _tell_free_places(loop, way, 0)
    [passed_over] = await loop.tell(1)
    await _tell_free_places(loop, way, 3)
    [offered] = await loop.tell(1)
    views = await loop.pathways()

    assert [one["programme"] for one in views[passed_over.youth_id]["handovers"]] == []
    assert [one["state"] for one in views[passed_over.youth_id]["needs"]] == ["with_person"]
    assert [one["programme"] for one in views[offered.youth_id]["handovers"]] == [PROGRAMME]


async def _tell_free_places(loop: ClosedLoop, way: Way, places: int) -> None:
    before = await loop.free_places_told()
    await way.tell_free_places(places)

    async def taken() -> bool | None:
        return await loop.free_places_told() == [*before, places] or None

    await until(taken)
    await loop.running.service.wait_until_folded()


async def test_who_was_away_for_a_day_gets_everything_once_and_in_order(programme: Programme, way: Way) -> None:
    loop = programme.loop
    await loop.wait_until_morning()
    [(_, seen_before)] = await loop.offered(1, PROGRAMME)
    await way.told(seen_before, 1)
    async with way.away():
        (gone, withdrawn), (_, stays) = await loop.offered(2, PROGRAMME)
        last = await loop.reply_by(stays)
        await loop.running.service.step_to(last - timedelta(minutes=1))
        await loop.take_back_consent(gone)

    # What comes last is an answer: nothing of what was before can come behind it.
    await way.told(stays, 2)
    assert await way.answer(stays, "accepted") == accepted("accepted")
    assert await way.told(stays, 3) == ["offered", "reminded", "reply_accepted"]
    assert await way.told(withdrawn, 3) == ["offered", "reminded", "withdrawn"]
    assert await way.told(seen_before, 2) == ["offered", "reminded"]
