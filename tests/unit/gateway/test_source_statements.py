"""Statements over Kafka: taken as the source whose topic it is, by the rules of its door; each has its receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind, NewClient, Role
from connectors.gateway.over_kafka.inboxes import Received, RecordPosition
from connectors.gateway.over_kafka.source_statements import take_statements
from connectors.gateway.statements.reading import record_of
from connectors.vault.store import VaultUnavailableError
from schemas.events import Enrolment
from schemas.refusals import RefusedError
from tests.unit.gateway.builders import NOW, Gateway, a_statement

CPR = "0105109996"
EVENT_ID = "6a4f6e20-8f4e-4f7e-9d3c-0a7a4f0f7b11"
PERSON = {"cpr": CPR, "municipality": "0217"}
LAWFUL = {"data_controller": "Helsingør Kommune", "legal_basis": "Serviceloven §50"}
_offsets: Iterator[int] = count()


def stated(value: bytes | dict[str, Any], topic: str = "enrolments", **headers: bytes) -> Received:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    place = RecordPosition("brobygger.statements.helsingor.v1", 3, next(_offsets))
    return Received(place, body, {"ce_type": f"brobygger.{topic}.v1".encode(), **headers})


async def take(gateway: Gateway, *records: Received) -> bool:
    return await take_statements(gateway.app.state.desk, "helsingor", records)


def receipts(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(one.value) for one in gateway.publisher.records if one.topic == "receipts.helsingor"]


@pytest.fixture
def source(gateway: Gateway) -> Gateway:
    """Has a source with topics of its own."""
    gateway.token(name="helsingor-kommune", kafka_id="helsingor")
    return gateway


async def test_a_statement_is_the_sources_whose_topic_it_is(source: Gateway) -> None:
    assert await take(source, stated(a_statement("enrolments", event_id=EVENT_ID)))

    [event] = source.published("enrolments")
    assert (event["source"], event["event_id"]) == ("helsingor-kommune", EVENT_ID)
    assert CPR.encode() not in b"".join(one.value for one in source.publisher.records)
    assert receipts(source) == [{"outcome": "accepted", "event_id": EVENT_ID}]


async def test_a_published_event_in_avro_says_the_same_with_its_person_beside_it(source: Gateway) -> None:
    form = a_statement("enrolments", event_id=EVENT_ID, correlation_id=EVENT_ID, source="helsingor-kommune")
    del form["person"]
    event = Enrolment.model_validate(form | {"sent_at": NOW, "recorded_at": NOW})
    avro = record_of("enrolments", event).value

    assert await take(source, stated(avro, person=json.dumps(PERSON).encode()))

    [published] = source.published("enrolments")
    [person] = source.published("persons")
    assert published["event_id"] == EVENT_ID
    assert (person["municipality"], person["youth_id"]) == ("0217", published["youth_id"])


async def test_an_avro_event_without_its_person_or_with_anothers_id_is_refused(source: Gateway) -> None:
    form = a_statement("enrolments", event_id=EVENT_ID, correlation_id=EVENT_ID, source="helsingor-kommune")
    del form["person"]
    event = Enrolment.model_validate(form | {"sent_at": NOW, "recorded_at": NOW})
    person = json.dumps(PERSON).encode()
    named = event.model_copy(update={"youth_id": "00112233445566778899aabbccddeeff"})

    assert await take(
        source,
        stated(record_of("enrolments", event).value),
        stated(record_of("enrolments", event).value, person=b"{"),
        stated(record_of("enrolments", named).value, person=person),
        stated(record_of("enrolments", event).value[:-3], person=person),
    )

    assert [one["refused"]["field"] for one in receipts(source)] == ["person", "person", "youth_id", "value"]
    assert source.published("enrolments") == []


@pytest.mark.parametrize(
    "person", [b'{"cpr": "0105109996", "cpr": "0105109988"}', b'{"cpr": NaN}', b'{"cpr": "\\ud800"}', b"7"]
)
async def test_the_person_beside_an_avro_event_is_read_by_the_rules_of_every_door(
    source: Gateway, person: bytes
) -> None:
    form = a_statement("enrolments", event_id=EVENT_ID, correlation_id=EVENT_ID, source="helsingor-kommune")
    del form["person"]
    event = Enrolment.model_validate(form | {"sent_at": NOW, "recorded_at": NOW})

    assert await take(source, stated(record_of("enrolments", event).value, person=person))

    [receipt] = receipts(source)
    assert (receipt["refused"]["code"], receipt["refused"]["field"]) == ("missing_field", "person")


async def test_statements_of_many_kinds_keep_their_order_and_each_has_its_own_receipt(source: Gateway) -> None:
    records = [
        stated(a_statement("referrals"), "referrals"),
        stated(b"{", "referrals"),
        stated(a_statement("enrolments"), "enrolments"),
        stated(a_statement("referrals", subject="referral-18"), "referrals"),
    ]

    assert await take(source, *records)

    told = [one for one in source.publisher.records if one.topic == "receipts.helsingor"]
    assert [json.loads(one.value)["outcome"] for one in told] == ["accepted", "refused", "accepted", "accepted"]
    assert [dict(one.headers)["offset"].decode() for one in told] == [str(one.place.offset) for one in records]
    assert {dict(one.headers)["partition"] for one in told} == {b"3"}


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff", b"[]", b"[" * 60_000, b"\xc3\x01garbage", b'{"person": 7}'])
async def test_garbage_is_refused_and_what_follows_it_is_taken(source: Gateway, garbage: bytes) -> None:
    assert await take(source, stated(garbage), stated(a_statement("enrolments")))

    assert [one["outcome"] for one in receipts(source)] == ["refused", "accepted"]


@pytest.mark.parametrize("ce_type", [b"", b"brobygger.replies.v1", b"brobygger.intake.v1", b"\xff"])
async def test_what_is_no_statement_of_a_source_is_refused_by_its_type(source: Gateway, ce_type: bytes) -> None:
    assert await take(source, Received(RecordPosition("statements", 0, 1), b"{}", {"ce_type": ce_type}))

    [receipt] = receipts(source)
    assert (receipt["refused"]["code"], receipt["refused"]["field"]) == ("unknown_topic", "ce_type")


async def test_linking_numbers_takes_the_role_as_over_http(source: Gateway) -> None:
    assert await take(source, stated(a_statement("persons"), "persons"))

    assert receipts(source)[0]["refused"]["code"] == "forbidden"


async def test_a_source_states_in_its_own_name_alone(source: Gateway) -> None:
    assert await take(source, stated(a_statement("enrolments", source="region-h")))

    assert receipts(source)[0]["refused"]["code"] == "foreign_source"


async def test_who_is_revoked_is_told_so_and_nothing_is_taken(source: Gateway) -> None:
    [client] = [one for one in source.clients.listed() if one.kafka_id == "helsingor"]
    source.clients.revoke(client.client_id, NOW)

    assert await take(source, stated(a_statement("enrolments")))

    assert receipts(source)[0]["refused"]["code"] == "unauthenticated"
    assert source.published("enrolments") == []


async def test_statements_come_again_where_the_broker_or_a_store_is_away(
    source: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise VaultUnavailableError

    record = stated(a_statement("enrolments"))
    source.publisher.reachable = False
    assert not await take(source, record)
    source.publisher.reachable = True
    with monkeypatch.context() as patch:
        patch.setattr(source.app.state.desk.ledger, "enter", away)
        assert not await take(source, record)

    assert await take(source, record)
    assert len(source.published("enrolments")) == 1


async def test_an_anonymous_consents_claim_code_is_told_again_where_the_record_comes_again(source: Gateway) -> None:
    record = stated(a_statement("consents"), "consents")

    assert await take(source, record)
    assert await take(source, record)

    first, second = receipts(source)
    assert first["claim_code"]
    assert first == second


async def test_no_receipt_repeats_what_may_be_personal(source: Gateway) -> None:
    assert await take(source, stated(a_statement("enrolments", status=CPR, subject=CPR)))

    [told] = [one for one in source.publisher.records if one.topic == "receipts.helsingor"]
    assert CPR.encode() not in told.value + told.key + repr(told.headers).encode()


def test_an_id_on_kafka_is_one_sources_for_ever(source: Gateway) -> None:
    [first] = [one for one in source.clients.listed() if one.kafka_id]
    again = NewClient(kind=ClientKind.SOURCE, name=first.name, kafka_id="helsingor", **LAWFUL)
    another = again.model_copy(update={"name": "aarhus-kommune"})

    with pytest.raises(RefusedError):
        source.clients.create(again, NOW)
    source.clients.revoke(first.client_id, NOW)
    with pytest.raises(RefusedError):
        source.clients.create(another, NOW)

    assert source.clients.create(again, NOW)
    assert source.clients.kafka_ids() == ("helsingor",)


def test_a_programme_has_no_statements_topic(gateway: Gateway) -> None:
    programme = NewClient(kind=ClientKind.PROGRAMME, name="headspace", roles={Role.REPLIES}, kafka_id="headspace")

    with pytest.raises(RefusedError) as refused:
        gateway.clients.create(programme, NOW)

    assert refused.value.refusal.field == "kafka"
