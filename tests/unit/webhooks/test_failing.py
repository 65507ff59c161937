"""What fails at an endpoint is said: with its code and time in the list, the log and the metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from connectors.webhooks.deliverer import open_endpoints
from connectors.webhooks.sending import Delivered, Failed, Gone, SendingOutcome
from streams.cli.main import app
from tests.unit.webhooks.lane_builders import PROGRAMME, START, World, a_record

pytestmark = pytest.mark.long

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Returns a runner of ``brobygger webhooks`` on the same data folder."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(app, ["webhooks", *arguments])


def listed(run: Callable[..., Result]) -> dict[str, Any]:
    [line] = run("list", "--json").stdout.splitlines()
    row: dict[str, Any] = json.loads(line)
    return row


async def test_the_list_names_the_last_error_its_time_and_the_next_attempt(
    world: World, run: Callable[..., Result]
) -> None:
    world.receiver.answer = lambda _: Failed("tls_failed")
    world.comes(a_record("a", 0))
    await world.turns()
    delay = world.bench.retry.delay_after(a_record("a", 0).event_id, 1)

    row, shown = listed(run), run("list").stdout

    assert (row["last_error"], row["last_error_at"]) == ("tls_failed", START.isoformat())
    assert abs(datetime.fromisoformat(row["next_attempt_at"]) - (START + delay)) < timedelta(milliseconds=1)
    assert f"last error tls_failed at {START.isoformat()}" in " ".join(shown.split())
    assert max(len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Failed("http_500"), "http_500"), (Gone(), "http_410"), (Failed("unreachable"), "unreachable")],
)
async def test_whatever_an_attempt_failed_with_is_kept_after_the_next_one_succeeds(
    world: World, run: Callable[..., Result], outcome: SendingOutcome, code: str
) -> None:
    world.receiver.answer = lambda _: outcome
    world.comes(a_record("a", 0))
    await world.turns()
    world.receiver.answer = lambda _: Delivered()
    world.endpoints.resume(PROGRAMME, world.now)
    await world.passes(HOUR, turns=2)

    row = listed(run)

    assert (row["last_error"], row["last_error_at"], row["next_attempt_at"]) == (code, START.isoformat(), None)
    assert row["last_delivered_at"] == (START + HOUR).isoformat()


async def test_a_record_that_is_given_up_is_an_error_too(world: World, run: Callable[..., Result]) -> None:
    world.receiver.answer = lambda _: Failed("timed_out")
    world.comes(a_record("a", 0))
    world.now += timedelta(days=4)
    await world.turns()

    assert (listed(run)["last_error"], listed(run)["waiting"]) == ("timed_out", 0)


async def test_the_log_says_what_fails_once_and_again_after_a_minute_and_when_it_works(world: World) -> None:
    world.receiver.answer = lambda body: Failed("http_503" if body[0] == "a" else "tls_failed")
    with capture_logs() as logs:
        world.comes(*(a_record(f"a{number}", 0) for number in range(3)))
        await world.turns(2)
        await world.passes(MINUTE)
        world.comes(a_record("b", 0))
        await world.passes(timedelta(seconds=1))
        world.receiver.answer = lambda _: Delivered()
        await world.passes(HOUR)

    said = [(line["event"], line.get("code"), line.get("failed")) for line in logs]
    assert said == [
        ("delivery_failed", "http_503", 1),
        ("delivery_failed", "http_503", 3),
        ("delivery_failed", "tls_failed", 3),
        ("delivery_works_again", None, None),
    ]
    assert {line["programme"] for line in logs} == {PROGRAMME}


async def test_metrics_tell_when_it_failed_with_what_and_when_it_is_tried_next(world: World) -> None:
    world.receiver.answer = lambda _: Failed("http_500")
    world.comes(a_record("a", 0))
    await world.turns()

    world.metrics.last_attempts_observed(world.waiting.last_attempts(), world.waiting.backlogs())

    failed = {"programme": PROGRAMME, "outcome": "http_500"}
    value = world.metrics.registry.get_sample_value
    assert value("brobygger_webhook_last_error_seconds", failed) == START.timestamp()
    assert (value("brobygger_webhook_next_attempt_seconds", {"programme": PROGRAMME}) or 0) > START.timestamp()


@pytest.mark.parametrize(("deliverer_allows", "warns"), [(None, False), (True, False), (False, True)])
def test_set_warns_where_the_deliverer_that_runs_would_refuse_the_address(
    run: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    deliverer_allows: bool | None,
    warns: bool,
) -> None:
    monkeypatch.setenv("BROBYGGER_WEBHOOKS_LOOPBACK", "true")
    if deliverer_allows is not None:
        open_endpoints(tmp_path).note_deliverer(START, loopback_allowed=deliverer_allows)

    done = run("set", "headspace", "http://127.0.0.1:8000/")

    assert done.exit_code == 0
    assert ("refuses this address (" in done.stderr) is warns
    assert ("BROBYGGER_WEBHOOKS_LOOPBACK=true" in done.stderr) is warns
