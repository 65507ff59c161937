"""NDJSON: every line its outcome, nothing lost, one bad line spoils no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.gateway.builders import NDJSON, Gateway, a_gateway, a_statement

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


async def posted(gateway: Gateway, lines: list[Any], headers: dict[str, str] | None = None) -> httpx.Response:
    content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return await gateway.http.post("/events/discharges", content=content, headers=NDJSON | (headers or gateway.token()))


def report(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def outcomes(answer: httpx.Response) -> list[tuple[int, str]]:
    return [(line["line"], line["outcome"]) for line in report(answer)]


def a_stay(number: int, **changes: Any) -> dict[str, Any]:
    return a_statement("discharges", subject=f"letter-{number}", **changes)


async def test_each_line_is_accepted_or_refused_by_itself(gateway: Gateway) -> None:
    answer = await posted(gateway, [a_stay(1), b"{", b"", a_stay(2, status="gone"), b"\xff", a_stay(3), b""])

    assert answer.status_code == 200
    assert outcomes(answer) == [(1, "accepted"), (2, "refused"), (4, "refused"), (5, "refused"), (6, "accepted")]
    assert [line["refused"]["code"] for line in report(answer) if "refused" in line] == [
        "not_json",
        "unknown_code",
        "wrong_encoding",
    ]
    assert len(gateway.published("discharges")) == 2


async def test_a_line_that_stands_twice_is_published_once(gateway: Gateway) -> None:
    answer = await posted(gateway, [a_stay(1), a_stay(1)])

    assert outcomes(answer) == [(1, "accepted"), (2, "repeated")]
    assert len(gateway.published("discharges")) == 1


async def test_two_lines_with_one_id_and_different_content_conflict(gateway: Gateway) -> None:
    event_id = "8d5c1f6e-9a41-4b8b-9a3c-0f4c8f9d7e21"
    answer = await posted(gateway, [a_stay(1, event_id=event_id), a_stay(2, event_id=event_id)])

    assert outcomes(answer) == [(1, "accepted"), (2, "refused")]


async def test_what_the_broker_did_not_confirm_is_unavailable_and_may_come_again(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    lines = [a_stay(1), a_stay(1), b"{", a_stay(2)]
    gateway.publisher.reachable = False
    failed = await posted(gateway, lines, headers)
    gateway.publisher.reachable = True

    answer = await posted(gateway, lines, headers)

    assert failed.status_code == 503
    assert outcomes(failed) == [(1, "unavailable"), (2, "unavailable"), (3, "refused"), (4, "unavailable")]
    assert outcomes(answer) == [(1, "accepted"), (2, "repeated"), (3, "refused"), (4, "accepted")]


@pytest.mark.long
async def test_more_lines_than_go_at_once_are_all_reported(gateway: Gateway) -> None:
    answer = await posted(gateway, [a_stay(number) for number in range(1_100)])

    assert outcomes(answer) == [(number, "accepted") for number in range(1, 1_101)]
    assert gateway.publisher.batches == 3


async def test_the_same_key_and_body_get_the_same_report(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    first = await posted(gateway, [a_stay(1), b"{"], headers)

    assert (await posted(gateway, [a_stay(1), b"{"], headers)).content == first.content


async def test_windows_line_ends_are_taken(gateway: Gateway) -> None:
    answer = await posted(gateway, [json.dumps(a_stay(1)).encode() + b"\r", json.dumps(a_stay(2)).encode() + b"\r"])

    assert outcomes(answer) == [(1, "accepted"), (2, "accepted")]


async def test_too_many_lines_are_turned_away_whole(tmp_path: Path) -> None:
    async with a_gateway(tmp_path, lines_max=2) as gateway:
        answer = await posted(gateway, [a_stay(1), a_stay(2), a_stay(3)])

        assert (answer.status_code, answer.json()["refused"]["code"]) == (413, "too_many_lines")
        assert gateway.publisher.records == []


@pytest.mark.parametrize("padding", [b"\x1a", b"\r\n\x1a", b"\x00" * 100, b" \n\n"])
@pytest.mark.parametrize("media_type", ["application/json", NDJSON["content-type"]])
async def test_what_fills_a_body_up_says_nothing(gateway: Gateway, padding: bytes, media_type: str) -> None:
    content, headers = json.dumps(a_stay(1)).encode() + padding, {"content-type": media_type} | gateway.token()

    answer = await gateway.http.post("/events/discharges", content=content, headers=headers)

    assert [line["outcome"] for line in report(answer)] == ["accepted"]


async def test_a_body_without_lines_is_refused(gateway: Gateway) -> None:
    answer = await posted(gateway, [b"", b" "])

    assert (answer.status_code, answer.json()["refused"]["code"]) == (400, "empty_body")
