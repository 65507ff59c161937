"""Follows what sources say and what was told of them, and tells the rest: outside the log that is replayed."""

from __future__ import annotations

import asyncio
import tomllib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import Gauge
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.kafka.topics import partition_counts
from connectors.local_times import utc_now
from connectors.source_silence.rhythm import LEARNT_FROM, LastMessage
from connectors.source_silence.silences import Silences
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.instants import moment_of
from schemas.outputs import Notice
from schemas.refusals import RefusedError
from schemas.topics import entry_of, kafka_name, short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aiokafka import ConsumerRecord
    from prometheus_client import CollectorRegistry

    from connectors.kafka.connection import KafkaConnection

#: What sources say; replies are the programmes'.
SAID = ("referrals", "discharges", "enrolments", "consents", "correspondence")
_NOTICES = kafka_name("notices")
_LOOK = timedelta(seconds=10)
_POLL_MS = 500
_RECORDS_MAX = 5_000
_HOURS_MAX = 24 * 365
_log = structlog.get_logger(__name__)


class SilenceFileError(Exception):
    """``silence.toml`` is not as it must be; the text says what to do."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    hours: dict[str, float] = Field(default_factory=dict, max_length=10_000)


def set_rhythms(path: Path) -> dict[str, timedelta]:
    """Returns what a deployment allows each source instead of what is learnt; nothing where there is no file.

    Raises SilenceFileError.
    """
    if not path.exists():
        return {}
    try:
        hours = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).hours
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        rule = '[hours] has a line a source, e.g. "sor:265161000016000" = 26'
        raise SilenceFileError(f"{path} can't be read: {rule}; correct it and start again") from error
    if not all(0 <= one <= _HOURS_MAX for one in hours.values()):
        raise SilenceFileError(f"{path}: hours are 0 (never silent) to {_HOURS_MAX}; correct it and start again")
    return {source: timedelta(hours=one) for source, one in hours.items()}


class SilenceMonitor:
    """One process runs it. ``ready`` once the brokers answer; nothing is told before all that was told is read."""

    def __init__(
        self,
        connection: KafkaConnection,
        set_to: dict[str, timedelta],
        registry: CollectorRegistry,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Takes where the brokers are, what is set for sources, where its metric goes, and a clock in UTC."""
        self._connection = connection
        self._silences = Silences(set_to)
        self._clock = clock
        self._last = Gauge(
            "brobygger_source_last_event_seconds",
            "When a source's last event came, in Unix time",
            ["source"],
            registry=registry,
        )
        self.ready = False

    async def run(self) -> None:
        """Runs until it is cancelled; raises KafkaError where the brokers don't do their part."""
        options = self._connection.for_aiokafka()
        consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
        producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
        await consumer.start()
        try:
            await producer.start()
            self.ready = True
            places = await self._places()
            consumer.assign(places)
            await self._read_up(consumer, places)
            while True:
                await self._turn(consumer, producer)
        finally:
            self.ready = False
            await producer.stop()
            await consumer.stop()

    async def _places(self) -> list[TopicPartition]:
        """Returns the partitions of all topics; waits until the instance has made them."""
        wanted = [_NOTICES, *map(kafka_name, SAID)]
        while True:
            known = await asyncio.to_thread(partition_counts, self._connection, wanted)
            if len(known) == len(wanted):
                return [TopicPartition(name, number) for name, count in known.items() for number in range(count)]
            await asyncio.sleep(_LOOK.total_seconds())

    async def _read_up(self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
        """Reads all notices, and what was said in the weeks that rhythms are learnt from, in the order of its times."""
        since = int((self._clock() - LEARNT_FROM).timestamp() * 1000)
        said = [place for place in places if place.topic != _NOTICES]
        begins = await consumer.offsets_for_times(dict.fromkeys(said, since))
        ends = await consumer.end_offsets(places)
        for place in places:
            found = begins.get(place)
            if place.topic == _NOTICES:
                await consumer.seek_to_beginning(place)
            else:
                consumer.seek(place, ends[place] if found is None else found.offset)
        heard: list[tuple[str, LastMessage]] = []
        left = {place for place in places if ends[place]}
        while left:
            for batch in (await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_MAX)).values():
                heard += self._taken(batch)
            left = {place for place in left if await consumer.position(place) < ends[place]}
        self._hear(heard)

    async def _turn(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        batches = await consumer.getmany(timeout_ms=int(_LOOK.total_seconds() * 1000), max_records=_RECORDS_MAX)
        self._hear([one for batch in batches.values() for one in self._taken(batch)])
        for notice in self._silences.due(self._clock()):
            value, key = codec(Notice).encode(notice), notice.subject.encode()
            await producer.send_and_wait(_NOTICES, value, key, headers=headers_of(notice, _NOTICES))
            self._silences.told(notice)
            _log.warning(notice.kind.value, source=notice.subject, since=notice.occurred_at.isoformat())

    def _hear(self, heard: list[tuple[str, LastMessage]]) -> None:
        for source, event in sorted(heard, key=lambda one: one[1].at):
            self._silences.heard(source, event)
        for source, at in self._silences.last_heard().items():
            self._last.labels(source).set(at.timestamp())

    def _taken(self, batch: Sequence[ConsumerRecord]) -> list[tuple[str, LastMessage]]:
        """Returns what sources said; takes in what was told of them."""
        heard = []
        for record in batch:
            topic = short_name(record.topic)
            model = entry_of(topic).model
            if model is None or record.value is None:
                continue
            try:
                if record.topic == _NOTICES:
                    self._silences.told(cast("Notice", codec(Notice).decode(record.value)))
                else:
                    said = codec(model).decode_raw(record.value)
                    heard.append((said["source"], LastMessage(moment_of(record.timestamp), UUID(said["event_id"]))))
            except RefusedError as error:
                _log.error("record_unreadable", topic=topic, code=error.refusal.code)
        return heard
