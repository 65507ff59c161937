"""Whole logs in memory for the tests: public topics, intake, outputs, as two stages would have left them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.vault.keys import PseudonymRoot
from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.events import EventHeader
from schemas.instants import milliseconds_of
from schemas.internal import Intake
from schemas.topics import kafka_name
from streams.agents import join_pathways, merge_intake
from streams.agents.dead_letters import DeadLetters
from streams.agents.signals import Signals
from streams.engine.offline import OfflineTask
from streams.engine.processor import StoredRecord
from streams.engine.state import Changes
from streams.engine.store import MemoryStore
from streams.log.snapshot import Extent
from streams.partitioning import partition_of
from tests.agents.intake import PSEUDONYMS, SEALING_KEY, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import YOUTH, a_person, a_step, an_anonymous_consent, at

ROOTS = (PseudonymRoot("k001", bytes(range(32))),)
PARTITIONS = 2
MONDAY = at("2026-02-02 10:00")
OTHER_YOUTH = "00000000000000000000000000000abc"
HOME = partition_of(YOUTH.encode(), PARTITIONS)
INTAKE = kafka_name("intake")
OFFERS = kafka_name("handovers.ungevaerftet")
Records = dict[tuple[str, int], list[StoredRecord]]


@dataclass(frozen=True)
class MemorySnapshot:
    """A snapshot whose records lie in memory."""

    extent: Extent
    held: Records = field(default_factory=dict)

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yields the records as they were put there."""
        return iter(self.held.get((topic, partition), []))

    def without(self, topic: str, index: int, partition: int = HOME) -> MemorySnapshot:
        """Returns it with one record removed."""
        kept = list(self.held[topic, partition])
        del kept[index]
        return replace(self, held=self.held | {(topic, partition): kept})

    def doubled(self, topic: str, index: int, partition: int = HOME) -> MemorySnapshot:
        """Returns it with one record twice, the second time with an offset of its own, as a broker would give it."""
        kept = list(self.held[topic, partition])
        again = kept[index]._replace(offset=kept[-1].offset + 1)
        progress = {
            stage: {number: dict.fromkeys((INTAKE, *merge_intake.INPUTS), 10_000) for number in range(PARTITIONS)}
            for stage in ("merge_intake", "join_pathways")
        }
        extent = replace(self.extent, before=progress, after=progress)
        return replace(self, extent=extent, held=self.held | {(topic, partition): [*kept, again]})


def a_public_record(topic: str, event: EventHeader, when: datetime, offset: int) -> StoredRecord:
    """Builds a statement as the gateway publishes it."""
    key = (event.youth_id or "").encode()
    headers = tuple(headers_of(event, topic))
    return StoredRecord(offset, milliseconds_of(when), key, codec(type(event)).encode(event), headers)


def the_events(youth_id: str = YOUTH) -> list[tuple[str, EventHeader]]:
    """Returns what a discharge home with a consent says of a young person."""
    events: list[tuple[str, EventHeader]] = [
        ("persons", a_person()),
        ("consents", an_anonymous_consent()),
        ("discharges", a_step("stin", MONDAY - timedelta(days=3), "admitted")),
        ("discharges", a_step("slhj", MONDAY, "discharged_home")),
    ]
    return [(topic, event.model_copy(update={"youth_id": youth_id})) for topic, event in events]


def a_snapshot() -> MemorySnapshot:
    """Builds the log of two young people, with a repeat and a record that can't be read, and its outputs."""
    held: Records = {}
    for topic, event in [*the_events(), *the_events(OTHER_YOUTH), the_events()[-1]]:
        _put_public(held, kafka_name(topic), event)
    place = held[kafka_name("persons"), HOME]
    place.append(StoredRecord(place[-1].offset + 2, milliseconds_of(MONDAY), b"k", b"\xc3\x01garbage"))
    _version_everywhere(held)
    _merge(held)
    _tick_everywhere(held)
    _join(held)
    topics = sorted({topic for topic, _ in held})
    ends = {place: records[-1].offset + 1 for place, records in held.items() if records}
    progress = {
        stage: {n: {topic: ends.get((topic, n), 0) for topic in inputs} for n in range(PARTITIONS)}
        for stage, inputs in (("merge_intake", merge_intake.INPUTS), ("join_pathways", (INTAKE,)))
    }
    taken_at = (MONDAY + timedelta(days=3)).astimezone(UTC)
    extent = Extent(taken_at, {topic: [0] * PARTITIONS for topic in topics}, progress, progress)
    return MemorySnapshot(extent, held)


def _put_public(held: Records, topic: str, event: EventHeader) -> None:
    number = partition_of((event.youth_id or "").encode(), PARTITIONS)
    place = held.setdefault((topic, number), [])
    offset = place[-1].offset + 2 if place else 3  # transaction markers leave gaps
    place.append(a_public_record(topic, event, MONDAY, offset))


def _version_everywhere(held: Records) -> None:
    version = a_version(a_catalogue(), MONDAY)
    for number in range(PARTITIONS):
        _put_intake(held, number, version, MONDAY - timedelta(days=1))


def _tick_everywhere(held: Records) -> None:
    for number in range(PARTITIONS):
        version = a_version(a_catalogue(2), MONDAY)
        _put_intake(held, number, version, MONDAY + timedelta(days=2))


def _put_intake(held: Records, number: int, event: EventHeader, when: datetime) -> None:
    place = held.setdefault((INTAKE, number), [])
    value = codec(Intake).encode(Intake(origin_topic=INTAKE, origin_partition=number, origin_offset=-1, body=event))
    place.append(StoredRecord(place[-1].offset + 2 if place else 0, milliseconds_of(when), None, value))


def _merge(held: Records) -> None:
    for (topic, number), records in list(held.items()):
        if topic not in merge_intake.INPUTS:
            continue
        letters = DeadLetters(merge_intake.STAGE, SEALING_KEY.public_key())
        task = OfflineTask(merge_intake.MergeIntake(PSEUDONYMS, letters, PARTITIONS), number, MemoryStore())
        _keep(held, list(task.fold(topic, records)))


def _join(held: Records) -> None:
    for number in range(PARTITIONS):
        dead_letters = DeadLetters(join_pathways.STAGE, SEALING_KEY.public_key())
        processor = join_pathways.JoinPathways(PSEUDONYMS, dead_letters, Signals(PARTITIONS))
        task = OfflineTask(processor, number, MemoryStore())
        _keep(held, list(task.fold(INTAKE, held[INTAKE, number])))


def _keep(held: Records, made: Sequence[Changes]) -> None:
    for changes in made:
        for (topic, number), messages in changes.outputs.items():
            for message in messages:
                place = held.setdefault((topic, number), [])
                offset = place[-1].offset + 2 if place else 0
                place.append(
                    StoredRecord(offset, message.timestamp_ms, message.key, message.value, tuple(message.headers))
                )
