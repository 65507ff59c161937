"""A log that the read model is projected from, and what stands in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from connectors.read_model.feed import (
    INTERVENTIONS,
    NOTICES,
    PATHWAYS,
    FetchedBatch,
    FetchedRecord,
    LogReplacedError,
    Place,
)
from connectors.read_model.opening import ReadModel, read_model_at
from connectors.vault.urls import sqlite_url
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.events import EventHeader, Intervention
from schemas.identifiers import derived_id
from schemas.outputs import HandoverEvent, NeedView, Notice, PathwayView
from schemas.topics import kafka_name, short_name

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
PSEUDONYM = "k001Mb3SptkmvUxNxT8uTm0vu_9gRDGHRa-XadHBk-3TUmM"
YOUTH_ID = "00112233445566778899aabbccddeeff"
_TAKEN_SECONDS_MAX = 20


class FakeLog:
    """Keeps records as the broker would, and gives them to whoever follows; stands for ``KafkaFeed``."""

    def __init__(self, *records: FetchedRecord) -> None:
        self.records = list(records)
        self.failures: list[Exception] = []
        self._grown = asyncio.Event()
        self._done = -1
        self._went_on = asyncio.Event()

    def append(self, *records: FetchedRecord) -> None:
        """Puts records at the end."""
        self.records.extend(records)
        self._wake()

    def fail(self, error: Exception) -> None:
        """Makes the feed fail with an error, once."""
        self.failures.append(error)
        self._wake()

    async def batches(self, progress: Mapping[Place, int]) -> AsyncGenerator[FetchedBatch]:
        """Yields what follows the progress, then what comes; see ``Feed``."""
        ends = {(one.topic, one.partition): one.offset + 1 for one in self.records}
        if any(following > ends.get(place, 0) for place, following in progress.items()):
            raise LogReplacedError
        taken, wanted = 0, dict(progress)
        while True:
            grown = self._grown
            fresh, taken = self.records[taken:], len(self.records)
            yield FetchedBatch([one for one in fresh if one.offset >= wanted.get((one.topic, one.partition), 0)], True)
            self._done = taken
            self._went_on.set()
            self._went_on = asyncio.Event()
            if self.failures:
                raise self.failures.pop()
            if taken == len(self.records):
                await grown.wait()

    async def wait_until_taken(self) -> None:
        """Blocks until all that stands in it was taken: whoever follows asked for more."""
        async with asyncio.timeout(_TAKEN_SECONDS_MAX):
            while self._done < len(self.records):
                await self._went_on.wait()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


class Tallied:
    """Counts, to be looked at."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], int] = {}
        self.failures = 0
        self.failed = asyncio.Event()

    def count_records(self, topic: str, outcome: str, count: int) -> None:
        self.records[topic, outcome] = self.records.get((topic, outcome), 0) + count

    def count_failure(self) -> None:
        self.failures += 1
        self.failed.set()


def a_read_model(folder: Path, log: FakeLog, tally: Tallied | None = None) -> ReadModel:
    """Returns a read model on a file of a folder; not started."""
    return read_model_at(sqlite_url(folder / "read-model.sqlite"), log, tally or Tallied())


def told(name: str = "one", place: tuple[int, int] = (0, 0), **changes: Any) -> FetchedRecord:
    """Returns a record of a programme's topic, an offer to headspace unless changed; its ids follow from the name."""
    fields: dict[str, Any] = {
        **_envelope(f"told-{name}", name),
        "youth_id": PSEUDONYM,
        "type": "offered",
        "programme": "headspace",
        "programme_version": 1,
        "need_kind": "aftercare",
        "identity": "anonymous",
        "age_band": "15-17",
        "municipality": "0217",
        "trigger": "discharge",
        "reply_by": NOW,
        "state": "offered",
    }
    event = HandoverEvent.model_validate(fields | changes)
    return _fetched(kafka_name(f"handovers.{event.programme}"), place, event)


def an_answer(reply: UUID, name: str = "one", place: tuple[int, int] = (0, 1), **changes: Any) -> FetchedRecord:
    """Returns a programme's record that answers a reply, an acceptance unless changed."""
    answer = {"type": "reply_accepted", "state": "accepted", "causation_id": reply, "reason_code": "accepted"}
    return told(name, place, event_id=derived_id("answer", str(reply)), **(answer | changes))


def a_view(*needs: str, place: tuple[int, int] = (0, 0), youth_id: str = YOUTH_ID, **changes: Any) -> FetchedRecord:
    """Returns a pathway's view with needs of these names, open unless changed."""
    own = {
        "kind": "aftercare",
        "trigger": "discharge",
        "state": "open",
        "since": NOW,
        "owner": "Helsingør",
        "programme": None,
        "clock_at": None,
        "reason_code": None,
        "options": ({"programme": "headspace", "outcome": "age"},),
    }
    views = tuple(NeedView.model_validate(own | {"need_id": derived_id("need", name)} | changes) for name in needs)
    view = PathwayView(
        **_envelope("view", youth_id), youth_id=youth_id, age_band="15-17", municipality="0217", needs=views
    )
    return _fetched(PATHWAYS, place, view)


def a_notice(name: str = "one", place: tuple[int, int] = (0, 0), **changes: Any) -> FetchedRecord:
    """Returns a notice, that a need has come to a person unless changed."""
    own = {"kind": "escalated", "recipient": "Helsingør", "need_kind": "aftercare", "reason_code": "no_programme"}
    fields = {**_envelope(f"notice-{name}", name), "youth_id": YOUTH_ID, **own, **changes}
    return _fetched(NOTICES, place, Notice.model_validate(fields))


def a_decision(name: str = "one", place: tuple[int, int] = (0, 0), about: str = "one", **changes: Any) -> FetchedRecord:
    """Returns what a person decided about a need, to take it unless changed."""
    own = {"subject": str(derived_id("need", about)), "action": "assigned", "actor": "Helsingør", "role": "owner"}
    fields = {**_envelope(f"decision-{name}", about), "youth_id": YOUTH_ID, **own, **changes}
    return _fetched(INTERVENTIONS, place, Intervention.model_validate(fields))


def broken(place: tuple[int, int] = (0, 0), topic: str = "handovers.headspace") -> FetchedRecord:
    """Returns a record that nobody can read; its header tells its event id."""
    header = ("ce_id", str(derived_id("broken")).encode())
    return FetchedRecord(kafka_name(topic), *place, 0, b"key", b"\xc3\x01Nancy Ann Berggren 2509479989", (header,))


def handover_id(name: str) -> str:
    """Returns the id of the handover of a name."""
    return str(derived_id("handover", name))


def _envelope(event: str, about: str) -> dict[str, Any]:
    return {
        "event_id": derived_id("event", event),
        "source": "brobygger",
        "correlation_id": derived_id("need", about),
        "occurred_at": NOW,
        "sent_at": NOW,
        "recorded_at": NOW,
        "subject": handover_id(about),
    }


def _fetched(topic: str, place: tuple[int, int], event: EventHeader) -> FetchedRecord:
    assert event.youth_id is not None
    headers = tuple(headers_of(event, short_name(topic)))
    return FetchedRecord(
        topic, *place, 1_768_046_400_000, event.youth_id.encode(), codec(type(event)).encode(event), headers
    )
