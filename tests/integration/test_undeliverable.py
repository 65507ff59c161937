"""The whole way round: what can't be delivered comes back, and the young person is offered to the next programme."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from streams.cli.up import free_port
from tests.integration.broker_cases import CASES, START
from tests.integration.service import a_service
from tests.integration.webhook_service import Delivering, settings_in, until

pytestmark = pytest.mark.integration


async def test_an_offer_that_cannot_be_delivered_goes_to_the_next_programme_and_a_person_is_told(
    tmp_path: Path, empty_broker: EmbeddedBroker
) -> None:
    [case] = [case for case in CASES if case.number == "1"]
    async with a_service(tmp_path, empty_broker.bootstrap) as service:
        service.start_workers(1)
        await service.step_to(START)
        await service.publish(event for _, event in case.events())
        await service.step_to(START + timedelta(minutes=20))
        delivering = Delivering(settings_in(tmp_path, service.connection))
        delivering.registered("ungevaerftet", free_port())
        async with delivering.running():
            await until(lambda: delivering.waiting("ungevaerftet") == 1)
            await until(lambda: delivering.nothing_is_due("ungevaerftet"))
            delivering.now += timedelta(days=3)
            # The withdrawal that follows waits for the same receiver.
            await until(lambda: delivering.kinds("ungevaerftet") == ["offered", "withdrawn"])
            await service.wait_until_folded()

        said = await service.said()

    told = [(topic, record["type"], record["reason_code"]) for topic, record in said if topic != "notices"]
    assert sorted(told) == [
        ("handovers.headspace", "offered", None),
        ("handovers.ungevaerftet", "offered", None),
        ("handovers.ungevaerftet", "withdrawn", "undeliverable"),
    ]
    assert [record["kind"] for topic, record in said if topic == "notices"] == ["delivery_failed"]
