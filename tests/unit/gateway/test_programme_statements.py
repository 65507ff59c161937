"""What a programme may state: its replies, its courses, its wishes to bridge; and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway, a_statement, refused


async def test_a_reply_is_keyed_by_the_programmes_pseudonym(gateway: Gateway) -> None:
    pseudonym = gateway.pseudonym("headspace")
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    answer = await gateway.statement("replies", headers, youth_id=pseudonym)

    assert answer.status_code == 201
    [record] = gateway.publisher.records
    assert record.key.decode() == pseudonym
    assert gateway.published("replies")[0]["source"] == "headspace"


async def test_a_reply_names_its_handover_however_the_id_is_written(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")
    own = {"youth_id": gateway.pseudonym("headspace")}
    given_out = a_statement("replies")["subject"]

    answers = [
        await gateway.statement("replies", headers, subject=written, **own)
        for written in (given_out, given_out.upper(), f"urn:uuid:{given_out}")
    ]

    assert [answer.json()["outcome"] for answer in answers] == ["accepted", "repeated", "repeated"]
    assert [reply["subject"] for reply in gateway.published("replies")] == [given_out]


async def test_a_pseudonym_of_another_programme_is_refused(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    answer = await gateway.statement("replies", headers, youth_id=gateway.pseudonym("stime"))

    assert refused(answer) == (422, "unknown_pseudonym", "youth_id")


async def test_free_capacity_names_no_young_person(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    answer = await gateway.statement("replies", headers, youth_id=..., status="free_capacity", free_places=3)

    assert answer.status_code == 201
    assert gateway.publisher.records[0].key == b"headspace"


@pytest.mark.parametrize(
    ("topic", "changes", "expected"),
    [
        ("replies", {"programme": "stime"}, (403, "foreign_programme", "programme")),
        ("replies", {"youth_id": ...}, (422, "missing_field", "youth_id")),
        ("enrolments", {"programme": "stime"}, (403, "foreign_programme", "programme")),
        ("referrals", {"referred_from": "stime", "bridging": True}, (403, "foreign_programme", "referred_from")),
        ("referrals", {"referred_from": "headspace"}, (403, "foreign_programme", "bridging")),
        (
            "enrolments",
            {"programme": "headspace", "person": {"cpr": "0105109996", "protected": False}},
            (422, "foreign_statement", "person.protected"),
        ),
        ("discharges", {}, (403, "foreign_topic", "topic")),
        ("consents", {}, (403, "foreign_topic", "topic")),
    ],
)
async def test_a_programme_speaks_for_itself_alone(
    gateway: Gateway,
    topic: str,
    changes: dict[str, Any],
    expected: tuple[int, str, str],
) -> None:
    answer = await gateway.statement(topic, gateway.token(ClientKind.PROGRAMME, "headspace"), **changes)

    assert refused(answer) == expected


async def test_a_programme_may_ask_for_bridging_and_state_its_courses(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    bridging = await gateway.statement(
        "referrals", headers, referred_from="headspace", bridging=True, status="proposed", decision=...
    )
    course = await gateway.statement("enrolments", headers, programme="headspace")

    assert bridging.status_code == course.status_code == 201


async def test_a_source_gives_no_replies(gateway: Gateway) -> None:
    answer = await gateway.statement("replies", gateway.token())

    assert (answer.status_code, answer.json()["refused"]["code"]) == (403, "forbidden")
