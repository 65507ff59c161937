"""What the JSON door refuses, stage 1 refuses where it is written to the topic past the door: same code, same field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.codec import codec, raw_of
from schemas.instants import milliseconds_of
from schemas.refusals import RefusedError
from schemas.topics import entry_of
from tests.unit.gateway.builders import Gateway, refused

pytestmark = pytest.mark.long

BEFORE = datetime(1899, 12, 31, 23, 59, 59, tzinfo=UTC)
AFTER = datetime(2200, 1, 1, tzinfo=UTC)
TWO_OF_ONE = {"custody": "sole", "given_by": ["custody_holder", "other_custody_holder"]}
REPEATED = [
    ("consents", "given_by", ["young_person"] * 2),
    ("referrals", "needs", ["plan"] * 2),
    ("discharges", "remarks", ["inconsistent_status"] * 2),
]
DAYS_1849, DAYS_2200 = -43_830, 84_006
BROKEN: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str]]] = [
    (topic, {field: when.isoformat()}, {field: milliseconds_of(when)}, ("impossible_time", field))
    for topic, field in [
        ("discharges", "occurred_at"),
        ("discharges", "sent_at"),
        ("discharges", "planned_at"),
        ("referrals", "status_at"),
        ("enrolments", "status_at"),
        ("consents", "lapses_at"),
    ]
    for when in (BEFORE, AFTER)
] + [
    ("enrolments", {field: day}, {field: days}, ("impossible_date", field))
    for field in ("started_on", "ended_on", "expected_end_on")
    for day, days in (("1849-12-31", DAYS_1849), ("2200-01-01", DAYS_2200))
]
BROKEN += [
    ("discharges", {"unit": ""}, {"unit": ""}, ("wrong_form", "unit")),
    ("discharges", {"cancels": "no-uuid"}, {"cancels": "no-uuid"}, ("wrong_form", "cancels")),
    ("enrolments", {"reason_code": "Why?"}, {"reason_code": "Why?"}, ("wrong_form", "reason_code")),
    ("enrolments", {"source_sequence": -1}, {"source_sequence": -1}, ("wrong_form", "source_sequence")),
    ("consents", {"purpose": None}, {"purpose": None}, ("unspecific_consent", "body")),
    *((topic, {name: two}, {name: two}, ("repeated_code", name)) for topic, name, two in REPEATED),
    *(
        (topic, {name: many}, {name: many}, ("too_many", name))
        for topic, name, [code, _] in REPEATED
        for many in [[code] * 17]
    ),
    ("consents", TWO_OF_ONE, TWO_OF_ONE, ("contradicting_custody", "body")),
]


async def a_raw(gateway: Gateway, topic: str, headers: dict[str, str]) -> dict[str, Any]:
    """Returns a topic's example as numbers and text, as the gateway publishes it."""
    assert (await gateway.statement(topic, headers)).status_code == 201
    return gateway.published(topic)[0]


@pytest.mark.parametrize(("topic", "changes", "raw_changes", "expected"), BROKEN)
async def test_a_broken_rule_has_one_code_and_field_at_the_door_and_behind_it(
    gateway: Gateway,
    topic: str,
    changes: dict[str, Any],
    raw_changes: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    headers = gateway.token()
    model = entry_of(topic).model
    assert model is not None
    value = codec(model).encode_raw(await a_raw(gateway, topic, headers) | raw_changes)

    answer = await gateway.statement(topic, headers, **changes)
    with pytest.raises(RefusedError) as caught:
        codec(model).decode(value)

    assert refused(answer)[1:] == (caught.value.refusal.code, caught.value.refusal.field) == expected


async def test_the_first_and_the_last_time_are_taken_behind_the_door(gateway: Gateway) -> None:
    first, last = datetime(1900, 1, 1, tzinfo=UTC), AFTER - timedelta(milliseconds=1)
    times = {"occurred_at": milliseconds_of(first), "planned_at": milliseconds_of(last)}
    event = await a_raw(gateway, "discharges", gateway.token()) | times
    model = entry_of("discharges").model
    assert model is not None

    assert raw_of(codec(model).validated(event)) == event


async def test_every_birth_that_a_number_can_tell_is_taken_behind_the_door(gateway: Gateway) -> None:
    answer = await gateway.statement("consents", gateway.token(), person={"cpr": "0101585000"})

    assert answer.status_code == 201
    [person] = gateway.published("persons")
    model = entry_of("persons").model
    assert model is not None
    assert codec(model).validated(person).model_dump()["birth_date"].year == 1858
