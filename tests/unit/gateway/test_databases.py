"""The gateway on either kind of database: receipts, statements, answers, clients, codes, and what programmes read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.composition import prune_all
from tests.unit.gateway.builders import Gateway, a_gateway, a_message, refused
from tests.unit.gateway.pulling import a_programme, project
from tests.unit.gateway.sent_lists import COURSE, OTHER, VANISHED, Sender, map_courses, outcomes
from tests.unit.gateway.test_claims import a_code, claim
from tests.unit.gateway.test_identities_kept import desk_of
from tests.unit.read_model.builders import told

pytestmark = pytest.mark.long

NAMES = ("vault_url", "ledger_url", "read_model_url")


@pytest.fixture
def databases(new_database: Callable[[], str]) -> dict[str, str]:
    """Returns three empty databases, one for each of the gateway's."""
    return {name: new_database() for name in NAMES}


@pytest.fixture
async def gateway(tmp_path: Path, databases: dict[str, str]) -> AsyncIterator[Gateway]:
    """Runs a gateway on databases that its settings name."""
    async with a_gateway(tmp_path / "data", databases=databases, answer_time_max=timedelta()) as running:
        yield running


async def test_a_message_sent_again_gets_the_answer_that_it_got(gateway: Gateway) -> None:
    headers = gateway.token()

    first, again = [await gateway.message(a_message(), headers) for _ in range(2)]

    assert (first.status_code, again.content) == (200, first.content)
    assert len(gateway.published("discharges")) == 1


async def test_a_statement_is_accepted_repeated_or_in_conflict(gateway: Gateway) -> None:
    headers = gateway.token()
    own = {"event_id": "6f1c2f7a-53c0-5e63-8a58-0f9c1a1c6a34"}

    accepted = await gateway.statement("discharges", headers, **own)
    repeated = await gateway.statement("discharges", headers, **own)
    conflicting = await gateway.statement("discharges", headers, **own, episode_id="another")

    assert [one.json().get("outcome") for one in (accepted, repeated)] == ["accepted", "repeated"]
    assert refused(conflicting)[:2] == (409, "conflicting_duplicate")


async def test_an_idempotency_key_gets_its_answer_and_no_other_body(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "one"}

    first, again = [await gateway.statement("discharges", headers) for _ in range(2)]
    other = await gateway.statement("discharges", headers, episode_id="another")

    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert other.status_code == 422


async def test_a_list_is_known_again_and_what_vanished_from_it_has_ended_once(gateway: Gateway) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    sender = Sender(gateway)

    answers = [await sender.send(*rows) for rows in ([COURSE, OTHER], [COURSE, OTHER], [COURSE], [COURSE])]

    assert [outcome for _, outcome in outcomes(answers[1])] == ["repeated", "repeated"]
    assert [answer.json()["missing"]["told_as_ended"] for answer in answers] == [0, 0, 1, 0]
    assert len(gateway.published("enrolments")) == 3


async def test_a_client_is_let_in_until_it_is_revoked(gateway: Gateway) -> None:
    headers = gateway.token()
    [client] = gateway.clients.listed()
    before = await gateway.statement("discharges", headers)

    revoked = [gateway.clients.revoke(client.client_id, gateway.clock.now) for _ in range(2)]

    assert before.status_code == 201
    assert revoked == [True, False]
    assert (await gateway.statement("discharges", headers)).status_code == 401


async def test_a_claim_code_is_one_programmes(gateway: Gateway) -> None:
    code = await a_code(gateway)

    first = await claim(gateway, code)
    other = await claim(gateway, code, "ungevaerftet")

    assert first.status_code in {200, 202}
    assert refused(other)[1] == "code_used"


async def test_programmes_read_what_was_projected(gateway: Gateway) -> None:
    await project(gateway, told("one", (0, 0)), told("two", (1, 0)))

    answer = await gateway.http.get("/handovers", headers=a_programme(gateway).headers)

    assert answer.status_code == 200
    assert len(json.loads(answer.content)["records"]) == 2


async def test_what_is_over_is_pruned(gateway: Gateway) -> None:
    await gateway.statement("discharges", gateway.token())
    await gateway.message(a_message(), gateway.token())
    gateway.clock.now += timedelta(days=500)

    pruned = prune_all(desk_of(gateway))

    assert (pruned["receipts"], pruned["statements"]) == (1, 1)


async def test_a_restart_goes_on_with_what_was_there(tmp_path: Path, databases: dict[str, str]) -> None:
    async with a_gateway(tmp_path / "data", databases=databases) as before:
        headers = before.token()
        await before.statement("discharges", headers)

    async with a_gateway(tmp_path / "data", databases=databases) as after:
        answer = await after.statement("discharges", headers)

    assert answer.json()["outcome"] == "repeated"
    assert after.publisher.records == []


@pytest.mark.parametrize("path", ["/handovers/%00", "/handovers/a%00b/identity", "/handovers/%00/replies"])
async def test_an_address_that_no_database_takes_is_the_callers_fault(gateway: Gateway, path: str) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace") | {"idempotency-key": "one"}
    method = "POST" if path.endswith("replies") else "GET"

    answer = await gateway.http.request(method, path, headers=headers, json={"status": "accepted"})

    assert refused(answer) == (400, "unreadable_path", "path")


@pytest.mark.parametrize("token", ["\x00", "a\x00.b", ".b", "", "\ud800.b", "'.b"])
def test_a_token_that_no_database_takes_is_unknown(gateway: Gateway, token: str) -> None:
    assert gateway.clients.authenticated(token) is None
