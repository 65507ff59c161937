"""Letters from before FHIR over HTTP: receipts, repeats, several letters at once, and what can't be answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.medcom_edi.edifact_lexer import read_edifact_segments
from tests.unit.gateway.builders import Crashed, Gateway, a_gateway, refused
from tests.unit.medcom_edi.builders import Notice, a_document, a_letter, an_interchange, local

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

EDIFACT, OIOXML = "/medcom/edifact", "/medcom/oioxml"
DISCHARGE = Notice()
ADMISSION = Notice(kind="20", identifier="EPIC2", patient_status=("HS", "indlagt"))
BROKEN = Notice(identifier="EPIC3", number="3102104840")
UNBORN = Notice(happened=local("1999-06-24T00:02"))
MOVED = local("2025-06-24T01:15")


async def send(gateway: Gateway, door: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """Posts letters to a door."""
    media_type = "application/edifact" if door == EDIFACT and not body.lstrip().startswith(b"<") else "application/xml"
    return await gateway.http.post(door, content=body, headers=headers | {"content-type": media_type})


def receipts_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Returns the letters that a CTL receipt names, each with MedCom's action: 7 taken, 4 refused."""
    assert answer.status_code == 200, answer.text
    segments = read_edifact_segments(answer.content)
    return [(segment.component(1) or "", segment.component(3) or "") for segment in segments if segment.tag == "UCM"]


def topics_of(gateway: Gateway) -> list[str]:
    """Returns what was published, in order."""
    return [record.topic for record in gateway.publisher.records]


async def test_a_letter_in_edifact_is_published_and_gets_ctl03(gateway: Gateway) -> None:
    answer = await send(gateway, EDIFACT, DISCHARGE.edifact(), gateway.token())

    assert receipts_of(answer) == [("EPIC394310433", "7")]
    assert answer.headers["content-type"] == "application/edifact; charset=iso-8859-1"
    assert topics_of(gateway) == ["persons", "discharges"]
    assert [one["status"] for one in gateway.published("discharges")] == ["discharged_home"]


async def test_a_letter_in_oioxml_is_published_and_gets_a_positive_receipt(gateway: Gateway) -> None:
    answer = await send(gateway, OIOXML, DISCHARGE.oioxml(), gateway.token())

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml; charset=windows-1252")
    assert b"<PositiveReceipt>" in answer.content
    assert topics_of(gateway) == ["persons", "discharges"]


@pytest.mark.parametrize("name", ["REF01_1", "DIS91_1"])
async def test_other_letters_go_to_their_topics(gateway: Gateway, name: str) -> None:
    await send(gateway, EDIFACT, a_letter(name), gateway.token())

    assert topics_of(gateway) == ["persons", {"REF01_1": "referrals", "DIS91_1": "correspondence"}[name]]


@pytest.mark.parametrize(
    ("door", "body"),
    [(EDIFACT, an_interchange(DISCHARGE, ADMISSION, BROKEN)), (OIOXML, a_document(DISCHARGE, ADMISSION, BROKEN))],
)
async def test_a_repeat_gets_the_original_receipt_and_publishes_nothing(
    gateway: Gateway, door: str, body: bytes
) -> None:
    headers = gateway.token()
    first = await send(gateway, door, body, headers)
    gateway.clock.now += timedelta(days=3)

    second = await send(gateway, door, body, headers)

    assert second.content == first.content
    assert len(gateway.publisher.records) == 4


async def test_each_letter_of_an_interchange_is_taken_or_refused_by_itself(gateway: Gateway) -> None:
    answer = await send(gateway, EDIFACT, an_interchange(DISCHARGE, BROKEN, ADMISSION), gateway.token())

    assert sorted(receipts_of(answer)) == [("EPIC2", "7"), ("EPIC3", "4"), ("EPIC394310433", "7")]
    assert topics_of(gateway) == ["persons", "discharges", "persons", "discharges"]
    assert b"3102104840" not in answer.content


async def test_the_same_letter_in_another_interchange_or_syntax_is_taken_once(gateway: Gateway) -> None:
    headers = gateway.token()
    await send(gateway, EDIFACT, DISCHARGE.edifact(), headers)

    again = await send(gateway, EDIFACT, DISCHARGE.but(envelope="KUVERT2").edifact(), headers)
    in_xml = await send(gateway, OIOXML, DISCHARGE.oioxml(), headers)

    assert receipts_of(again) == [("EPIC394310433", "7")]
    assert b"<PositiveReceipt>" in in_xml.content
    assert len(gateway.publisher.records) == 2


@pytest.mark.parametrize("envelope", ["KUVERT1", "KUVERT2"])
async def test_other_content_under_a_number_that_is_known_is_refused(gateway: Gateway, envelope: str) -> None:
    headers = gateway.token()
    await send(gateway, EDIFACT, DISCHARGE.edifact(), headers)

    answer = await send(gateway, EDIFACT, DISCHARGE.but(happened=MOVED, envelope=envelope).edifact(), headers)

    assert receipts_of(answer) == [("EPIC394310433", "4")]
    assert b"letter_changed" in answer.content
    assert len(gateway.publisher.records) == 2


async def test_a_correction_is_published_and_names_what_it_revises(gateway: Gateway) -> None:
    headers = gateway.token()
    await send(gateway, EDIFACT, DISCHARGE.edifact(), headers)

    correction = DISCHARGE.but(status=("M", "rettetbrev"), envelope="KUVERT2")
    moved = correction.but(happened=MOVED, envelope="KUVERT3", authorised=MOVED)
    answers = [await send(gateway, EDIFACT, one.edifact(), headers) for one in (correction, moved)]

    first, second, third = gateway.published("discharges")
    assert [receipts_of(answer) for answer in answers] == [[("EPIC394310433", "7")]] * 2
    assert second["revises"] == first["event_id"] != third["revises"]
    assert third["subject"] == first["subject"]


async def test_a_refused_letter_may_come_corrected_under_its_number(gateway: Gateway) -> None:
    headers = gateway.token()
    await send(gateway, EDIFACT, DISCHARGE.but(number="3102104840").edifact(), headers)

    answer = await send(gateway, EDIFACT, DISCHARGE.edifact(), headers)

    assert receipts_of(answer) == [("EPIC394310433", "7")]
    assert len(gateway.publisher.records) == 2


async def test_somebody_of_no_programmes_ages_is_taken_and_not_published(gateway: Gateway) -> None:
    answer = await send(gateway, EDIFACT, UNBORN.edifact(), gateway.token())

    assert receipts_of(answer) == [("EPIC394310433", "7")]
    assert topics_of(gateway) == []


async def test_an_unreachable_broker_gets_no_receipt_and_nothing_is_lost(gateway: Gateway) -> None:
    headers, body = gateway.token(), an_interchange(DISCHARGE, ADMISSION)
    gateway.publisher.reachable = False
    failed = await send(gateway, EDIFACT, body, headers)
    gateway.publisher.reachable = True

    answer = await send(gateway, EDIFACT, body, headers)

    assert refused(failed)[:2] == (503, "broker_unavailable")
    assert failed.headers["retry-after"]
    assert len(receipts_of(answer)) == 2
    assert len(gateway.publisher.records) == 4


async def test_a_crash_after_the_confirmation_publishes_the_same_ids_again(tmp_path: Path) -> None:
    body = DISCHARGE.edifact()
    async with a_gateway(tmp_path / "data") as gateway:
        headers = gateway.token()
        gateway.crashes()
        with pytest.raises(Crashed):
            await send(gateway, EDIFACT, body, headers)
        first = gateway.published("discharges")

    async with a_gateway(tmp_path / "data") as gateway:
        answer = await send(gateway, EDIFACT, body, headers)

        assert receipts_of(answer) == [("EPIC394310433", "7")]
        assert gateway.published("discharges") == first


async def test_what_is_not_whole_is_refused_at_the_interchange_and_the_same_each_time(gateway: Gateway) -> None:
    headers, body = gateway.token(), DISCHARGE.edifact().replace(b"UNZ+1", b"UNZ+2")
    first = await send(gateway, EDIFACT, body, headers)
    gateway.clock.now += timedelta(days=1)

    assert b"CTL02" in first.content
    assert b"count_mismatch" in first.content
    assert (await send(gateway, EDIFACT, body, headers)).content == first.content


async def test_receipts_are_never_acknowledged(gateway: Gateway) -> None:
    answer = await send(gateway, EDIFACT, a_letter("CTL03_1"), gateway.token())

    assert (answer.status_code, answer.content) == (202, b"")


async def test_nothing_personal_of_a_letter_is_published_logged_or_kept_in_clear(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [
        await send(gateway, door, a_letter("DIS01_1", suffix), gateway.token())
        for door, suffix in ((EDIFACT, ".edi"), (OIOXML, ".xml"))
    ]

    told = [path.read_bytes() for path in gateway.settings.data_folder.rglob("*") if path.is_file()]
    for record in gateway.publisher.records:
        told += [record.key, record.value, *(value for _, value in record.headers)]
    told += [*(answer.content for answer in answers), capsys.readouterr().out.encode()]
    for personal in ("0108584940", "Mosebryggersen", "Schwenlund", "Grusgraven", "DC249", "galdevejs", "Jacob"):
        assert [one for one in told if personal.encode() in one] == []
    assert len(gateway.publisher.records) == 2


@pytest.mark.parametrize(
    ("door", "body", "status", "code"),
    [
        (EDIFACT, DISCHARGE.oioxml(), 400, "unknown_content"),
        (OIOXML, DISCHARGE.edifact(), 400, "unknown_content"),
        (OIOXML, b"{}", 400, "unknown_content"),
        (EDIFACT, b"hello", 400, "unknown_content"),
        (EDIFACT, b"UNB+UNOC:3'", 400, "element_missing"),
        (OIOXML, b"<!DOCTYPE x><Emessage/>", 400, "document_type"),
    ],
)
async def test_what_nobody_can_be_answered_to_is_refused_by_name(
    gateway: Gateway, door: str, body: bytes, status: int, code: str
) -> None:
    answer = await send(gateway, door, body, gateway.token())

    assert refused(answer)[:2] == (status, code)
    assert topics_of(gateway) == []


async def test_a_client_sends_for_its_own_senders_alone(gateway: Gateway) -> None:
    own, foreign = gateway.token(senders=("5790002515200",)), gateway.token(senders=("5790000143054",))

    assert refused(await send(gateway, EDIFACT, DISCHARGE.edifact(), foreign))[:2] == (403, "foreign_source")
    assert topics_of(gateway) == []
    assert receipts_of(await send(gateway, EDIFACT, DISCHARGE.edifact(), own)) == [("EPIC394310433", "7")]


async def test_a_letter_needs_a_token_and_a_media_type(gateway: Gateway) -> None:
    nobody = await send(gateway, EDIFACT, DISCHARGE.edifact(), {})
    other = await gateway.http.post(
        OIOXML, content=DISCHARGE.oioxml(), headers=gateway.token() | {"content-type": "application/json"}
    )

    assert (nobody.status_code, other.status_code) == (401, 415)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="windows-1252"'])
async def test_a_letter_is_taken_whatever_charset_its_transport_names(
    gateway: Gateway, encoding: str, charset: str
) -> None:
    letter = DISCHARGE.oioxml().replace(b"Psykiatrien", "Børnepsykiatrien".encode(encoding))

    headers = gateway.token() | {"content-type": f"application/xml{charset}"}
    answer = await gateway.http.post(OIOXML, content=letter, headers=headers)

    assert answer.status_code == 200
    assert b"PositiveReceipt" in answer.content


async def test_a_broken_letter_is_refused_and_its_neighbour_taken_in_one_receipt(gateway: Gateway) -> None:
    body = an_interchange(ADMISSION, DISCHARGE).replace(b"S02+02'", b"S02+0\x01'", 1)

    answer = await send(gateway, EDIFACT, body, gateway.token())

    assert sorted(receipts_of(answer)) == sorted([("EPIC2", "4"), (DISCHARGE.identifier, "7")])
    assert topics_of(gateway) == ["persons", "discharges"]


async def test_an_interchange_that_was_cut_off_is_refused_by_a_receipt(gateway: Gateway) -> None:
    answer = await send(gateway, EDIFACT, an_interchange(DISCHARGE)[:-10], gateway.token())

    assert answer.status_code == 200
    assert "CTL02" in answer.text
    assert topics_of(gateway) == []
