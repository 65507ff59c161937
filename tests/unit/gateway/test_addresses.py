"""Addresses: nothing that a caller writes into a Host header or behind a slash decides where anybody is sent."""

from __future__ import annotations

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway

EVIL = {"host": "evil.example"}


@pytest.mark.parametrize("path", ["/handovers/", "/events/consents/", "/health/", "/claims/", "/openapi.json/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_slash_too_many_leads_nowhere(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.http.request(method, path, headers=gateway.token(ClientKind.PROGRAMME, "headspace") | EVIL)

    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_no_answer_names_the_host_that_a_caller_names(gateway: Gateway) -> None:
    paths = ("/docs", "/openapi.json", "/health", "/ready", "/metrics", "/handovers", "/nothing", "/pages/")

    answers = [await gateway.http.get(path, headers=EVIL) for path in paths]

    assert not any("evil.example" in answer.text + str(answer.headers) for answer in answers)
