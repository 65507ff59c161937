"""Puts files where a test wants them, and looks at what was published of them and which receipts are there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streams.cli.sending.doors import GatewayClient
from tests.mixed_files import Sample
from tests.unit.gateway.builders import Gateway, a_statement


def put(folder: Path, *samples: Sample) -> None:
    for sample in samples:
        (folder / sample.name).write_bytes(sample.content)


def said(gateway: Gateway) -> Counter[str]:
    """Returns how many events each topic has, people left out; each event stands there once."""
    topics = {record.topic for record in gateway.publisher.records} - {"persons"}
    ids = {topic: [event["event_id"] for event in gateway.published(topic)] for topic in topics}
    assert [topic for topic in topics if len(set(ids[topic])) < len(ids[topic])] == []
    return Counter({topic: len(ids[topic]) for topic in topics})


def receipts_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.receipt.*")}


def expected_of(samples: Iterable[Sample]) -> Counter[str]:
    return sum((Counter(sample.events) for sample in samples), Counter())


def a_consent() -> Sample:
    """Returns an anonymous consent, whose answer shows a claim code."""
    content = json.dumps(a_statement("consents")).encode()
    return Sample("consents-1.json", content, ".receipt.json", {"consents": 1})


class SpiedDoors(GatewayClient):
    """Doors that keep what is sent to them."""

    sent: tuple[bytes, ...] = ()

    def post(self, door: str, content: bytes, headers: dict[str, str], *rest: Any) -> Any:
        """Sends as doors do, and keeps the body."""
        self.sent = (*self.sent, content)
        return super().post(door, content, headers, *rest)
