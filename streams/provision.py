"""Makes a cluster ready for workers: topics, and a catalogue version in every partition of the intake log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connectors.gateway.clients.clients import open_clients
from connectors.kafka.topics import TopicSpec, ensure_topics
from connectors.vault.database import is_there
from connectors.vault.keys import PSEUDONYMS, pseudonym_roots
from schemas.codec import codec
from schemas.identifiers import derived_id
from schemas.internal import CalendarSet, CatalogueVersion, Intake, own_header
from schemas.programmes import Catalogue, decode_catalogue, encode_catalogue, load_programmes
from schemas.reference import load_reference
from schemas.topics import catalogue as topic_catalogue
from schemas.topics import kafka_name
from streams.catalogue import Rules, compile_catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connectors.kafka.connection import KafkaConnection
    from schemas.topics import Topic
    from streams.settings import Settings

INTAKE = kafka_name("intake")
_TRANSACTION_TIMEOUT_MS = 30_000
_READ_TIMEOUT = timedelta(seconds=10)


class CatalogueUnchangedError(Exception):
    """The catalogue in the log is the one that would be written."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who has topics of its own: the ids of the programmes that receive handovers, and of sources on Kafka."""

    programmes: Sequence[str]
    sources: Sequence[str] = ()

    def names_of(self, short: str, topic: Topic) -> list[str]:
        """Returns the short names of all topics that an entry of the catalogue stands for."""
        if topic.per is None:
            return [short]
        return [f"{short}.{party}" for party in (self.programmes if topic.per == "programme" else self.sources)]


def topic_specs(settings: Settings, parties: Parties) -> list[TopicSpec]:
    """Returns every topic of the catalogue, one ``handovers`` topic a programme."""
    specs = []
    for short, topic in topic_catalogue().items():
        names = parties.names_of(short, topic)
        specs += [
            TopicSpec(kafka_name(name), settings.partitions, topic.config(), settings.replication_factor)
            for name in names
        ]
    return specs


def receiving_programmes(settings: Settings) -> list[str]:
    """Returns the ids of the programmes that receive handovers."""
    return [one.id for one in load_programmes(settings.programmes_folder) if one.receives_handovers]


def parties_of(settings: Settings) -> Parties:
    """Returns who has topics of its own: by the programmes' files, and by the gateway's clients."""
    # Without a gateway's database there is no source yet, and none is made for asking.
    sources = open_clients(settings.ledger_database).kafka_ids() if is_there(settings.ledger_database) else ()
    return Parties(receiving_programmes(settings), sources)


def create_topics(settings: Settings, connection: KafkaConnection) -> int:
    """Creates what topics are missing and checks the others; returns how many there are."""
    specs = topic_specs(settings, parties_of(settings))
    ensure_topics(connection, specs)
    return len(specs)


async def apply_programmes(settings: Settings, connection: KafkaConnection) -> int:
    """Validates the programme files and writes them to the log as the next version; returns its number.

    Every partition gets the version in one transaction. Raises CatalogueUnchangedError where nothing changed.
    """
    files = load_programmes(settings.programmes_folder)
    reference = load_reference(settings.reference_folder)
    latest = await latest_catalogue(connection)
    number = 1 if latest is None else latest.version + 1
    today = datetime.now(UTC).date()
    rules = Rules(settings.settle, settings.calendar_allowed)
    compiled = compile_catalogue(number, files, reference, today, rules)
    wanted = msgspec.structs.replace(compiled, pseudonym_keys=pseudonym_keys_of(settings.keys_folder, latest, number))
    if latest is not None and encode_catalogue(wanted) == encode_catalogue(_as_version(latest, number)):
        raise CatalogueUnchangedError(f"version {latest.version} in the log is what the files say")
    event_id = derived_id("catalogue", str(number))
    now = datetime.now(UTC)
    own = own_header(event_id, "catalogue", now)
    event = CatalogueVersion(**own, version=number, content=encode_catalogue(wanted))
    await _write_everywhere(connection, settings.partitions, event)
    return number


def pseudonym_keys_of(keys_folder: Path, latest: Catalogue | None, number: int) -> tuple[tuple[int, str], ...]:
    """Returns which roots pseudonyms are made with, by version: the first of the key file from this version on.

    A machine without the key file leaves it as it is.
    """
    known = () if latest is None else latest.pseudonym_keys
    if not (keys_folder / PSEUDONYMS).exists():
        return known
    roots = pseudonym_roots(keys_folder)
    known = known or ((1, roots[-1].key_id),)
    return known if known[-1][1] == roots[0].key_id else (*known, (number, roots[0].key_id))


async def set_calendar(connection: KafkaConnection, partitions: int, calendar_at: datetime) -> None:
    """Sets the calendar's time in every partition, in one transaction. For demo and scenarios alone."""
    now = datetime.now(UTC)
    event_id = derived_id("calendar", calendar_at.isoformat(), now.isoformat())
    event = CalendarSet(**own_header(event_id, "calendar", now), calendar_at=calendar_at)
    await _write_everywhere(connection, partitions, event)


async def latest_catalogue(connection: KafkaConnection) -> Catalogue | None:
    """Returns the latest catalogue version in the intake log's first partition, or None.

    Reads from the end backwards in growing steps, because versions are rare.
    """
    consumer = AIOKafkaConsumer(**connection.for_aiokafka(), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        return await _latest_in(consumer, TopicPartition(INTAKE, 0))
    finally:
        await consumer.stop()


async def _latest_in(consumer: AIOKafkaConsumer, partition: TopicPartition) -> Catalogue | None:
    consumer.assign([partition])
    begin = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    upto, step, found = end, 1000, None
    while upto > begin and found is None:
        start = max(begin, upto - step)
        consumer.seek(partition, start)
        while await consumer.position(partition) < upto:
            batches = await consumer.getmany(timeout_ms=int(_READ_TIMEOUT.total_seconds() * 1000))
            if not batches:
                break
            for record in (record for records in batches.values() for record in records):
                if record.key is None:
                    found = _catalogue_in(record.value) or found
        upto, step = start, step * 10
    return found


def _catalogue_in(value: bytes) -> Catalogue | None:
    name, event = codec(Intake).decode_raw(value)["body"]
    return decode_catalogue(event["content"]) if name.endswith("CatalogueVersion") else None


def _as_version(catalogue: Catalogue, number: int) -> Catalogue:
    content = encode_catalogue(catalogue).replace(f'"version":{catalogue.version}', f'"version":{number}')
    return decode_catalogue(content)


async def _write_everywhere(
    connection: KafkaConnection, partitions: int, event: CatalogueVersion | CalendarSet
) -> None:
    producer = AIOKafkaProducer(
        **connection.for_aiokafka(),
        transactional_id=f"brobygger-steering-{event.subject}",
        transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
        max_request_size=4 << 20,
    )
    await producer.start()
    try:
        async with producer.transaction():
            for number in range(partitions):
                intake = Intake(origin_topic=INTAKE, origin_partition=number, origin_offset=-1, body=event)
                await producer.send(INTAKE, codec(Intake).encode(intake), partition=number)
            await producer.flush()
    finally:
        await producer.stop()


__all__ = [
    "CatalogueUnchangedError",
    "Parties",
    "apply_programmes",
    "create_topics",
    "latest_catalogue",
    "parties_of",
    "pseudonym_keys_of",
    "receiving_programmes",
    "set_calendar",
    "topic_specs",
]
