"""The four-way rule over HTTP: new, repeat, resubmission, error; and what can't be answered."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.medcom_fhir.acknowledgement_rules import defects_of_acknowledgement
from connectors.vault.store import VaultUnavailableError
from tests.unit.gateway.builders import (
    NOW,
    Crashed,
    Gateway,
    a_gateway,
    a_message,
    response_code,
    with_header_id,
)

if TYPE_CHECKING:
    from pathlib import Path


class UnreachableVault:
    """A vault that can't be reached."""

    def youth_id(self, _identifier_system: str, _value: str) -> str:
        """Raises, whoever is asked for."""
        raise VaultUnavailableError


NEW_BUNDLE = "0b7d6f3e-5b1b-4f6e-9d43-5a3f1a2b3c4d"
NEW_HEADER = "1c8e7a4f-6c2c-4a7f-8e54-6b4a2b3c4d5e"


async def test_a_new_message_is_published_and_acknowledged(gateway: Gateway) -> None:
    answer = await gateway.message(a_message(), gateway.token())

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert response_code(answer) == "ok"
    assert defects_of_acknowledgement(answer.json()) == ()
    assert [record.topic for record in gateway.publisher.records] == ["persons", "discharges"]


async def test_records_are_keyed_by_youth_id_and_mirror_the_envelope(gateway: Gateway) -> None:
    await gateway.message(a_message(), gateway.token())

    [discharge] = gateway.published("discharges")
    record = gateway.publisher.records[1]
    headers = dict(record.headers)
    assert record.key.decode() == discharge["youth_id"]
    assert headers["ce_id"].decode() == discharge["event_id"]
    assert headers["ce_subject"].decode() == discharge["subject"]
    assert headers["ce_type"] == b"brobygger.discharges.v1"


async def test_a_repeat_gets_the_original_acknowledgement_and_publishes_nothing(gateway: Gateway) -> None:
    headers = gateway.token()
    first = await gateway.message(a_message(), headers)
    gateway.clock.now += timedelta(days=3)

    second = await gateway.message(a_message(), headers)

    assert second.content == first.content
    assert len(gateway.publisher.records) == 2


async def test_a_resubmission_with_the_same_content_is_acknowledged_and_not_published(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.message(a_message(), headers)

    answer = await gateway.message(a_message(id=NEW_BUNDLE, timestamp="2026-01-10T13:00:00+01:00"), headers)

    assert response_code(answer) == "ok"
    assert len(gateway.publisher.records) == 2
    assert (await gateway.message(a_message(id=NEW_BUNDLE), headers)).content == answer.content


async def test_a_resubmission_with_other_content_is_a_fatal_error(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.message(a_message(), headers)
    changed = json.loads(json.dumps(a_message(id=NEW_BUNDLE)).replace("2022-12-18T09", "2022-12-18T08"))

    answer = await gateway.message(changed, headers)

    assert response_code(answer) == "fatal-error"
    assert len(gateway.publisher.records) == 2
    assert (await gateway.message(changed, headers)).content == answer.content


async def test_a_known_bundle_with_a_new_header_is_a_fatal_error(gateway: Gateway) -> None:
    headers = gateway.token()
    await gateway.message(a_message(), headers)

    answer = await gateway.message(with_header_id(a_message(), NEW_HEADER), headers)

    assert response_code(answer) == "fatal-error"
    assert len(gateway.publisher.records) == 2


async def test_ids_are_the_same_in_both_spellings(gateway: Gateway) -> None:
    headers = gateway.token()
    first = await gateway.message(a_message(), headers)

    again = await gateway.message(a_message(id=f"urn:uuid:{a_message()['id']}".upper()), headers)

    assert again.content == first.content


async def test_a_refused_message_is_repeated_as_refused_and_may_come_corrected(gateway: Gateway) -> None:
    headers = gateway.token()
    broken = json.loads(json.dumps(a_message()).replace('"finished"', '"no-such-status"'))
    first = await gateway.message(broken, headers)

    assert response_code(first) == "fatal-error"
    assert (await gateway.message(broken, headers)).content == first.content
    assert response_code(await gateway.message(a_message(id=NEW_BUNDLE), headers)) == "ok"
    assert len(gateway.publisher.records) == 2


async def test_an_unreachable_broker_is_a_transient_error_and_nothing_is_done(gateway: Gateway) -> None:
    headers = gateway.token()
    gateway.publisher.reachable = False
    failed = await gateway.message(a_message(), headers)
    gateway.publisher.reachable = True

    answer = await gateway.message(a_message(), headers)

    assert response_code(failed) == "transient-error"
    assert defects_of_acknowledgement(failed.json()) == ()
    assert response_code(answer) == "ok"
    assert len(gateway.publisher.records) == 2


async def test_after_a_transient_error_a_new_bundle_carries_the_letter_too(gateway: Gateway) -> None:
    headers = gateway.token()
    gateway.publisher.reachable = False
    await gateway.message(a_message(), headers)
    gateway.publisher.reachable = True

    answer = await gateway.message(a_message(id=NEW_BUNDLE), headers)
    first_again = await gateway.message(a_message(), headers)

    assert response_code(answer) == response_code(first_again) == "ok"
    assert len(gateway.publisher.records) == 2


async def test_killed_between_confirmation_and_answer_the_repeat_gets_the_same_acknowledgement(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as first:
        headers = first.token()
        first.crashes()
        with pytest.raises(Crashed):
            await first.message(a_message(), headers)
    async with a_gateway(tmp_path) as second:
        second.clock.now = NOW + timedelta(hours=1)
        answer = await second.message(a_message(), headers)
        again = await second.message(a_message(), headers)

    assert answer.content == again.content
    assert response_code(answer) == "ok"
    assert second.publisher.records == first.publisher.records


async def test_the_same_message_many_times_at_once_gets_one_acknowledgement(gateway: Gateway) -> None:
    headers = gateway.token()
    answers = await asyncio.gather(*(gateway.message(a_message(), headers) for _ in range(8)))

    assert len({answer.content for answer in answers}) == 1
    assert len({record.value for record in gateway.publisher.records}) == 2


async def test_a_vault_that_cannot_be_reached_is_said_and_nothing_is_recorded(gateway: Gateway) -> None:
    desk, headers = gateway.app.state.desk, gateway.token()
    vault = desk.medcom.identities
    object.__setattr__(desk.medcom, "identities", UnreachableVault())
    failed = await gateway.message(a_message(), headers)
    object.__setattr__(desk.medcom, "identities", vault)

    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    assert failed.json()["resourceType"] == "OperationOutcome"
    assert response_code(await gateway.message(a_message(), headers)) == "ok"


@pytest.mark.parametrize(("first", "second"), [("1-12", "11-2"), ("Xa7", "xA7")])
async def test_letters_whose_ids_differ_by_a_hyphen_or_a_capital_are_two(
    gateway: Gateway, first: str, second: str
) -> None:
    answers = [
        await gateway.message(with_header_id(a_message(), header_id) | {"id": f"b{header_id}"}, gateway.token())
        for header_id in (first, second)
    ]

    headers = [answer.json()["entry"][0]["resource"] for answer in answers]
    assert [header["response"]["identifier"] for header in headers] == [first, second]
    assert len({event["event_id"] for event in gateway.published("discharges")}) == 2
