"""Letters from before FHIR at a gateway process, on a real broker: receipts, and a kill amid an interchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from connectors.gateway.settings import GatewaySettings
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import TopicSpec, ensure_topics
from schemas.topics import catalogue, kafka_name
from tests.integration.gateway_process import CRASH_STATUS
from tests.integration.gateway_runner import Process, event_ids_of, records_of
from tests.unit.gateway.prepared import ROOT
from tests.unit.medcom_edi.builders import Notice, a_document, an_interchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.kafka.embedded import EmbeddedBroker

pytestmark = pytest.mark.integration
TOPICS = ("discharges", "persons", "pathways", "notices")
EDIFACT = {"content-type": "application/edifact"}
NOTICES = (
    Notice(kind="20", identifier="LETTER1", patient_status=("HS", "indlagt")),
    Notice(identifier="LETTER2"),
    Notice(identifier="LETTER3", number="3102104840"),
)


@pytest.fixture(scope="module")
def connection(empty_broker: EmbeddedBroker) -> KafkaConnection:
    """Returns the way to the broker, with the topics there that letters go to and the gateway reads."""
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


def test_an_interchange_cut_off_by_a_kill_is_taken_once_and_gets_one_receipt(
    gateway: Process, connection: KafkaConnection
) -> None:
    client = gateway.client()
    body = an_interchange(*NOTICES)
    gateway.crash_file.touch()
    with pytest.raises(httpx.TransportError):
        client.post("/medcom/edifact", content=body, headers=EDIFACT)
    assert gateway.process.wait(10) == CRASH_STATUS
    gateway.start()

    answer = client.post("/medcom/edifact", content=body, headers=EDIFACT)
    again = client.post("/medcom/edifact", content=body, headers=EDIFACT)
    in_xml = client.post("/medcom/oioxml", content=a_document(*NOTICES), headers={"content-type": "application/xml"})

    assert (answer.status_code, answer.content.count(b"UCM+")) == (200, 3)
    assert again.content == answer.content
    assert (in_xml.status_code, in_xml.content.count(b"<OriginalLetter>")) == (200, 3)
    assert sorted(event_ids_of(connection, "discharges", gateway).values()) == [1, 2]
    assert len({record.value for record in records_of(connection, "discharges", gateway)}) == 2
