"""A gateway without a network: the commands' HTTP client asks it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner, Result

from streams.cli.main import app
from tests.unit.gateway.builders import Gateway, a_gateway
from tests.unit.gateway.prepared import worked_out_once

worked_out = pytest.fixture(worked_out_once, autouse=True, scope="session")
Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """Runs a gateway on a folder of its own, which every ``httpx.Client`` made meanwhile talks to."""
    with structlog.testing.capture_logs():  # a command's standard output is its own
        async with _a_gateway_for_commands(tmp_path, monkeypatch) as running:
            yield running


@asynccontextmanager
async def _a_gateway_for_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    async with a_gateway(tmp_path / "data", requests_per_second=10_000) as running:
        loop, client = asyncio.get_running_loop(), httpx.Client

        async def ask(request: httpx.Request) -> httpx.Response:
            url, headers = request.url.raw_path.decode(), request.headers
            answer = await running.http.request(request.method, url, content=request.content, headers=headers)
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

        def handle(request: httpx.Request) -> httpx.Response:
            return asyncio.run_coroutine_threadsafe(ask(request), loop).result()

        monkeypatch.setattr(httpx, "Client", lambda **options: client(**options, transport=httpx.MockTransport(handle)))
        monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("COLUMNS", "300")
        monkeypatch.setenv("BROBYGGER_TOKEN", running.token()["authorization"].removeprefix("Bearer "))
        yield running


@pytest.fixture
def run() -> Run:
    """Returns a runner of commands that leaves this thread to the gateway."""

    async def run_command(*arguments: object) -> Result:
        texts = [str(argument) for argument in arguments]
        return await asyncio.to_thread(CliRunner().invoke, app, texts)

    return run_command
