"""Whether the brokers are there: asked in seconds, and said in the log when that changes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from connectors.contact import Contact
from connectors.kafka import reachability
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.reachability import BrokerWatch, MetadataProbe, require_broker


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Yields the address of what takes connections and never answers, as a broker that stands still does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


class Answers:
    """Answers what it was given, in its order, then stays with the last; stands for a probe."""

    def __init__(self, *faults: str | None) -> None:
        self.faults = list(faults)
        self.asked = asyncio.Event()
        self.closed = False

    async def fault(self) -> str | None:
        """Returns the next answer."""
        if len(self.faults) == 1:
            self.asked.set()
            return self.faults[0]
        return self.faults.pop(0)

    async def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True


def test_what_was_lost_and_found_is_said_once_each_with_how_long_it_was_away() -> None:
    seconds = iter([10.0, 33.0, 50.0])
    contact = Contact("broker", lambda: next(seconds))

    with capture_logs() as logs:
        for fault in ("down", "down", None, None, "slow", "slow"):
            contact.note(fault)

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("contact_lost", "warning"),
        ("contact_found", "info"),
        ("contact_lost", "warning"),
    ]
    assert [line.get("fault") for line in logs] == ["down", None, "slow"]
    assert (logs[1]["away_seconds"], contact.is_there) == (23.0, False)


async def test_a_process_is_ready_by_the_last_answer_and_not_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "LOOK", reachability.LOOK / 1000)
    probe = Answers("KafkaConnectionError", None)
    watch = BrokerWatch(probe)
    before = watch.ready

    with capture_logs() as logs:
        running = asyncio.create_task(watch.run())
        await asyncio.wait_for(probe.asked.wait(), 20)
        await asyncio.sleep(0)  # lets the answer be taken
        after = watch.ready
        running.cancel()
        await asyncio.wait({running})

    assert (before, after, probe.closed) == (False, True, True)
    assert [line["event"] for line in logs] == ["contact_lost", "contact_found"]


async def test_nobody_there_and_somebody_silent_are_faults(silent_address: str) -> None:
    for address in ("127.0.0.1:1", silent_address):
        probe = MetadataProbe(KafkaConnection(bootstrap=address), "brobygger.")

        assert await probe.fault() == "KafkaConnectionError"
        await probe.close()


def test_a_command_says_which_broker_does_not_answer_and_what_to_do(silent_address: str) -> None:
    for address in ("127.0.0.1:1", silent_address):
        with pytest.raises(BrokerUnavailableError, match=rf"no Kafka broker answers at {address}.*brobygger doctor"):
            require_broker(KafkaConnection(bootstrap=address))
