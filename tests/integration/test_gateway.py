"""The gateway as a process, over HTTP, on a real broker: the four-way rule, a kill, and hostile bodies."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.gateway.publisher import KafkaPublisher, OutgoingRecord, Published, Publisher, Unavailable
from connectors.gateway.settings import GatewaySettings
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import temporary_broker
from connectors.kafka.topics import TopicSpec, ensure_topics
from connectors.medcom_fhir.acknowledgement_rules import defects_of_acknowledgement
from schemas.topics import STATEMENT_TOPICS, catalogue, kafka_name
from tests.integration.gateway_process import CRASH_STATUS
from tests.integration.gateway_runner import Process, event_ids_of, free_port, peak_bytes, read_topic, records_of
from tests.unit.gateway.builders import FHIR, NDJSON, a_message, a_statement, response_code, with_header_id
from tests.unit.gateway.prepared import ROOT
from tests.unit.gateway.publisher_contract import PublisherContract
from tests.unit.gateway.sent_lists import COURSES, CSV, HEAVY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from connectors.kafka.embedded import EmbeddedBroker

pytestmark = pytest.mark.integration
# The last two are the read model's: the gateway is ready once it has read them.
TOPICS = (*STATEMENT_TOPICS, "persons", "pathways", "notices")
MEMORY_BYTES_MORE_MAX = 40 * 1024 * 1024
NEW_BUNDLE = "0b7d6f3e-5b1b-4f6e-9d43-5a3f1a2b3c4d"
LATER_BUNDLE = "2d9f8b50-7d3d-4b80-9f65-7c5b3c4d5e6f"
NEW_HEADER = "1c8e7a4f-6c2c-4a7f-8e54-6b4a2b3c4d5e"
HOSTILE_BODIES = (
    b"",
    b"{",
    b'{"resourceType":"Bundle"',
    b'{"a":' * 150_000,
    '{"navn":"Søren"}'.encode("windows-1252"),
    b"\xff\xfe{\x00}\x00",
    b'{"a":NaN}',
    b'{"a":1,"a":1}',
    b'"' + b'\\"' * 500_000,
)


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the public topics there."""
    specs = [TopicSpec(kafka_name(topic), 4, catalogue()[topic].config()) for topic in TOPICS]
    ensure_topics(empty_broker.connection, specs)
    return empty_broker.connection


@pytest.fixture
def gateway(connection: KafkaConnection, tmp_path: Path) -> Iterator[Process]:
    """Runs a gateway on a data folder of its own."""
    settings = GatewaySettings(
        data_folder=tmp_path / "data", kafka=connection, reference_folder=ROOT / "reference", ages=(0, 150)
    )
    process = Process(settings, tmp_path / "crash")
    process.start()
    yield process
    process.stop()


def post(client: httpx.Client, message: dict[str, Any]) -> httpx.Response:
    """Posts a MedCom message."""
    return client.post("/medcom/fhir", content=json.dumps(message), headers=FHIR)


def test_new_repeat_resubmission_and_errors(gateway: Process, connection: KafkaConnection) -> None:
    client = gateway.client()
    new = post(client, a_message())
    repeat = post(client, a_message())
    resubmission = post(client, a_message(id=NEW_BUNDLE))
    changed = json.loads(json.dumps(a_message(id=LATER_BUNDLE)).replace("2022-12-18T09", "2022-12-18T08"))
    other_content = post(client, changed)
    reused_bundle = post(client, with_header_id(a_message(), NEW_HEADER))

    answers = (new, repeat, resubmission, other_content, reused_bundle)
    assert [response_code(answer) for answer in answers] == ["ok", "ok", "ok", "fatal-error", "fatal-error"]
    assert repeat.content == new.content
    assert all(defects_of_acknowledgement(answer.json()) == () for answer in answers)
    assert sum(event_ids_of(connection, "discharges", gateway).values()) == 1


def test_a_hundred_megabytes_are_turned_away_and_never_held(gateway: Process) -> None:
    client = gateway.client()
    before = peak_bytes(gateway.process.pid)

    declared = client.post("/medcom/fhir", content=b" " * 100_000_000, headers=FHIR)
    streamed = client.post("/medcom/fhir", content=(b" " * 1_000_000 for _ in range(100)), headers=FHIR)

    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["refused"]["code"]) == (413, "body_too_large")
    assert peak_bytes(gateway.process.pid) - before < MEMORY_BYTES_MORE_MAX
    assert response_code(post(client, a_message())) == "ok"


def test_hostile_bodies_are_refused_and_the_door_stays_open(gateway: Process) -> None:
    client = gateway.client()
    for body in HOSTILE_BODIES:
        message = client.post("/medcom/fhir", content=body, headers=FHIR)
        statement = client.post("/events/discharges", content=body, headers={"content-type": "application/json"})

        assert (message.status_code, message.json()["resourceType"]) == (400, "OperationOutcome")
        assert statement.status_code == 400
        assert set(statement.json()["refused"]) == {"code", "field", "rule", "help"}
    assert response_code(post(client, a_message())) == "ok"


def test_lines_are_taken_one_by_one_on_the_real_broker(gateway: Process, connection: KafkaConnection) -> None:
    lines = [a_statement("discharges", subject=f"letter-{number}") for number in range(300)]
    body = "\n".join(json.dumps(line) for line in lines) + "\n{"
    answer = gateway.client().post("/events/discharges", content=body, headers=NDJSON)

    outcomes = Counter(json.loads(line)["outcome"] for line in answer.text.splitlines())
    assert outcomes == {"accepted": 300, "refused": 1}
    assert sum(event_ids_of(connection, "discharges", gateway).values()) == 300


def test_nothing_personal_is_on_the_topics_or_in_the_files(gateway: Process, connection: KafkaConnection) -> None:
    client = gateway.client()
    post(client, a_message())
    client.post("/events/discharges", json=a_statement("discharges"))
    client.post("/events/discharges", json=a_statement("discharges", unit="010510-9996"))

    files = [path.read_bytes() for path in gateway.settings.data_folder.rglob("*") if path.is_file()]
    records = [repr(record).encode() for topic in TOPICS for record in records_of(connection, topic, gateway)]
    log = gateway.log.read_bytes()
    assert records
    assert b"statement_received" in log
    for secret in (b"0105109996", b"010510-9996", b"2509479989", b"Elmer"):
        assert not any(secret in content for content in [*files, *records, log])


def test_killed_between_confirmation_and_answer_the_repeat_gets_the_same_acknowledgement(
    gateway: Process,
    connection: KafkaConnection,
) -> None:
    client = gateway.client()
    gateway.crash_file.touch()
    with pytest.raises(httpx.TransportError):
        post(client, a_message())
    assert gateway.process.wait(10) == CRASH_STATUS
    gateway.start()

    answer = post(client, a_message())
    again = post(client, a_message())

    assert response_code(answer) == "ok"
    assert again.content == answer.content
    for topic in ("discharges", "persons"):
        assert list(event_ids_of(connection, topic, gateway).values()) == [2]
        assert len({record.value for record in records_of(connection, topic, gateway)}) == 1


def test_killed_after_a_statement_the_repeat_publishes_the_same_bytes(
    gateway: Process,
    connection: KafkaConnection,
) -> None:
    client = gateway.client()
    headers = {"idempotency-key": "k-1"}
    gateway.crash_file.touch()
    with pytest.raises(httpx.TransportError):
        client.post("/events/enrolments", json=a_statement("enrolments"), headers=headers)
    gateway.process.wait(10)
    gateway.start()

    first = client.post("/events/enrolments", json=a_statement("enrolments"), headers=headers)
    second = client.post("/events/enrolments", json=a_statement("enrolments"), headers=headers)

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    records = records_of(connection, "enrolments", gateway)
    assert len(records) == 2
    assert len(set(records)) == 1


class TestKafkaPublisher(PublisherContract):
    @pytest.fixture(autouse=True)
    def _connect(self, connection: KafkaConnection) -> None:
        self.connection = connection

    @asynccontextmanager
    async def running(self, *, reachable: bool) -> AsyncIterator[Publisher]:
        nowhere = KafkaConnection(bootstrap=f"127.0.0.1:{free_port()}")
        publisher = KafkaPublisher(self.connection if reachable else nowhere, timedelta(seconds=5))
        await publisher.start()
        yield publisher
        await publisher.stop()

    async def published(self, publisher: Publisher, key: bytes) -> list[OutgoingRecord]:
        assert isinstance(publisher, KafkaPublisher)
        return [
            record
            for topic in ("persons", "discharges")
            for record in await read_topic(self.connection, topic)
            if record.key == key
        ]


async def test_a_broker_that_goes_and_comes_back_is_published_to_again(cache_dir: Path) -> None:
    record = OutgoingRecord("discharges", b"k", b"1")
    with temporary_broker(cache_dir) as broker:
        connection = KafkaConnection(bootstrap=broker.bootstrap)
        ensure_topics(connection, [TopicSpec(kafka_name("discharges"), 2)])
        publisher = KafkaPublisher(connection, timedelta(seconds=5))
        await publisher.start()
        await _delivered(publisher, record)
        broker.kill()
        while_gone = await publisher.publish([record])
        reachable_while_gone = await publisher.is_reachable()
        await asyncio.to_thread(broker.start)
        await _delivered(publisher, record)

        assert isinstance(while_gone, Unavailable)
        assert reachable_while_gone is False
        assert len(await read_topic(connection, "discharges")) >= 2
        await publisher.stop()


async def _delivered(publisher: KafkaPublisher, record: OutgoingRecord) -> None:
    for _ in range(60):
        if await publisher.publish([record]) == Published():
            return
        await asyncio.sleep(0.5)  # between attempts
    raise TimeoutError


def test_others_are_answered_while_heavy_sheets_are_read_and_the_readers_end_with_it(gateway: Process) -> None:
    gateway.settings.lists_folder.mkdir(exist_ok=True)
    (gateway.settings.lists_folder / "courses.toml").write_text(COURSES.format(mode="changes"), encoding="utf-8")
    heavy, other = gateway.client(name="helsingoer"), gateway.client(name="other")
    with ThreadPoolExecutor(4) as senders:
        sheets = [senders.submit(heavy.post, "/lists/courses", content=HEAVY, headers=CSV) for _ in range(4)]
        while not (readers := children_of(gateway.process.pid)):
            assert not any(sheet.done() for sheet in sheets)
        statements = [a_statement("enrolments", subject=f"course-{number}") for number in range(10)]
        answers = [other.post("/events/enrolments", json=statement) for statement in statements]

        assert [answer.status_code for answer in answers] == [201] * 10
        assert not any(sheet.done() for sheet in sheets)
        gateway.process.kill()
    gateway.process.wait()
    for reader in readers:
        wait_until_gone(reader)


def children_of(pid: int) -> list[int]:
    """Returns the processes that a process has started (Linux, proc(5))."""
    return [
        int(child)
        for task in Path("/proc", str(pid), "task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    ]


def wait_until_gone(pid: int) -> None:
    """Waits until a process has ended."""
    deadline = time.monotonic() + 120  # a reader gives way to all others until its list is read
    while Path("/proc", str(pid), "stat").exists() and not _is_zombie(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between looks at the condition


def _is_zombie(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
