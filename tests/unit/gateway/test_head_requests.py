"""HEAD on every route that answers GET, on the running server: GET's status and headers, and no body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.unit.gateway.serving import Served, a_server, until
from tests.unit.read_model.builders import told

UNLIKE = (b"date:", b"set-cookie:", b"content-length:", b"connection:")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with a_server(tmp_path / "data") as running:
        yield running


def paths_of(app: FastAPI) -> list[str]:
    """Returns an address of each route that takes GET, as the document and the pages have them."""
    documented = [path for path, item in app.openapi()["paths"].items() if "get" in item]
    pages = ["/docs", "/openapi.json", "/pages", "/pages/", "/pages/sign-in", "/pages/style.css", "/pages/worklist"]
    pages += ["/pages/needs", "/pages/worklist/{id}", "/pages/needs/6a4f6e20-8f4e-4f7e-9d3c-0a7a4f0f7b11"]
    return [
        path.partition("{")[0] + ("x" if "{" in path else "") for path in (*documented, *pages, "/pages/consents/x")
    ]


async def head_of(served: Served, method: str, path: str, *more: str) -> tuple[list[bytes], bytes]:
    """Returns an answer's status line and headers, and its body."""
    lines = (f"{method} {path} HTTP/1.1", "host: t", "connection: close", *more, "", "")
    answer = await (await served.connect("\r\n".join(lines).encode())).answer()
    head, _, body = answer.partition(b"\r\n\r\n")
    return [line for line in head.splitlines() if not line.lower().startswith(UNLIKE)], body


async def test_every_route_that_answers_get_answers_head_alike(served: Served) -> None:
    paths = paths_of(served.server.config.app)  # type: ignore[arg-type]

    assert len(paths) > 15
    for path in paths:
        asked, body = await head_of(served, "HEAD", path)
        assert asked == (await head_of(served, "GET", path))[0], path
        assert body == b""
        assert b"405" not in asked[0]


@pytest.mark.parametrize("path", ["/handovers", "/handovers?cursor=x", "/replies/x"])
async def test_so_it_does_for_a_programme(served: Served, path: str) -> None:
    token = f"authorization: Bearer {served.token()}"

    assert (await head_of(served, "HEAD", path, token)) == ((await head_of(served, "GET", path, token))[0], b"")


async def test_the_head_of_a_stream_ends_and_lets_go_of_its_place(served: Served) -> None:
    served.log.append(told("one"))
    await served.log.wait_until_taken()
    own = (f"authorization: Bearer {served.token()}", "accept: text/event-stream")
    for _ in range(6):
        head, body = await asyncio.wait_for(head_of(served, "HEAD", "/handovers", *own), 30)
        assert (b"200" in head[0], body) == (True, b"")
        await until(lambda: not served.server.server_state.tasks)


async def test_what_takes_post_alone_takes_no_head(served: Served) -> None:
    head, _ = await head_of(served, "HEAD", "/claims")

    assert b"405" in head[0]
