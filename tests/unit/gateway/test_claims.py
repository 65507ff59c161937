"""Claim codes over HTTP: shown with the consent, claimed by one programme, never lost by a refusal or a lost answer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.vault.claim_codes import new_code, read_code
from schemas.codes import ReplyStatus
from tests.unit.gateway.answering import FakeDomain
from tests.unit.gateway.builders import NDJSON, NOW, Crashed, Gateway, a_gateway, a_statement, refused
from tests.unit.gateway.pulling import a_programme
from tests.unit.vault.builders import everything_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long


async def a_code(gateway: Gateway, **changes: Any) -> str:
    """Returns the claim code of an anonymous consent."""
    answer = await gateway.statement("consents", gateway.token(), **changes)
    code: str = answer.json()["claim_code"]
    return code


async def claim(gateway: Gateway, code: str, programme: str = "headspace") -> httpx.Response:
    """Claims a code with a new token of a programme."""
    headers = gateway.token(ClientKind.PROGRAMME, programme)
    return await gateway.http.post("/claims", json={"code": code}, headers=headers)


async def test_an_anonymous_consent_gets_its_code_and_the_same_one_where_it_comes_again(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "one"}
    first = await gateway.statement("consents", headers)
    same_key = await gateway.statement("consents", headers)
    without_key = await gateway.statement("consents", gateway.token())

    code = first.json()["claim_code"]
    assert read_code(code) is not None
    assert first.status_code == 201
    assert same_key.content == first.content
    assert without_key.json() == first.json() | {"outcome": "repeated"}
    assert len(gateway.published("consents")) == 1
    assert code.encode() not in everything_in(gateway.settings.data_folder)


@pytest.mark.parametrize("lost", ["claimed", "a day ago", "erased"])
async def test_where_a_repeat_gets_no_code_it_is_told_how_to_get_a_new_one(gateway: Gateway, lost: str) -> None:
    headers = gateway.token()
    body = {"event_id": "6a4f6e20-8f4e-4f7e-9d3c-0a7a4f0f7b11"}
    code = (await gateway.statement("consents", headers, **body)).json()["claim_code"]
    if lost == "claimed":
        await claim(gateway, code)
    elif lost == "a day ago":
        gateway.clock.now += timedelta(days=1)
    else:
        gateway.app.state.desk.claim_codes.prune(NOW + timedelta(days=61))

    again = await gateway.statement("consents", headers, **body)
    anew = await gateway.statement("consents", headers, subject="another")

    assert "claim_code" not in again.json()
    assert "new code" in again.json()["claim_code_help"]
    assert anew.json()["claim_code"] != code


async def test_another_consent_of_the_same_person_gets_another_code(gateway: Gateway) -> None:
    codes = {await a_code(gateway, subject=f"consent-{number}") for number in range(5)}

    assert len(codes) == 5


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        ("consents", {"scope": "named"}),
        ("consents", {"decision": "refused"}),
        ("consents", {"decision": "withdrawn"}),
        ("consents", {"decision": "given", "purpose": ...}),
        ("enrolments", {}),
    ],
)
async def test_nothing_else_gets_a_code(gateway: Gateway, topic: str, changes: dict[str, Any]) -> None:
    answer = await gateway.statement(topic, gateway.token(), **changes)

    assert "claim_code" not in answer.text


async def test_each_line_gets_its_own_code(gateway: Gateway) -> None:
    lines = [
        a_statement("consents"),
        a_statement("consents", subject="named", scope="named"),
        {"not": "a consent"},
        a_statement("consents", subject="other"),
    ]
    content = "\n".join(map(json.dumps, lines))

    answer = await gateway.http.post("/events/consents", content=content, headers=gateway.token() | NDJSON)

    report = [json.loads(line) for line in answer.text.splitlines()]
    assert [("claim_code" in line, line["outcome"]) for line in report] == [
        (True, "accepted"),
        (False, "accepted"),
        (False, "refused"),
        (True, "accepted"),
    ]
    assert report[0]["claim_code"] != report[3]["claim_code"]


async def test_a_consent_that_was_not_confirmed_gets_its_code_when_it_is(gateway: Gateway) -> None:
    headers = gateway.token()
    gateway.publisher.reachable = False
    unconfirmed = await gateway.statement("consents", headers)
    gateway.publisher.reachable = True

    confirmed = await gateway.statement("consents", headers)

    assert (unconfirmed.status_code, "claim_code" in unconfirmed.text) == (503, False)
    assert read_code(confirmed.json()["claim_code"]) is not None


async def test_a_crash_after_the_confirmation_costs_no_code(gateway: Gateway) -> None:
    headers = gateway.token()
    gateway.crashes()
    with pytest.raises(Crashed):
        await gateway.statement("consents", headers)

    answer = await gateway.statement("consents", headers)

    assert answer.status_code == 201
    assert read_code(answer.json()["claim_code"]) is not None


async def test_a_claim_is_a_reply_of_the_programme_and_gets_its_answer(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    domain.answer = {"state": "in_contact"}

    answer = await claim(gateway, code.lower().replace("-", " "))

    assert (answer.status_code, answer.json()["outcome"], answer.json()["state"]) == (200, "accepted", "in_contact")
    [reply] = domain.replies
    [consent] = gateway.published("consents")
    desk = gateway.app.state.desk
    assert (reply.status, reply.subject, reply.programme) == (ReplyStatus.CODE_CLAIMED, "claim", "headspace")
    assert desk.pseudonyms.youth_of("headspace", reply.youth_id) == consent["youth_id"]
    assert reply.youth_id != desk.pseudonyms.pseudonym_of("headspace", consent["youth_id"])
    assert str(reply.event_id) == answer.json()["event_id"]


async def test_a_repeat_of_a_claim_is_the_same_event_and_gets_the_same_answer(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    first = await claim(gateway, code)
    gateway.clock.now += timedelta(hours=1)

    assert (await claim(gateway, code)).json() == first.json()
    assert len(domain.replies) == 1


async def test_what_another_programme_has_claimed_is_used(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    await claim(gateway, code)

    assert refused(await claim(gateway, code, "unik-recovery-young")) == (409, "code_used", "code")
    assert len(domain.replies) == 1


async def test_a_claim_that_the_domain_refuses_says_why_and_leaves_the_code(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    domain.answer = {"type": "reply_refused", "reason_code": "unknown_handover", "state": None}
    first = await claim(gateway, code)
    domain.answer = {"state": "in_contact"}

    second = await claim(gateway, code, "ungevaerftet")

    assert (first.status_code, first.json()["reason_code"]) == (409, "unknown_handover")
    assert first.json()["refused"]["code"] == "unknown_handover"
    assert (second.status_code, second.json()["outcome"]) == (200, "accepted")
    assert len({reply.event_id for reply in domain.replies}) == 2


async def test_the_same_programme_may_try_again_after_a_refusal(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    domain.answer = {"type": "reply_refused", "reason_code": "unknown_handover", "state": None}
    await claim(gateway, code)
    domain.answer = {"state": "in_contact"}

    assert (await claim(gateway, code)).status_code == 200


async def test_an_answer_that_does_not_come_in_time_is_asked_for_later(tmp_path: Path) -> None:
    async with a_gateway(tmp_path / "data", answer_time_max=timedelta()) as gateway:
        code = await a_code(gateway)
        headspace = a_programme(gateway)
        waiting = await gateway.http.post("/claims", json={"code": code}, headers=headspace.headers)
        asked = await headspace.get(waiting.headers["location"])
        other = await a_programme(gateway, "ungevaerftet").get(waiting.headers["location"])
        again = await gateway.http.post("/claims", json={"code": code}, headers=headspace.headers)

        assert [one.status_code for one in (waiting, asked, other, again)] == [202, 202, 404, 202]
        assert again.json() == waiting.json()
        replies = [record for record in gateway.publisher.records if record.topic == "replies"]
        assert len(replies) == 2
        assert replies[0] == replies[1]


async def test_a_claim_that_the_broker_has_not_confirmed_may_be_made_again(gateway: Gateway) -> None:
    domain, code = FakeDomain(gateway), await a_code(gateway)
    gateway.publisher.reachable = False
    unconfirmed = await claim(gateway, code)
    gateway.publisher.reachable = True

    assert refused(unconfirmed)[:2] == (503, "broker_unavailable")
    assert (await claim(gateway, code)).status_code == 200
    assert len(domain.replies) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"code": "0000-0000-001"}, (422, "code_malformed", "code")),
        ({"code": "X" * 65}, (422, "wrong_form", "code")),
        ({"code": 7}, (422, "wrong_form", "code")),
        ({"code": "7K3Q-X9M2-TDF", "youth_id": "a" * 32}, (422, "unknown_field", "youth_id")),
        ({}, (422, "missing_field", "code")),
    ],
)
async def test_what_is_no_claim_is_refused(
    gateway: Gateway, body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    assert refused(await gateway.http.post("/claims", json=body, headers=headers)) == expected


async def test_guessing_ends_at_its_limit_for_the_token_that_guesses_alone(gateway: Gateway) -> None:
    code = await a_code(gateway)
    guesser = gateway.token(ClientKind.PROGRAMME, "headspace")

    async def guessed(code: str) -> tuple[int, str, str]:
        return refused(await gateway.http.post("/claims", json={"code": code}, headers=guesser))

    guesses = [(await guessed(new_code()))[:2] for _ in range(11)]

    assert guesses == [(404, "code_unknown")] * 10 + [(429, "too_many_attempts")]
    assert await guessed(code) == (429, "too_many_attempts", "code")
    assert (await claim(gateway, code)).status_code == 202


async def test_an_expired_code_is_gone(gateway: Gateway) -> None:
    code = await a_code(gateway)
    gateway.clock.now += timedelta(days=30)

    assert refused(await claim(gateway, code)) == (410, "code_expired", "code")


async def test_only_programmes_claim(gateway: Gateway) -> None:
    answer = await gateway.http.post("/claims", json={"code": new_code()}, headers=gateway.token())

    assert answer.status_code == 403


@pytest.mark.parametrize("status", ["code_claimed", "identity_wanted", "undeliverable"])
async def test_no_programme_states_what_the_service_alone_can_vouch_for(gateway: Gateway, status: str) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")

    answer = await gateway.statement("replies", headers, status=status, youth_id=gateway.pseudonym("headspace"))

    assert refused(answer)[1:] == ("foreign_statement", "status")
    assert gateway.publisher.records == []


async def test_the_log_holds_neither_code_nor_hash(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    FakeDomain(gateway)
    code = await a_code(gateway)
    await claim(gateway, code)

    printed = capsys.readouterr()
    assert "code_claimed" in printed.out
    for spelling in (code, code.replace("-", "")):
        assert spelling not in printed.out + printed.err
