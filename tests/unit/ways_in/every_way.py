"""Every way in that the product has, each with what it takes, what it refuses, and how its receipts look."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook

from connectors.gateway.over_kafka.inboxes import Received, RecordPosition
from connectors.gateway.over_kafka.source_statements import take_statements
from connectors.medcom_edi.beskedfordeler import read_push_answer
from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.receipt_reading import read_receipt
from connectors.medcom_edi.xml_documents import read_document
from connectors.medcom_fhir.acknowledgement_rules import defects_of_acknowledgement
from streams.cli.sending.door_answers import DoorError, GatewayResponse
from streams.cli.sending.doors import GatewayClient
from streams.cli.sending.receipt_files import ReceiptFolder
from streams.cli.sending.watched_folder import WatchedFolder
from tests.unit.gateway.builders import MESSAGES, Gateway, a_statement
from tests.unit.gateway.sent_lists import COURSE, a_list, map_courses
from tests.unit.medcom_edi.builders import Notice
from tests.unit.medcom_edi.test_envelopes import in_beskedfordeler, in_vans_envelope, pushed_by_beskedfordeler
from tests.unit.ways_in import connector_template
from tests.unit.ways_in.way_in import NotNow, Receipt, Sending, WayIn, receipt_of

_FHIR_JSON, _FHIR_XML = "application/fhir+json", "application/fhir+xml"
_JSON, _NDJSON, _XML = "application/json", "application/x-ndjson", "application/xml"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOTIFICATION = (MESSAGES / "hn-06-SLHJ-discharge-home.json").read_bytes()
_CARE = (MESSAGES / "cc-14-new.json").read_bytes()
_CARE_IN_XML = (MESSAGES / "cc-14-new.xml").read_bytes()
_BAD_ROW = COURSE.replace("active", "dancing")


def _unborn(message: bytes) -> bytes:
    """Returns a message about a number that begins with no date."""
    return message.replace(b"2509479989", b"3913479989")


def _by_http(door: str, media_type: str, *, with_key: bool = False) -> Callable[[Gateway, Path], Sending]:
    def opened(gateway: Gateway, _folder: Path) -> Sending:
        if door.startswith("/lists/"):
            map_courses(gateway)
        headers = gateway.token() | {"content-type": media_type}

        async def send(content: bytes) -> Receipt:
            key = {"idempotency-key": str(hash(content))} if with_key else {}
            answer = await gateway.http.post(door, content=content, headers=headers | key)
            kind = answer.headers.get("content-type", "").partition(";")[0]
            return receipt_of(GatewayResponse(answer.status_code, kind, answer.content))

        return send

    return opened


def _by_folder(gateway: Gateway, folder: Path) -> Sending:
    token = gateway.token()["authorization"].removeprefix("Bearer ")

    def dropped(content: bytes) -> Receipt:
        watched = WatchedFolder(folder / "source", 0.0)
        (folder / "source" / "in" / "letter").write_bytes(content)
        with (
            GatewayClient("http://gateway.test", token, lambda _: True) as doors,
            ReceiptFolder(watched.receipts) as receipts,
        ):
            [path] = watched.complete()
            try:
                went_to = watched.take(path, doors, receipts)
            except DoorError as error:
                raise NotNow from error
        newest = max(watched.receipts.glob("*.receipt.*"), key=lambda one: one.stat().st_mtime_ns)
        return Receipt(went_to == "done", newest.read_bytes())

    async def send(content: bytes) -> Receipt:
        return await asyncio.to_thread(dropped, content)

    return send


def _by_kafka(gateway: Gateway, _folder: Path) -> Sending:
    gateway.token(kafka_id="helsingor")
    published, offsets = gateway.publisher.records, itertools.count()

    async def send(content: bytes) -> Receipt:
        record = Received(
            RecordPosition("statements", 3, next(offsets)), content, {"ce_type": b"brobygger.enrolments.v1"}
        )
        if not await take_statements(gateway.app.state.desk, "helsingor", [record]):
            raise NotNow
        receipt = [one.value for one in published if one.topic == "receipts.helsingor"][-1]
        return Receipt(json.loads(receipt)["outcome"] == "accepted", receipt)

    return send


def _is_acknowledgement(receipt: bytes) -> bool:
    return defects_of_acknowledgement(json.loads(receipt)) == ()


def _is_ctl(receipt: bytes) -> bool:
    return receipt.startswith(b"UNA") and _names_letters(receipt, Syntax.EDIFACT)


def _is_xctl(receipt: bytes) -> bool:
    return receipt.startswith(b"<?xml") and _names_letters(receipt, Syntax.OIOXML)


def _names_letters(receipt: bytes, syntax: Syntax) -> bool:
    read = read_receipt(receipt, syntax)
    return read.taken + len(read.refused) == 1


def _in(envelope: str, is_own: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    """Returns what tells a receipt in an envelope, addressed to whoever sent one."""

    def is_in_envelope(receipt: bytes) -> bool:
        document = read_document(receipt)
        return document.name == envelope and is_own(unwrap(receipt).message)

    return is_in_envelope


def _is_push_answer(receipt: bytes) -> bool:
    return read_push_answer(receipt) is not None


def _is_outcome(receipt: bytes) -> bool:
    return bool({"outcome", "refused"} & json.loads(receipt).keys())


def _is_lines(receipt: bytes) -> bool:
    return [json.loads(line)["line"] for line in receipt.splitlines()] == [1, 2]


def _is_report(receipt: bytes) -> bool:
    return [row["row"] for row in json.loads(receipt)["report"]] == [2]


def _statement(**changes: str) -> bytes:
    return json.dumps(a_statement("enrolments", **changes)).encode()


def _sheet(row: str) -> bytes:
    book, written = Workbook(), io.BytesIO()
    assert book.active is not None
    for line in a_list(row).decode().splitlines():
        book.active.append(line.split(";"))
    book.save(written)
    return written.getvalue()


_EDI, _BAD_EDI = Notice(), Notice(number="3113109999")
_LINES = _statement() + b"\n" + _statement(subject="course-9")
_BAD_LINES = _statement(status="dancing") + b"\n" + _statement(status="dancing", subject="course-9")

WAYS = (
    WayIn("HospitalNotification", _by_http("/medcom/fhir", _FHIR_JSON), _NOTIFICATION, _unborn(_NOTIFICATION),
          "discharges", _is_acknowledgement),
    WayIn("CareCommunication", _by_http("/medcom/fhir", _FHIR_JSON), _CARE, _unborn(_CARE),
          "correspondence", _is_acknowledgement),
    WayIn("FHIR in XML", _by_http("/medcom/fhir", _FHIR_XML), _CARE_IN_XML, _unborn(_CARE_IN_XML),
          "correspondence", _is_acknowledgement),
    WayIn("EDIFACT", _by_http("/medcom/edifact", "application/edifact"), _EDI.edifact(), _BAD_EDI.edifact(),
          "discharges", _is_ctl),
    WayIn("OIOXML", _by_http("/medcom/oioxml", _XML), _EDI.oioxml(), _BAD_EDI.oioxml(), "discharges", _is_xctl),
    WayIn("FHIR in Beskedfordeler's envelope", _by_http("/medcom/fhir", _XML), in_beskedfordeler(_NOTIFICATION),
          in_beskedfordeler(_unborn(_NOTIFICATION)), "discharges", _in("Haendelsesbesked", _is_acknowledgement)),
    WayIn("FHIR pushed by Beskedfordeler", _by_http("/medcom/fhir", _XML), pushed_by_beskedfordeler(_NOTIFICATION),
          pushed_by_beskedfordeler(_unborn(_NOTIFICATION)), "discharges", _is_push_answer),
    WayIn("FHIR in a VANSEnvelope", _by_http("/medcom/fhir", _XML), in_vans_envelope(_CARE),
          in_vans_envelope(_unborn(_CARE)), "correspondence", _in("VANSEnvelope", _is_acknowledgement)),
    WayIn("EDIFACT in a VANSEnvelope", _by_http("/medcom/edifact", _XML), in_vans_envelope(_EDI.edifact()),
          in_vans_envelope(_BAD_EDI.edifact()), "discharges", _in("VANSEnvelope", _is_ctl)),
    WayIn("OIOXML in a VANSEnvelope", _by_http("/medcom/oioxml", _XML), in_vans_envelope(_EDI.oioxml()),
          in_vans_envelope(_BAD_EDI.oioxml()), "discharges", _in("VANSEnvelope", _is_xctl)),
    WayIn("JSON", _by_http("/events/enrolments", _JSON, with_key=True), _statement(), _statement(status="dancing"),
          "enrolments", _is_outcome),
    WayIn("NDJSON", _by_http("/events/enrolments", _NDJSON, with_key=True), _LINES, _BAD_LINES,
          "enrolments", _is_lines, events=2),
    WayIn("list as CSV", _by_http("/lists/courses", "text/csv", with_key=True), a_list(COURSE), a_list(_BAD_ROW),
          "enrolments", _is_report),
    WayIn("list as XLSX", _by_http("/lists/courses", _XLSX, with_key=True), _sheet(COURSE), _sheet(_BAD_ROW),
          "enrolments", _is_report),
    WayIn("Kafka", _by_kafka, _statement(), _statement(status="dancing"), "enrolments", _is_outcome),
    WayIn("watched folder, FHIR", _by_folder, _NOTIFICATION, _unborn(_NOTIFICATION),
          "discharges", _is_acknowledgement),
    WayIn("watched folder, EDIFACT", _by_folder, _EDI.edifact(), _BAD_EDI.edifact(), "discharges", _is_ctl),
    connector_template.WAY,
)  # fmt: skip
