"""Who comes in: tokens, roles, rates and bodies, and what the gateway tells about itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from connectors.gateway.clients.clients import ClientKind, NewClient, Role
from connectors.gateway.clients.rate import RateLimit
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.statements.forms import FORMS
from connectors.gateway.tables import CLIENTS, in_transaction, open_ledger
from schemas.refusals import RefusedError
from tests.unit.gateway.builders import NOW, Gateway, a_gateway, a_statement, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

A_SOURCE = NewClient(kind=ClientKind.SOURCE, name="region-h", data_controller="Region H", legal_basis="§43")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer x"},
        {"authorization": "Basic eDp5"},
        {"authorization": "Bearer " + "x" * 5_000},
    ],
)
async def test_without_a_token_nobody_comes_in(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await gateway.statement("discharges", headers)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["refused"]["code"] == "unauthenticated"


async def test_a_changed_token_is_unknown(gateway: Gateway) -> None:
    token = gateway.clients.create(A_SOURCE, NOW)
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")

    assert gateway.clients.authenticated(token) is not None
    assert gateway.clients.authenticated(changed) is None


async def test_a_revoked_token_is_refused_from_then_on(gateway: Gateway) -> None:
    headers = gateway.token()
    [client] = gateway.clients.listed()

    assert gateway.clients.revoke(client.client_id, NOW) is True
    assert gateway.clients.revoke(client.client_id, NOW) is False
    assert (await gateway.statement("discharges", headers)).status_code == 401
    assert gateway.clients.listed()[0].revoked_at == NOW


async def test_a_token_is_kept_nowhere(gateway: Gateway) -> None:
    secret = gateway.clients.create(A_SOURCE, NOW).partition(".")[2]

    for path in gateway.settings.data_folder.rglob("*.sqlite*"):
        assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data_controller": None}, "missing_data_controller"),
        ({"legal_basis": None}, "missing_legal_basis"),
        ({"data_controller": " "}, "missing_data_controller"),
        (
            {"kind": ClientKind.PROGRAMME, "roles": frozenset({Role.STATEMENTS}), "legal_basis": None},
            "missing_legal_basis",
        ),
        ({"name": "PsykInfo"}, "no_individual_pathway"),
        ({"roles": frozenset({Role.REPLIES})}, "foreign_role"),
        ({"roles": frozenset({Role.MEDCOM})}, "missing_sender"),
        ({"roles": frozenset({Role.STATEMENTS}), "any_sender": True}, "foreign_sender"),
        ({"kind": ClientKind.PROGRAMME, "senders": ("265161000016000",)}, "foreign_sender"),
    ],
)
async def test_an_incomplete_client_is_refused(gateway: Gateway, changes: dict[str, object], code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        gateway.clients.create(A_SOURCE.model_copy(update=changes), NOW)


async def test_a_role_that_a_client_lacks_is_forbidden(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token(roles=frozenset({Role.MEDCOM}), any_sender=True))

    assert (answer.status_code, answer.json()["refused"]["code"]) == (403, "forbidden")


async def test_a_client_that_comes_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with a_gateway(tmp_path, requests_per_second=1, requests_burst=2) as gateway:
        headers, other = gateway.token(), gateway.token(name="region-m")
        statuses = [(await gateway.statement("discharges", headers)).status_code for _ in range(3)]
        limited = await gateway.statement("discharges", headers)
        statuses.append((await gateway.statement("discharges", other)).status_code)
        gateway.clock.seconds += 1
        statuses.append((await gateway.statement("discharges", headers)).status_code)

    assert statuses == [201, 200, 429, 201, 200]
    assert limited.headers["retry-after"] == "1"


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    now = [0.0]
    limit = RateLimit(10, 2, lambda: now[0])
    now[0] = 1_000.0

    assert [limit.wait_seconds("a") for _ in range(3)] == [0, 0, 1]


async def test_a_declared_body_that_is_too_large_is_turned_away(tmp_path: Path) -> None:
    async with a_gateway(tmp_path, body_bytes_max=100) as gateway:
        answer = await gateway.http.post(
            "/events/discharges",
            content=b"{" + b" " * 100,
            headers=gateway.token() | {"content-type": "application/json"},
        )

        assert (answer.status_code, answer.json()["refused"]["code"]) == (413, "body_too_large")


async def test_a_body_that_does_not_tell_its_size_is_cut_off_while_it_streams(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 100

    async with a_gateway(tmp_path, body_bytes_max=1_000) as gateway:
        answer = await gateway.http.post(
            "/events/discharges", content=endless(), headers=gateway.token() | {"content-type": "application/json"}
        )

        assert (answer.status_code, answer.json()["refused"]["code"]) == (413, "body_too_large")


async def test_a_body_that_comes_too_slowly_is_turned_away(tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with asyncio.timeout(60), a_gateway(tmp_path, body_time_max="PT0.05S") as gateway:
        answer = await gateway.http.post(
            "/events/discharges", content=slow(), headers=gateway.token() | {"content-type": "application/json"}
        )

        assert (answer.status_code, answer.json()["refused"]["code"]) == (408, "body_too_slow")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_other_bodies_than_plain_json_are_turned_away(gateway: Gateway, headers: dict[str, str]) -> None:
    answer = await gateway.http.post("/events/discharges", content=b"{}", headers=gateway.token() | headers)

    assert (answer.status_code, answer.json()["refused"]["code"]) == (415, "unsupported_media_type")


async def test_readiness_names_what_cannot_be_reached(gateway: Gateway) -> None:
    ready = await gateway.http.get("/ready")
    gateway.publisher.reachable = False
    unready = await gateway.http.get("/ready")

    assert (ready.status_code, ready.json()) == (
        200,
        {"vault": True, "ledger": True, "broker": True, "read_model": True},
    )
    assert (unready.status_code, unready.json()["broker"]) == (503, False)
    assert (await gateway.http.get("/health")).status_code == 200


async def test_metrics_are_prefixed_and_name_nobody(gateway: Gateway) -> None:
    await gateway.statement("discharges", gateway.token())
    text = (await gateway.http.get("/metrics")).text

    assert 'brobygger_events_total{outcome="published",topic="discharges"} 1.0' in text
    assert all(line.startswith(("#", "brobygger_")) for line in text.splitlines())
    assert "0105109996" not in text


def test_two_gateways_share_no_metric() -> None:
    assert GatewayMetrics().registry is not GatewayMetrics().registry


async def test_the_document_describes_every_form_with_an_example(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()

    body = document["paths"]["/events/{topic}"]["post"]["requestBody"]["content"]["application/json"]
    assert {one["$ref"].rpartition("/")[2] for one in body["schema"]["oneOf"]} <= set(document["components"]["schemas"])
    assert set(body["examples"]) == set(FORMS)
    assert (await gateway.http.get("/docs")).status_code == 200


@pytest.mark.parametrize("topic", sorted(FORMS))
def test_every_example_fits_its_form(topic: str) -> None:
    FORMS[topic].model_validate(a_statement(topic))


async def test_a_programme_without_a_legal_basis_replies_and_tells_nothing(gateway: Gateway) -> None:
    bare = gateway.token(ClientKind.PROGRAMME, "headspace", data_controller=None, legal_basis=None)

    answer = await gateway.statement("enrolments", bare, programme="headspace")

    [client] = gateway.clients.listed()
    assert client.roles == {Role.REPLIES}
    assert refused(answer)[:2] == (403, "forbidden")


@pytest.mark.parametrize("lacking", ["data_controller", "legal_basis"])
@pytest.mark.parametrize("path", ["/events/discharges", "/medcom/fhir"])
async def test_a_token_that_lost_its_data_controller_or_legal_basis_opens_no_door(
    gateway: Gateway, lacking: str, path: str
) -> None:
    headers = gateway.token() | {"content-type": "application/json"}
    lost = update(CLIENTS).values({lacking: None})
    in_transaction(open_ledger(gateway.settings.ledger_database), lambda connection: connection.execute(lost))

    answer = await gateway.http.post(path, content=b"{}", headers=headers)

    assert answer.status_code == 403
    assert "data controller" in answer.text
    assert gateway.publisher.records == []
