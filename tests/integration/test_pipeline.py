"""The whole road on a real broker: cases, two workers, a kill -9, a rebalance, an emptied group; then replayed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pairwise import EARLIER_MAX_MS
from connectors.vault.pseudonyms import Pseudonyms
from streams.agents.audience import traced_back
from streams.log.accounting import account_of
from streams.log.copy import read_copy
from streams.log.replaying import replay_snapshot
from streams.settings import APP_ID
from tests.integration.broker_cases import CASES, DAY, HOUR, START
from tests.integration.emptying import forget_group
from tests.integration.service import Service, a_service

pytestmark = pytest.mark.integration


async def play(service: Service) -> None:
    """Plays every case, with a kill, a rebalance and an emptied group on the way."""
    steps = sorted({when for case in CASES for when, _ in case.events()})
    await service.step_to(START)
    for when in steps:
        await service.step_to(START + when)
        await service.publish(event for case in CASES for at_time, event in case.events() if at_time == when)
        await service.wait_until_folded()
        await service.step_to(START + when + timedelta(minutes=20))
    service.kill_worker(0)
    await service.step_to(START + DAY + 2 * HOUR)
    await asyncio.to_thread(service.start_workers)
    await service.step_to(START + 3 * DAY)
    await asyncio.to_thread(service.stop_workers)
    await asyncio.to_thread(forget_group, service.connection, APP_ID)
    await asyncio.to_thread(service.start_workers)
    # Nothing new stands on the sources' topics: the group says of the intake log alone how far it is.
    await service.set_calendar(START + 12 * DAY)
    await service.wait_until_intake_folded()


@dataclass(frozen=True)
class Played:
    """A log that was played, on a broker that still runs; its workers are stopped."""

    said: list[tuple[str, dict[str, Any]]]
    environment: dict[str, str]
    folder: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command against the log."""
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, empty_broker: EmbeddedBroker) -> Played:
    folder = tmp_path_factory.mktemp("data")
    said = asyncio.run(_play(folder, empty_broker.bootstrap))
    environment = dict(os.environ) | {
        "KAFKA_BOOTSTRAP": empty_broker.bootstrap,
        "BROBYGGER_DATA": str(folder),
        "BROBYGGER_PARTITIONS": "4",
    }
    return Played(said, environment, folder)


async def _play(folder: Path, bootstrap: str) -> list[tuple[str, dict[str, Any]]]:
    async with a_service(folder, bootstrap) as service:
        await asyncio.to_thread(service.start_workers)
        await play(service)
        return await service.said()


def test_a_dozen_cases_through_the_broker(played: Played) -> None:
    pseudonyms = Pseudonyms(pseudonym_roots(played.folder / "keys"))
    assert statements_by_case(played.said, pseudonyms) == {case.number: list(case.expected) for case in CASES}
    assert notices_by_case(played.said) == {case.number: set(case.notices) for case in CASES}


def test_law_3_the_log_replayed_is_what_was_said(played: Played) -> None:
    replayed = played.command("replay", "--json")

    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_law_5_the_books_balance_and_a_tampered_copy_does_not(played: Played) -> None:
    balanced = played.command("reconcile", "--json")
    assert balanced.returncode == 0, balanced.stdout + balanced.stderr

    copy = played.folder / "copy.jsonl"
    assert played.command("replay", "--export", str(copy)).returncode == 0
    assert played.command("reconcile", "--copy", str(copy)).returncode == 0
    for tamper, topic in (
        (removed, "brobygger.intake.v1"),
        (doubled, "brobygger.intake.v1"),
        (removed, "brobygger.handovers.headspace.v1"),
        (doubled, "brobygger.handovers.headspace.v1"),
        (removed, "brobygger.discharges.v1"),
    ):
        tampered = tamper(copy, topic)
        assert not balances(played, tampered), f"{tamper.__name__} {topic}"
    assert played.command("reconcile", "--copy", str(removed(copy, "brobygger.intake.v1"))).returncode == 1


def balances(played: Played, copy: Path) -> bool:
    """Tells what `reconcile` would say of a copy, in this process."""
    snapshot = read_copy(copy)
    roots = pseudonym_roots(played.folder / "keys")
    return account_of(snapshot, replay_snapshot(snapshot, roots)).balances


def removed(copy: Path, topic: str) -> Path:
    """Returns a copy of the log without one record of a topic."""
    lines = copy.read_text(encoding="utf-8").splitlines()
    last = _last_of(lines, topic)
    kept = [*lines[:last], *lines[last + 1 :]]
    return _written(copy, kept, topic, lines[last], -1)


def doubled(copy: Path, topic: str) -> Path:
    """Returns a copy of the log with one record of a topic twice, at the next offset."""
    lines = copy.read_text(encoding="utf-8").splitlines()
    last = _last_of(lines, topic)
    again = json.loads(lines[last])
    again["offset"] += 1
    return _written(copy, [*lines[: last + 1], json.dumps(again), *lines[last + 1 :]], topic, lines[last], 1)


def _last_of(lines: list[str], topic: str) -> int:
    return max(number for number, line in enumerate(lines) if json.loads(line).get("topic") == topic)


def _written(copy: Path, lines: list[str], topic: str, line: str, change: int) -> Path:
    """Writes a tampered copy whose closing count agrees, so that only the books can tell."""
    end = json.loads(lines[-1])
    end["end"][topic][json.loads(line)["partition"]] += change
    tampered = copy.with_name("tampered.jsonl")
    tampered.write_text("\n".join([*lines[:-1], json.dumps(end)]) + "\n", encoding="utf-8")
    return tampered


def statements_by_case(
    said: list[tuple[str, dict[str, Any]]], pseudonyms: Pseudonyms
) -> dict[str, list[tuple[str, str, str | None]]]:
    """Returns what programmes were told about each case, in order of the calendar."""
    numbers = {youth_id: case.number for case in CASES for youth_id in case.youth_ids}
    statements = [one for topic, one in said if topic != "notices"]
    statements.sort(key=lambda one: (_five_minutes(one), one["type"] == "offered"))
    told: dict[str, list[tuple[str, str, str | None]]] = {case.number: [] for case in CASES}
    for one in statements:
        traced = traced_back(pseudonyms, one)
        assert traced is not None
        told[numbers[traced["youth_id"]]].append((one["type"], one["programme"], one["reason_code"]))
    return told


def _five_minutes(told: dict[str, Any]) -> int:
    """Returns at which multiple of five minutes, where everything happens here, something was told too early."""
    return int(told["occurred_at"] + EARLIER_MAX_MS) // 300_000


def notices_by_case(said: list[tuple[str, dict[str, Any]]]) -> dict[str, set[str]]:
    """Returns the kinds of notices about each case."""
    numbers = {youth_id: case.number for case in CASES for youth_id in case.youth_ids}
    kinds: dict[str, set[str]] = {case.number: set() for case in CASES}
    for topic, one in said:
        if topic == "notices":
            kinds[numbers[one["youth_id"]]].add(one["kind"])
    return kinds
