"""From where a topic is followed for an endpoint that wants only what is new."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from connectors.kafka.connection import KafkaConnection
from connectors.vault.pairwise import EARLIER_MAX_MS
from connectors.webhooks.endpoints import Registration
from connectors.webhooks.following import Follower
from schemas.instants import milliseconds_of
from tests.unit.webhooks.lane_builders import PROGRAMME, START, URL, World

PLACE = TopicPartition("brobygger.handovers.headspace.v1", 0)


class Topic:
    """A partition's records by the times that they are dated, asked as aiokafka's consumer is."""

    def __init__(self, *dated: int) -> None:
        self.dated = dated

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, len(self.dated))

    async def offsets_for_times(
        self, wanted: dict[TopicPartition, int]
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        first = {
            place: next(((n, at) for n, at in enumerate(self.dated) if at >= time), None)
            for place, time in wanted.items()
        }
        return {place: None if found is None else OffsetAndTimestamp(*found) for place, found in first.items()}


@pytest.mark.parametrize(("only_new", "expected"), [(True, 1), (False, 0)])
async def test_a_record_written_since_is_delivered_although_it_is_dated_earlier(
    tmp_path: Path, only_new: bool, expected: int
) -> None:
    world = World(tmp_path)
    world.endpoints.remove(PROGRAMME, START, gives_up=False)
    world.endpoints.put(Registration(PROGRAMME, URL, since=START if only_new else None), START)
    endpoint = world.endpoints.found(PROGRAMME, START)
    assert endpoint is not None
    long_ago, just_now = START - timedelta(hours=1), START + timedelta(seconds=1)
    topic = Topic(milliseconds_of(long_ago), milliseconds_of(just_now) - EARLIER_MAX_MS)

    starts = await Follower(KafkaConnection(bootstrap="unused:9092"), world.bench, lambda _: None)._starts(
        topic, endpoint, [PLACE]
    )

    assert starts == {PLACE: expected}
