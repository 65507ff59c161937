"""A programme pulls its own topic: in order, in pages, with cursors that outlive the database; and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.clients.clients import ClientKind
from connectors.read_model.cursors import Cursor
from connectors.read_model.projection import forget_all
from schemas.identifiers import derived_id
from tests.unit.gateway.builders import Gateway, a_gateway, refused
from tests.unit.gateway.pulling import a_programme, project
from tests.unit.read_model.builders import an_answer, broken, handover_id, told

pytestmark = pytest.mark.long

REPLY = derived_id("reply")


def places_of(page: dict[str, Any]) -> list[tuple[int, int]]:
    return [(one["partition"], one["offset"]) for one in page["records"]]


async def test_a_page_has_the_records_of_each_partition_in_order(gateway: Gateway) -> None:
    await project(gateway, told("one", (2, 0)), told("two", (0, 4)), told("one", (2, 1)), told("three", (2, 7)))

    page = await a_programme(gateway).pull()

    assert sorted(places_of(page)) == [(0, 4), (2, 0), (2, 1), (2, 7)]
    assert [place for place in places_of(page) if place[0] == 2] == [(2, 0), (2, 1), (2, 7)]
    assert page["records"][0]["event"]["youth_id"] == page["records"][0]["key"]


async def test_older_records_of_any_partition_come_first(gateway: Gateway) -> None:
    late, early = "2026-01-10T12:00:00Z", "2026-01-09T12:00:00Z"
    await project(gateway, told("one", (0, 0), occurred_at=late), told("two", (1, 0), occurred_at=early))

    page = await a_programme(gateway).pull(limit=1)

    assert places_of(page) == [(1, 0)]


async def test_pages_one_after_another_are_the_whole_topic_once(gateway: Gateway) -> None:
    records = [told(str(number), (number % 3, number // 3)) for number in range(10)]
    await project(gateway, *records)
    programme = a_programme(gateway)

    seen: list[tuple[int, int]] = []
    page = await programme.pull(limit=3)
    while page["records"]:
        seen += places_of(page)
        page = await programme.pull(limit=3, cursor=page["next"])

    assert sorted(seen) == sorted((one.partition, one.offset) for one in records)
    assert len(seen) == len(set(seen))


async def test_at_the_end_the_same_cursor_comes_again_until_something_does(gateway: Gateway) -> None:
    await project(gateway, told("one", (0, 0)))
    programme = a_programme(gateway)
    first = await programme.pull()
    end = await programme.pull(cursor=first["next"])

    await project(gateway, told("two", (5, 0)))
    more = await programme.pull(cursor=end["next"])

    assert (end["records"], end["next"]) == ([], first["next"])
    assert places_of(more) == [(5, 0)]


async def test_an_empty_topic_has_a_cursor_too(gateway: Gateway) -> None:
    programme = a_programme(gateway)
    empty = await programme.pull()
    again = await programme.pull(cursor=empty["next"])
    await project(gateway, told("one", (0, 0)))

    assert empty == again
    assert places_of(await programme.pull(cursor=empty["next"])) == [(0, 0)]


async def test_a_cursor_outlives_the_database(tmp_path: Path) -> None:
    records = [told(str(number), (number % 2, number)) for number in range(6)]
    async with a_gateway(tmp_path) as gateway:
        await project(gateway, *records)
        programme = a_programme(gateway)
        before = await programme.pull(limit=4)
        rest = await programme.pull(cursor=before["next"])
        forget_all(gateway.app.state.desk.read_model.engine)

    async with a_gateway(tmp_path) as gateway:
        await project(gateway, *records)
        after = await a_programme(gateway).pull(cursor=before["next"])

    assert len(rest["records"]) == 2
    assert after == rest


async def test_what_cannot_be_read_is_left_out_and_counted(gateway: Gateway) -> None:
    await project(gateway, broken((0, 0)), told("one", (0, 1)))

    page = await a_programme(gateway).pull()
    metrics = (await gateway.http.get("/metrics")).text

    assert places_of(page) == [(0, 1)]
    assert 'brobygger_read_model_records_total{outcome="unreadable",topic="handovers.headspace"} 1.0' in metrics


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", "9" * 5000, "000000001999", "²"])
async def test_a_limit_out_of_bounds_is_refused(gateway: Gateway, limit: str) -> None:
    answer = await a_programme(gateway).get("/handovers", limit=limit)

    assert refused(answer) == (422, "wrong_limit", "limit")


@pytest.mark.parametrize(
    "cursor",
    ["x", "æ", "e30", "A" * 9000, Cursor("stime", {0: 1}).text, Cursor("headspace", {0: -1}).text, "bnVsbA"],
)
async def test_what_is_no_cursor_of_this_programme_is_refused(gateway: Gateway, cursor: str) -> None:
    answer = await a_programme(gateway).get("/handovers", cursor=cursor)

    assert refused(answer) == (422, "wrong_cursor", "cursor")


async def test_a_handover_is_shown_with_its_story(gateway: Gateway) -> None:
    await project(gateway, told("one", (0, 0)), told("two", (0, 1)), an_answer(REPLY, "one", (0, 2)))

    answer = await a_programme(gateway).get(f"/handovers/{handover_id('one')}")

    content = answer.json()
    assert (content["handover"]["state"], content["handover"]["handover_id"]) == ("accepted", handover_id("one"))
    assert [one["event"]["type"] for one in content["events"]] == ["offered", "reply_accepted"]


async def test_a_programme_sees_nothing_of_another_by_any_of_these_doors(hasty: Gateway) -> None:
    gateway, own = hasty, hasty.pseudonym("headspace")
    await project(gateway, told("one", (0, 0), youth_id=own), an_answer(REPLY, "one", (0, 1), youth_id=own))
    mine, theirs = a_programme(gateway), a_programme(gateway, "stime")
    sent = await mine.reply(handover_id("one"), status="accepted")
    event_id = sent.json()["event_id"]
    nothing = "00000000-0000-5000-8000-000000000000"
    cursor = (await mine.pull(limit=1))["next"]

    # Each attempt on what is headspace's, beside the same on what nobody has: the answers don't differ.
    for real, unreal in (
        (await theirs.get(f"/handovers/{handover_id('one')}"), await theirs.get(f"/handovers/{nothing}")),
        (
            await theirs.reply(handover_id("one"), status="accepted"),
            await theirs.reply(nothing, status="accepted"),
        ),
        (
            await theirs.reply(handover_id("one"), key="k", status="accepted"),
            await theirs.reply(nothing, key="k", status="accepted"),
        ),
        (await theirs.get(f"/replies/{REPLY}"), await theirs.get(f"/replies/{nothing}")),
        (await theirs.get(f"/replies/{event_id}"), await theirs.get(f"/replies/{nothing}")),
        (await theirs.get("/replies/not-an-id"), await theirs.get(f"/replies/{nothing}")),
    ):
        assert real.status_code == 404
        assert (real.content, real.headers) == (unreal.content, unreal.headers)
    assert (await theirs.pull())["records"] == []
    assert (await theirs.get("/handovers", cursor=cursor)).status_code == 422
    assert (await theirs.pull(programme="headspace"))["records"] == []
    assert len(gateway.published("replies")) == 1


@pytest.mark.parametrize("path", ["/handovers", f"/handovers/{handover_id('one')}", f"/replies/{REPLY}"])
async def test_only_programmes_are_let_in(gateway: Gateway, path: str) -> None:
    nobody = await gateway.http.get(path)
    source = await gateway.http.get(path, headers=gateway.token(ClientKind.SOURCE))

    assert (nobody.status_code, source.status_code) == (401, 403)


async def test_the_openapi_document_says_what_these_doors_take_and_give(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()
    paths = {path: document["paths"][path] for path in document["paths"] if path.startswith(("/handovers", "/replies"))}
    pull, reply = paths["/handovers"]["get"], paths["/handovers/{handover_id}/replies"]["post"]

    assert {one["name"] for one in pull["parameters"]} == {"cursor", "limit", "Last-Event-ID"}
    assert set(pull["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    assert reply["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/HandoverReply")
    assert {"200", "202", "404", "409", "422", "503"} <= set(reply["responses"])
    assert all(one["security"] == [{"token": []}] for path in paths.values() for one in path.values())
    assert set(references(document)) <= set(document["components"]["schemas"])


def references(value: Any) -> set[str]:
    """Returns the names of all schemas that a document refers to."""
    if isinstance(value, list):
        return {name for one in value for name in references(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"].removeprefix("#/components/schemas/")} if isinstance(value.get("$ref"), str) else set()
    return own | {name for one in value.values() for name in references(one)}
