"""The promises of every connector and door, one suite for all: accepted, refused, repeated, and a receipt for each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.unit.gateway.builders import Crashed, Gateway
from tests.unit.ways_in.every_way import WAYS
from tests.unit.ways_in.way_in import NotNow, WayIn

pytestmark = pytest.mark.long
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def said(gateway: Gateway, way: WayIn) -> int:
    """Returns how many different events a way's topic has."""
    return len({event["event_id"] for event in gateway.published(way.topic)})


def events(gateway: Gateway) -> Counter[tuple[str, bytes | None, bytes]]:
    """Returns all that was published but for receipts, which one way brings as records."""
    published = (record for record in gateway.publisher.records if not record.topic.startswith("receipts."))
    return Counter((record.topic, record.key, record.value) for record in published)


@every_way
async def test_accepted_means_that_the_broker_has_it(gateway: Gateway, tmp_path: Path, way: WayIn) -> None:
    receipt = await way.opened(gateway, tmp_path)(way.good)

    assert receipt.is_taken
    assert len(gateway.published(way.topic)) == said(gateway, way) == way.events


@every_way
async def test_while_the_broker_is_away_nothing_is_accepted_and_the_same_is_taken_once_later(
    gateway: Gateway, tmp_path: Path, way: WayIn
) -> None:
    send = way.opened(gateway, tmp_path)
    gateway.publisher.reachable = False
    with pytest.raises(NotNow):
        await send(way.good)
    gateway.publisher.reachable = True

    receipt = await send(way.good)

    assert receipt.is_taken
    assert len(gateway.published(way.topic)) == said(gateway, way) == way.events


@every_way
async def test_refused_means_that_nothing_is_published(gateway: Gateway, tmp_path: Path, way: WayIn) -> None:
    receipt = await way.opened(gateway, tmp_path)(way.bad)

    assert not receipt.is_taken
    assert not events(gateway)


@every_way
async def test_repeated_means_once_and_the_original_receipt(gateway: Gateway, tmp_path: Path, way: WayIn) -> None:
    send = way.opened(gateway, tmp_path)
    first = await send(way.good)

    again = [await send(way.good) for _ in range(2)]

    assert again == [first, first]
    assert len(gateway.published(way.topic)) == way.events


@every_way
async def test_what_was_refused_is_refused_again_with_the_same_receipt(
    gateway: Gateway, tmp_path: Path, way: WayIn
) -> None:
    send = way.opened(gateway, tmp_path)

    assert await send(way.bad) == await send(way.bad)


@every_way
async def test_cut_off_between_confirmation_and_receipt_the_same_again_says_the_same_bytes(
    gateway: Gateway, tmp_path: Path, way: WayIn
) -> None:
    send = way.opened(gateway, tmp_path)
    gateway.crashes()
    with pytest.raises((Crashed, NotNow)):
        await send(way.good)
    before = events(gateway)

    receipt = await send(way.good)

    assert receipt.is_taken
    assert events(gateway).keys() == before.keys()
    assert said(gateway, way) == way.events


@every_way
@pytest.mark.parametrize("is_good", [True, False], ids=["taken", "refused"])
async def test_a_receipt_is_in_the_senders_own_format(
    gateway: Gateway, tmp_path: Path, way: WayIn, is_good: bool
) -> None:
    receipt = await way.opened(gateway, tmp_path)(way.good if is_good else way.bad)

    assert way.is_own(receipt.content)


@every_way
async def test_no_receipt_of_what_is_refused_repeats_the_number_of_a_person(
    gateway: Gateway, tmp_path: Path, way: WayIn
) -> None:
    receipt = await way.opened(gateway, tmp_path)(way.bad)

    assert not any(number in receipt.content for number in (b"3913479989", b"3113109999", b"0105109996"))
