"""Addresses: nothing that a caller writes into a Host header or behind a slash decides where anybody is sent."""

from __future__ import annotations

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway

EVIL = {"host": "evil.example"}
UNREADABLE = ("", "[", "[::1", "a b", "æ.dk", "localhost@evil", "localhost\\evil", "localhost:99999", "a:b:c")
READABLE = ("t", "A.dk", "a.dk.", "my_service", "my-service:8460", "10.0.0.1", "[2001:db8::1]:8460", "xn--rsted-uua.dk")


@pytest.mark.parametrize("path", ["/handovers/", "/events/consents/", "/health/", "/claims/", "/openapi.json/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_slash_too_many_leads_nowhere(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.http.request(method, path, headers=gateway.token(ClientKind.PROGRAMME, "headspace") | EVIL)

    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_no_answer_names_the_host_that_a_caller_names(gateway: Gateway) -> None:
    paths = ("/docs", "/openapi.json", "/health", "/ready", "/metrics", "/handovers", "/nothing", "/pages/")

    answers = [await gateway.http.get(path, headers=EVIL) for path in paths]

    assert not any("evil.example" in answer.text + str(answer.headers) for answer in answers)


@pytest.mark.parametrize("host", UNREADABLE)
@pytest.mark.parametrize("path", ["/health", "/handovers", "/docs", "/nothing"])
async def test_a_host_that_nobody_can_read_is_turned_away(gateway: Gateway, path: str, host: str) -> None:
    answer = await gateway.http.get(path, headers=[(b"host", host.encode("latin-1"))])

    refused = answer.json()["refused"]
    assert (answer.status_code, refused["code"], refused["field"]) == (400, "unreadable_host", "host")
    assert "name in ASCII or an IP address" in refused["rule"]
    assert "the address that you reach this service by" in refused["help"]


async def test_who_is_turned_away_for_a_host_is_counted(gateway: Gateway) -> None:
    await gateway.http.get("/health", headers={"host": "["})

    metrics = (await gateway.http.get("/metrics")).text
    assert 'code="unreadable_host",door="entrance"' in metrics or 'door="entrance",code="unreadable_host"' in metrics


@pytest.mark.parametrize("host", READABLE)
async def test_a_host_of_any_other_name_is_answered(gateway: Gateway, host: str) -> None:
    assert (await gateway.http.get("/health", headers={"host": host})).status_code == 200
