"""Notices from a real broker to a real source over HTTP: each a letter, once, acknowledged in the answer or later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.medcom_fhir.care_letter_rules import defects_of_care_letter
from connectors.medcom_fhir.codes import ResponseCode
from connectors.source_letters.mailboxes import Mailbox
from connectors.source_letters.outbox import NewLetter, Outbox
from connectors.source_letters.service import LetterService, LetterSettings, open_mailboxes
from connectors.source_letters.tables import letters_database_of
from schemas.codec import codec
from schemas.identifiers import derived_id
from schemas.outputs import Notice
from schemas.topics import kafka_name
from tests.integration.webhook_service import make_topics, until
from tests.unit.medcom_fhir.builders import a_message, discharge_of, own_provenance, the
from tests.unit.source_letters.builders import HOSPITAL, OFFICE, RECIPIENT, a_notice, acknowledging, header_of
from tests.unit.webhooks.receivers import Handler, a_receiver

pytestmark = pytest.mark.integration
TOPICS = ("notices", "discharges", "correspondence", "referrals", "enrolments", "consents")


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the topics there that notices are about."""
    make_topics(empty_broker.connection, *TOPICS)
    return empty_broker.connection


class Hospital:
    """Takes letters over HTTP and acknowledges those it is told to, in the answer."""

    def __init__(self, *, acknowledges: bool) -> None:
        self.acknowledges = acknowledges
        self.bundles: list[dict[str, Any]] = []

    @property
    def handle(self) -> Handler:
        """Returns the handler of its requests."""

        async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
            bundle = json.loads(request.partition(b"\r\n\r\n")[2])
            self.bundles.append(bundle)
            body = acknowledging(_letter_of(bundle)) if self.acknowledges else b""
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        return handle


def _letter_of(bundle: dict[str, Any]) -> Any:
    class Letter:
        letter_id = header_of(bundle)["id"]

    return Letter()


def _discharge(number: int) -> Any:
    message = a_message()
    header = f"0b7d6f3e-5b1b-4f6e-9d43-{number:012d}"
    own_provenance(message)["target"] = [{"reference": f"MessageHeader/{header}"}]
    the(message, "MessageHeader")["id"] = header
    return discharge_of(message)


def _notice(discharge: Any, **changes: Any) -> Notice:
    own = {"causation_id": discharge.event_id, "event_id": derived_id("notice", str(discharge.event_id))}
    return a_notice(**(own | {"occurred_at": datetime.now(UTC)} | changes))


async def _publish(connection: KafkaConnection, *records: tuple[str, BaseModel]) -> None:
    producer = AIOKafkaProducer(**connection.for_aiokafka())
    await producer.start()
    try:
        for topic, event in records:
            await producer.send_and_wait(kafka_name(topic), codec(type(event)).encode(event), b"youth-0001")
    finally:
        await producer.stop()


def _mailbox(folder: Path, port: int) -> Outbox:
    mailbox = Mailbox(RECIPIENT, HOSPITAL, f"http://127.0.0.1:{port}/fhir", False, datetime.now(UTC))
    open_mailboxes(folder).put(mailbox, None)
    return Outbox(letters_database_of(folder))


def _no_link(_letter: NewLetter) -> None:
    """Returns none: nothing is asked on a page here."""


def _has_sent(outbox: Outbox, letters: int) -> bool:
    """Returns whether so many letters are under way."""
    return outbox.counts() == {"sent": letters}


@asynccontextmanager
async def _running(folder: Path, connection: KafkaConnection) -> AsyncIterator[LetterService]:
    settings = LetterSettings(folder, connection, OFFICE, _no_link)
    service = LetterService(settings, CollectorRegistry())
    task = asyncio.create_task(service.run())
    try:
        yield service
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_notice_becomes_a_valid_letter_that_is_acknowledged_in_the_answer(
    tmp_path: Path, connection: KafkaConnection
) -> None:
    hospital, discharge = Hospital(acknowledges=True), _discharge(1)
    async with a_receiver(hospital.handle) as port, _running(tmp_path, connection):
        outbox = _mailbox(tmp_path, port)
        await _publish(connection, ("notices", _notice(discharge)), ("discharges", discharge))
        await until(lambda: outbox.counts() == {"acknowledged": 1})

    [bundle] = hospital.bundles
    assert defects_of_care_letter(bundle) == ()
    assert "MessageHeader/0b7d6f3e-5b1b-4f6e-9d43-000000000001" in json.dumps(bundle)
    assert "2509479989" not in json.dumps(bundle)


async def test_restarted_it_goes_on_and_sends_nothing_twice(tmp_path: Path, connection: KafkaConnection) -> None:
    hospital, discharges = Hospital(acknowledges=False), [_discharge(number) for number in (11, 12)]
    async with a_receiver(hospital.handle) as port:
        outbox = _mailbox(tmp_path, port)
        for sent, discharge in enumerate(discharges, start=1):
            async with _running(tmp_path, connection):
                await _publish(connection, ("discharges", discharge), ("notices", _notice(discharge)))
                await until(partial(_has_sent, outbox, sent))

    for bundle in hospital.bundles:
        assert outbox.acknowledge(header_of(bundle)["id"], HOSPITAL.sor, ResponseCode.OK)
    assert len(hospital.bundles) == 2
    assert outbox.counts() == {"acknowledged": 2}


async def test_what_a_source_said_before_it_had_a_mailbox_is_found(tmp_path: Path, connection: KafkaConnection) -> None:
    hospital, discharge = Hospital(acknowledges=True), _discharge(21)
    other = a_notice(99, recipient="sor:12345678901", occurred_at=datetime.now(UTC))
    async with a_receiver(hospital.handle) as port, _running(tmp_path, connection) as service:
        await until(lambda: service.ready)
        await _publish(connection, ("discharges", discharge))
        outbox = _mailbox(tmp_path, port)
        await _publish(connection, ("notices", other), ("notices", _notice(discharge)))
        await until(lambda: outbox.counts() == {"acknowledged": 1})

    assert len(hospital.bundles) == 1
