"""Statements over HTTP: single, repeated, refused, by whom, and under an Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.statements.forms import EXAMPLES
from schemas.identifiers import derived_id
from schemas.instants import milliseconds_of
from tests.unit.gateway.builders import NOW, Crashed, Gateway, a_gateway, a_statement, refused

if TYPE_CHECKING:
    from pathlib import Path

EVENT_ID = "8d5c1f6e-9a41-4b8b-9a3c-0f4c8f9d7e21"
STATED_BY_SOURCES = sorted(set(EXAMPLES) - {"replies", "persons"})


@pytest.mark.parametrize("topic", STATED_BY_SOURCES)
async def test_every_topics_example_is_taken(gateway: Gateway, topic: str) -> None:
    answer = await gateway.statement(topic, gateway.token())

    assert (answer.status_code, answer.json()["outcome"]) == (201, "accepted")
    [event] = gateway.published(topic)
    [person] = gateway.published("persons")
    assert event["event_id"] == answer.json()["event_id"]
    assert event["source"] == "region-h"
    assert event["recorded_at"] == event["sent_at"] == milliseconds_of(NOW)
    assert person["municipality"] == "0217"
    assert {record.key.decode() for record in gateway.publisher.records} == {event["youth_id"]}
    assert [record.topic for record in gateway.publisher.records] == ["persons", topic]


async def test_a_person_is_the_same_at_both_doors_however_the_number_is_written(gateway: Gateway) -> None:
    headers = gateway.token()
    for person in (
        {"cpr": "0105109996"},
        {"cpr": "010510-9996"},
        {"system": "urn:oid:1.2.208.176.1.2", "value": "0105109996"},
        {"system": "1.2.208.176.1.2", "value": "010510 9996"},
    ):
        answer = await gateway.statement("enrolments", headers, person=person)
        assert answer.status_code in {200, 201}

    assert len({event["youth_id"] for event in gateway.published("enrolments")}) == 1
    assert len(gateway.published("enrolments")) == 1


async def test_a_replacement_number_tells_no_birth_date(gateway: Gateway) -> None:
    person = {"system": "urn:oid:1.2.208.176.1.6.1.3", "value": "0105106AB9", "municipality": "0217"}
    await gateway.statement("enrolments", gateway.token(), person=person)

    assert gateway.published("persons")[0]["birth_date"] is None


async def test_a_number_with_sixty_added_to_its_day_is_a_replacement_too(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token(), person={"cpr": "610510-9996"})

    assert answer.status_code == 201
    assert [person["birth_date"] for person in gateway.published("persons")] in ([], [None])


async def test_where_nothing_is_known_no_person_goes_along(gateway: Gateway) -> None:
    person = {"system": "urn:oid:1.2.208.176.1.6.1.3", "value": "0105106AB9"}
    await gateway.statement("enrolments", gateway.token(), person=person)

    assert [record.topic for record in gateway.publisher.records] == ["enrolments"]


async def test_a_stay_told_here_has_the_episode_and_correlation_of_the_medcom_door(gateway: Gateway) -> None:
    episode = "BD481C38-A921-11ED-AFA1-0242AC120002"
    await gateway.statement("discharges", gateway.token(), episode_id=episode)

    [event] = gateway.published("discharges")
    assert event["episode_id"] == "bd481c38a92111edafa10242ac120002"
    assert event["correlation_id"] == str(derived_id("episode", event["episode_id"]))


async def test_a_repeat_is_known_by_its_content_and_not_published_again(gateway: Gateway) -> None:
    headers = gateway.token()
    first = await gateway.statement("discharges", headers)
    gateway.clock.now += timedelta(hours=1)

    second = await gateway.statement("discharges", headers, sent_at="2026-01-10T13:00:00+01:00")

    assert (second.status_code, second.json()["outcome"]) == (200, "repeated")
    assert second.json()["event_id"] == first.json()["event_id"]
    assert gateway.publisher.batches == 1


async def test_a_given_event_id_stands(gateway: Gateway) -> None:
    headers = gateway.token()

    assert (await gateway.statement("discharges", headers, event_id=EVENT_ID)).json()["event_id"] == EVENT_ID
    assert (await gateway.statement("discharges", headers, event_id=EVENT_ID)).status_code == 200


async def test_an_event_id_with_other_content_is_a_conflict(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.statement("discharges", headers, event_id=EVENT_ID)

    answer = await gateway.statement("discharges", headers, event_id=EVENT_ID, unit="another")

    assert refused(answer) == (409, "conflicting_duplicate", "event_id")
    assert gateway.publisher.batches == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "other"},
        {"occurred_at": "2026-01-10T09:31:00+01:00"},
        {"status": "admitted"},
        {"person": {"cpr": "0205109996"}},
        {"person": {"cpr": "0105109996", "municipality": "0101"}},
    ],
)
async def test_any_other_content_is_another_event(gateway: Gateway, changes: dict[str, Any]) -> None:
    headers = gateway.token()
    first = await gateway.statement("discharges", headers)

    other = await gateway.statement("discharges", headers, **changes)

    assert other.status_code == 201
    assert other.json()["event_id"] != first.json()["event_id"]


async def test_an_unreachable_broker_is_said_and_the_same_may_come_again(gateway: Gateway) -> None:
    headers = gateway.token()
    gateway.publisher.reachable = False
    failed = await gateway.statement("discharges", headers)
    gateway.publisher.reachable = True
    gateway.clock.now += timedelta(hours=1)

    answer = await gateway.statement("discharges", headers)

    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    assert refused(failed)[1] == "broker_unavailable"
    assert answer.status_code == 201
    assert gateway.published("discharges")[0]["recorded_at"] == milliseconds_of(NOW)


async def test_killed_after_the_confirmation_the_repeat_publishes_the_same_bytes(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as first:
        headers = first.token()
        first.crashes()
        with pytest.raises(Crashed):
            await first.statement("discharges", headers)
    async with a_gateway(tmp_path) as second:
        second.clock.now += timedelta(hours=1)
        answer = await second.statement("discharges", headers)

    assert answer.status_code == 201
    assert second.publisher.records == first.publisher.records


@pytest.mark.parametrize(
    ("topic", "changes", "expected"),
    [
        ("discharges", {"status": ...}, (422, "missing_field", "status")),
        ("discharges", {"status": "gone"}, (422, "unknown_code", "status")),
        ("discharges", {"colour": "red"}, (422, "unknown_field", "colour")),
        ("discharges", {"Jens Hansen": 1}, (422, "unknown_field", "(another name)")),
        ("discharges", {"youth_id": "0" * 32}, (422, "unknown_field", "youth_id")),
        ("discharges", {"recorded_at": "2026-01-10T09:30:00Z"}, (422, "unknown_field", "recorded_at")),
        ("discharges", {"occurred_at": "2026-02-30T09:30:00+01:00"}, (422, "impossible_time", "occurred_at")),
        ("discharges", {"occurred_at": "2026-01-10T09:30:00"}, (422, "wrong_form", "occurred_at")),
        ("discharges", {"occurred_at": 1_768_000_000}, (422, "wrong_form", "occurred_at")),
        ("discharges", {"occurred_at": "1768033800"}, (422, "impossible_time", "occurred_at")),
        ("discharges", {"occurred_at": "20260110"}, (422, "impossible_time", "occurred_at")),
        ("discharges", {"occurred_at": "9999-12-31T23:59:59-05:00"}, (422, "impossible_time", "occurred_at")),
        ("consents", {"receiver": None, "purpose": None}, (422, "unspecific_consent", "body")),
        ("discharges", {"event_id": "1"}, (422, "wrong_form", "event_id")),
        ("discharges", {"source_sequence": 2**63}, (422, "wrong_form", "source_sequence")),
        ("discharges", {"source_sequence": 10**4000}, (422, "wrong_form", "source_sequence")),
        ("discharges", {"unit": ""}, (422, "wrong_form", "unit")),
        ("discharges", {"unit": "a\x07"}, (422, "wrong_form", "unit")),
        ("discharges", {"unit": "a\x00"}, (400, "unfit_text", "body")),
        ("discharges", {"unit": "a" * 129}, (422, "wrong_form", "unit")),
        ("discharges", {"subject": "010510-9996"}, (422, "identifier_in_text", "subject")),
        ("discharges", {"subject": "610510-9996"}, (422, "identifier_in_text", "subject")),
        ("discharges", {"subject": "x0105109996"}, (422, "identifier_in_text", "subject")),
        ("enrolments", {"started_on": "1768003200"}, (422, "impossible_date", "started_on")),
        ("enrolments", {"started_on": "2026-02-30"}, (422, "impossible_date", "started_on")),
        ("enrolments", {"person": ...}, (422, "missing_field", "person")),
        ("enrolments", {"person": {}}, (422, "wrong_form", "person")),
        ("enrolments", {"person": {"cpr": "0105109996", "nickname": "J"}}, (422, "unknown_field", "person.nickname")),
        ("enrolments", {"person": {"cpr": "3113109996"}}, (422, "invalid_cpr", "person.cpr")),
        ("enrolments", {"person": {"cpr": "010510999"}}, (422, "invalid_cpr", "person.cpr")),
        (
            "enrolments",
            {"person": {"system": "urn:oid:1.2.3", "value": "1"}},
            (422, "unknown_identifier_system", "person.system"),
        ),
        (
            "enrolments",
            {"person": {"cpr": "0105109996", "municipality": "217"}},
            (422, "wrong_form", "person.municipality"),
        ),
        ("consents", {"given_by": ["mother"]}, (422, "unknown_code", "given_by[0]")),
        ("enrolments", {"programme": "psykinfo"}, (422, "no_individual_pathway", "programme")),
        ("referrals", {"referred_to": "PsykInfo"}, (422, "no_individual_pathway", "referred_to")),
        ("consents", {"receiver": "psykinfo"}, (422, "no_individual_pathway", "receiver")),
        ("enrolments", {"source": "region-m"}, (403, "foreign_source", "source")),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_breaks_a_rule_is_refused_by_field(
    refusing: Gateway,
    topic: str,
    changes: dict[str, Any],
    expected: tuple[int, str, str],
) -> None:
    answer = await refusing.statement(topic, refusing.token(), **changes)

    assert refused(answer) == expected
    assert "0105109996" not in answer.text
    assert refusing.publisher.records == []


async def test_the_greatest_sequence_that_is_taken_is_read_too(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token(), source_sequence=2**63 - 1)

    assert answer.status_code == 201
    assert gateway.published("discharges")[0]["source_sequence"] == 2**63 - 1


async def test_the_clients_own_name_may_stand_as_source(gateway: Gateway) -> None:
    assert (await gateway.statement("discharges", gateway.token(), source="region-h")).status_code == 201


async def test_a_topic_that_is_none_is_not_found(gateway: Gateway) -> None:
    for topic in ("notices", "intake", "handovers", "nonsense"):
        answer = await gateway.http.post(f"/events/{topic}", json={}, headers=gateway.token())
        assert (answer.status_code, answer.json()["refused"]["code"]) == (404, "unknown_topic")


async def test_an_answers_event_id_is_a_uuid(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token())

    assert UUID(answer.json()["event_id"]).version == 5


async def test_a_form_without_its_person_is_never_mistaken(gateway: Gateway) -> None:
    assert "person" not in a_statement("replies")
    answer = await gateway.statement(
        "replies", gateway.token(ClientKind.PROGRAMME, "headspace"), person={"cpr": "0105109996"}
    )

    assert refused(answer) == (422, "unknown_field", "person")
