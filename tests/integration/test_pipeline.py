"""The whole road on a real broker: cases, two workers, a kill -9, a rebalance, an emptied group; then replayed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from connectors.kafka.embedded import EmbeddedBroker
from streams.settings import APP_ID
from tests.integration.broker_cases import CASES, DAY, HOUR, START
from tests.integration.service import Service, a_service

pytestmark = pytest.mark.integration


async def play(service: Service) -> None:
    """Plays every case, with a kill, a rebalance and an emptied group on the way."""
    steps = sorted({when for case in CASES for when, _ in case.events()})
    await service.step_to(START)
    for when in steps:
        await service.step_to(START + when)
        await service.publish(event for case in CASES for at_time, event in case.events() if at_time == when)
        await service.wait_until_folded()
        await service.step_to(START + when + timedelta(minutes=20))
    service.kill_worker(0)
    await service.step_to(START + DAY + 2 * HOUR)
    await asyncio.to_thread(service.start_workers)
    await service.step_to(START + 3 * DAY)
    await asyncio.to_thread(service.stop_workers)
    await asyncio.to_thread(forget_group, service)
    await asyncio.to_thread(service.start_workers)
    await service.step_to(START + 12 * DAY)


def forget_group(service: Service) -> None:
    """Deletes the group with its committed offsets, as a broker does after a week without members."""
    admin = KafkaAdminClient(**service.connection.for_kafka_python())
    try:
        admin.delete_groups([APP_ID])
    finally:
        admin.close()


@pytest.fixture(scope="module")
def broker_of_pipeline(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Any:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), cache_dir=cache_dir) as broker:
        yield broker


async def test_cases_through_the_broker(broker_of_pipeline: EmbeddedBroker, tmp_path: Path) -> None:
    async with a_service(tmp_path, broker_of_pipeline.bootstrap) as service:
        await asyncio.to_thread(service.start_workers)
        await play(service)
        said = await service.said()

    assert statements_by_case(said) == {case.number: list(case.expected) for case in CASES}
    assert notices_by_case(said) == {case.number: set(case.notices) for case in CASES}


def statements_by_case(said: list[tuple[str, dict[str, Any]]]) -> dict[str, list[tuple[str, str, str | None]]]:
    """Returns what programmes were told about each case, in order of the calendar."""
    causes = {str(event.event_id): case.number for case in CASES for _, event in case.events()}
    statements = [one for topic, one in said if topic != "notices"]
    statements.sort(key=lambda one: (one["occurred_at"], one["statement"] == "offered"))
    told: dict[str, list[tuple[str, str, str | None]]] = {case.number: [] for case in CASES}
    for one in statements:
        told[causes[one["causation_id"]]].append((one["statement"], one["programme"], one["reason_code"]))
    return told


def notices_by_case(said: list[tuple[str, dict[str, Any]]]) -> dict[str, set[str]]:
    """Returns the kinds of notices about each case."""
    numbers = {case.youth_id: case.number for case in CASES}
    kinds: dict[str, set[str]] = {case.number: set() for case in CASES}
    for topic, one in said:
        if topic == "notices":
            kinds[numbers[one["youth_id"]]].add(one["kind"])
    return kinds
