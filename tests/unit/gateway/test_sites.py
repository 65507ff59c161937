"""A token that is bound to a site sees and answers that site's handovers, and no others, at every door."""

from __future__ import annotations

import pytest

from connectors.gateway.clients.clients import ClientKind, NewClient
from schemas.refusals import RefusedError
from tests.unit.gateway.builders import NOW, Gateway, refused
from tests.unit.gateway.pulling import Programme, a_programme, project
from tests.unit.read_model.builders import handover_id, told


async def helsingoer_of_two_sites(gateway: Gateway) -> Programme:
    """Returns headspace Helsingør, where both Helsingør and København were offered one."""
    youth_id = gateway.pseudonym("headspace")
    await project(
        gateway,
        told("theirs", (0, 0), site="koebenhavn", youth_id=youth_id),
        told("ours", (0, 1), site="helsingoer", youth_id=youth_id),
        told("theirs-2", (0, 2), site="koebenhavn", youth_id=youth_id),
    )
    return a_programme(gateway, site="helsingoer")


async def test_a_site_pulls_its_own_records_in_pages(gateway: Gateway) -> None:
    site = await helsingoer_of_two_sites(gateway)

    page = await site.pull(limit=1)
    rest = await site.pull(cursor=page["next"])

    assert [one["event"]["subject"] for one in page["records"]] == [handover_id("ours")]
    assert rest["records"] == []
    assert len((await a_programme(gateway).pull())["records"]) == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/replies"), ("GET", "/identity")],
)
async def test_another_sites_handover_is_not_there_for_it(gateway: Gateway, method: str, path: str) -> None:
    site = await helsingoer_of_two_sites(gateway)
    headers = site.headers | {"idempotency-key": "0d9f6c1e-4b55-4a0a-9a52-e3f6f4a8a001"}
    body = {"status": "accepted"} if method == "POST" else None

    theirs = await gateway.http.request(method, f"/handovers/{handover_id('theirs')}{path}", json=body, headers=headers)

    assert refused(theirs) == (404, "not_found", "handover_id")
    assert gateway.publisher.records == []


async def test_a_site_answers_its_own_handover(hasty: Gateway) -> None:
    site = await helsingoer_of_two_sites(hasty)

    shown = await site.get(f"/handovers/{handover_id('ours')}")
    answered = await site.reply(handover_id("ours"), status="accepted")

    assert (shown.status_code, answered.status_code) == (200, 202)
    assert [event["subject"] for event in hasty.published("replies")] == [handover_id("ours")]


@pytest.mark.parametrize("topic", ["replies", "enrolments", "referrals"])
async def test_a_site_states_nothing_in_the_programmes_name(gateway: Gateway, topic: str) -> None:
    headers = gateway.token(ClientKind.PROGRAMME, "headspace", site="helsingoer")

    answer = await gateway.statement(topic, headers)

    assert refused(answer) == (403, "foreign_topic", "topic")
    assert gateway.publisher.records == []


@pytest.mark.parametrize(("kind", "name"), [(ClientKind.SOURCE, "region-h"), (ClientKind.OWNER, "operations")])
async def test_only_a_programme_has_sites(gateway: Gateway, kind: ClientKind, name: str) -> None:
    legal = {"data_controller": "Region Hovedstaden", "legal_basis": "Sundhedsloven §43"}
    client = NewClient.model_validate({"kind": kind, "name": name, "site": "helsingoer"} | legal)

    with pytest.raises(RefusedError) as raised:
        gateway.clients.create(client, NOW)

    assert raised.value.refusal.field == "site"
