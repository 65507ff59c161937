"""Case 38 (docs/specification/cases.md), at the door where its rule lives: PsykInfo's evenings make no pathway."""

from __future__ import annotations

import pytest

from connectors.gateway.clients.clients import ClientKind
from tests.unit.gateway.builders import Gateway, refused


@pytest.mark.parametrize("name", ["psykinfo", "PsykInfo", " PSYKINFO "])
async def test_case_38_a_sign_up_to_a_psykinfo_event_is_refused_and_leaves_no_trace_of_anyone(
    gateway: Gateway, name: str
) -> None:
    answer = await gateway.statement("enrolments", gateway.token(), programme=name, status="waiting")

    assert refused(answer) == (422, "no_individual_pathway", "programme")
    assert answer.json()["refused"]["rule"] == "PsykInfo has no individual pathway, and none is ever made"
    assert gateway.publisher.records == []


async def test_case_38_a_programme_cant_sign_anyone_up_either(gateway: Gateway) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace")
    answer = await gateway.statement("enrolments", headers, programme="psykinfo")

    assert refused(answer) == (422, "no_individual_pathway", "programme")
    assert gateway.publisher.records == []
