"""What people write into a command, and what a watched folder's names say, never adds to a door's address."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from streams.cli.sending.doors import GatewayClient
from streams.cli.sending.watched_folder import WatchedFolder
from streams.cli.watch import Watching
from tests.unit.files.conftest import Run
from tests.unit.files.watched import looked, put_in, put_last, statement
from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.sent_lists import COURSE, OTHER, VANISHED, a_list, map_courses

pytestmark = pytest.mark.long


NO_LISTS = ["x\nz", "\udcff", "courses?missing=believed&x=", "æ", "#", "a" * 64, "%00", "[", "a\\..\\events"]
GATEWAY = ("--gateway", "http://gateway.test", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a source's folder into which nothing has come."""
    (tmp_path / "region-h" / "in").mkdir(parents=True)
    return tmp_path / "region-h"


@pytest.mark.parametrize("name", NO_LISTS)
async def test_a_folder_that_no_list_can_be_called_by_has_its_file_refused_and_nothing_is_sent(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put_in(folder, f"lists/{name}/x.csv", a_list(COURSE))
    monkeypatch.setattr(GatewayClient, "post", nothing_is_sent)

    went = await looked(folder)

    assert went == [["refused"]]
    told = json.loads((folder / "refused" / "lists" / name / "x.csv.refused.json").read_bytes())
    assert (told["refused"][0]["code"], "a list's name has" in told["refused"][0]["text"]) == ("no_door", True)


async def test_no_folders_name_switches_off_the_guard_on_missing_rows(gateway: Gateway, folder: Path) -> None:
    map_courses(gateway, "snapshot", VANISHED)
    believed = "lists/courses?missing=believed&x="
    put_in(folder, "lists/courses/1.csv", a_list(COURSE, OTHER, "0205109991;S-3;active;01-11-2025"))
    await looked(folder)

    for day in (1, 2):  # what is missing once may come again
        gateway.clock.now += timedelta(days=3)
        put_in(folder, f"{believed}/2.csv", a_list(COURSE), 1_100_000_000 + day)
        await looked(folder)

    assert [event["status"] for event in gateway.published("enrolments")] == ["active"] * 3


async def test_watch_goes_on_past_a_name_that_no_address_can_hold(gateway: Gateway, folder: Path) -> None:
    put_in(folder, "lists/x\nz/x.csv", a_list(COURSE))
    put_last(folder)
    stopping = threading.Event()
    doors = GatewayClient("http://gateway.test", os.environ["BROBYGGER_TOKEN"], stopping.wait)
    watching = Watching(WatchedFolder(folder, 0.0), doors, stopping)

    running = asyncio.create_task(asyncio.to_thread(watching.run, 0.01))
    await gateway.publisher.published(2)
    watching.stop()
    await running

    assert len(gateway.published("enrolments")) == 1


async def test_a_list_whose_files_name_is_no_text_is_sent(gateway: Gateway, folder: Path) -> None:
    map_courses(gateway)
    put_in(folder, "lists/courses/\udce6.csv", a_list(COURSE))

    assert await looked(folder) == [["done"]]
    assert len(gateway.published("enrolments")) == 1


@pytest.mark.parametrize("name", [*NO_LISTS, "..", "../events", ""])
async def test_ingest_refuses_a_list_that_can_be_none(
    gateway: Gateway, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "1.csv").write_bytes(a_list(COURSE))
    monkeypatch.setattr(GatewayClient, "post", nothing_is_sent)

    done = await run("ingest", tmp_path / "1.csv", f"--list={name}", *GATEWAY)

    assert (done.exit_code, "a list's name has" in done.stderr) == (2, True)


@pytest.mark.parametrize("topic", ["../lists/courses?missing=believed", "enrolments?x", "x\nz"])
async def test_ingest_refuses_a_topic_that_is_none(
    gateway: Gateway, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    (tmp_path / "1.json").write_bytes(statement(1))
    monkeypatch.setattr(GatewayClient, "post", nothing_is_sent)

    done = await run("ingest", tmp_path / "1.json", "--topic", topic, *GATEWAY)

    assert json.loads(done.stdout)["refused"][0]["code"] == "no_door"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--gateway", "http://a:b", "is no URL"),
        ("--gateway", "http://a\nb", "is no URL"),
        ("--token", "æ", "the token has"),
    ],
)
async def test_ingest_says_so_where_address_or_token_can_be_none(
    gateway: Gateway, run: Run, tmp_path: Path, option: str, value: str, told: str
) -> None:
    (tmp_path / "enrolments-1.json").write_bytes(statement(1))

    done = await run("ingest", tmp_path / "enrolments-1.json", *GATEWAY, option, value)

    assert (done.exit_code, told in done.stderr) == (2, True)


def nothing_is_sent(*_: object, **_named: object) -> None:
    raise AssertionError("nothing is sent")
