"""``brobygger watch``: what a source's folder holds at any moment, whatever ends the process."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streams.cli.sending import watched_folder
from streams.cli.sending.door_answers import DoorError
from streams.cli.sending.doors import GatewayClient
from streams.cli.sending.receipt_files import JOURNAL, ReceiptFolder
from streams.cli.sending.watched_folder import WatchedFolder
from streams.cli.watch import Watching
from tests.mixed_files import KINDS, a_sample
from tests.unit.files.conftest import Run
from tests.unit.files.killing import Kills
from tests.unit.files.looking import SpiedDoors, a_consent, expected_of, put, receipts_in, said
from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.prepared import ROOT

pytestmark = pytest.mark.long

_GATEWAY = "http://gateway.test"
SAMPLES = [a_sample(nth) for nth in range(KINDS)]
LIST = ROOT / "tests" / "messages" / "municipal" / "helsingoer-forloeb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a source's folder into which nothing has come."""
    (tmp_path / "region-h" / "in").mkdir(parents=True)
    return tmp_path / "region-h"


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        """Returns the seconds."""
        return self.seconds


def token() -> str:
    return os.environ["BROBYGGER_TOKEN"]


def take_all(folder: Path, doors: GatewayClient | None = None) -> list[str | None]:
    """Starts on a folder as a new process does, takes what is there, and returns where each file went."""
    watched = WatchedFolder(folder, 0.0)
    used = doors or GatewayClient(_GATEWAY, token(), lambda _: True)
    with used, ReceiptFolder(watched.receipts, mode=0o640) as receipts:
        watched.forget_moved(receipts)
        return [watched.take(path, used, receipts) for path in watched.complete()]


async def taken(folder: Path) -> list[str | None]:
    return await asyncio.to_thread(take_all, folder)


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def reason(folder: Path, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "refused" / f"{name}.refused.json").read_bytes())
    return value


async def test_every_kind_goes_to_done_or_refused_with_its_receipt(gateway: Gateway, folder: Path) -> None:
    put(folder / "in", *SAMPLES)

    await taken(folder)

    whole = {sample.name for sample in SAMPLES if not sample.refused}
    in_part = {sample.name for sample in SAMPLES if sample.refused}
    assert names_in(folder / "in") == set()
    assert names_in(folder / "done") == whole
    assert names_in(folder / "refused") == in_part | {f"{name}.refused.json" for name in in_part}
    assert receipts_in(folder / "receipts") == {f"{sample.name}{sample.receipt}" for sample in SAMPLES}
    assert said(gateway) == expected_of(SAMPLES)


async def test_a_reason_names_place_code_rule_and_help_and_no_value(gateway: Gateway, folder: Path) -> None:
    put(folder / "in", SAMPLES[8])

    await taken(folder)

    told = reason(folder, SAMPLES[8].name)
    assert (told["taken"], [row["where"] for row in told["refused"]]) == (2, ["line 3"])
    assert told["refused"][0]["code"] == "unknown_code"
    assert "dancing" not in json.dumps(told)


async def test_what_has_no_door_is_refused_with_what_to_do(gateway: Gateway, folder: Path) -> None:
    (folder / "in" / "liste.csv").write_text("CPR;Navn\n", encoding="utf-8")

    assert await taken(folder) == ["refused"]
    assert reason(folder, "liste.csv")["refused"][0]["code"] == "no_door"


async def test_a_link_is_refused_and_what_it_leads_to_is_never_read(
    gateway: Gateway, folder: Path, tmp_path: Path
) -> None:
    put(tmp_path, SAMPLES[0])
    (folder / "in" / "link.json").symlink_to(tmp_path / SAMPLES[0].name)

    assert await taken(folder) == ["refused"]
    assert said(gateway) == Counter()


SECRET = b'{"resourceType": "Bundle", "secret": true}'


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder's link"])
async def test_what_becomes_another_file_after_the_look_is_never_sent(
    gateway: Gateway, folder: Path, tmp_path: Path, kind: str
) -> None:
    """The look saw a file; by the time that it is opened, its name leads elsewhere."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.json").write_bytes(SECRET)
    path = folder / "in" / "sub" / "a.json"
    path.parent.mkdir()
    path.write_bytes(SAMPLES[0].content)
    watched = WatchedFolder(folder, 0.0)
    [found] = watched.complete()
    path.unlink()
    match kind:
        case "link":
            path.symlink_to(tmp_path / "secret" / "a.json")
        case "hard link":
            path.hardlink_to(tmp_path / "secret" / "a.json")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.parent.rmdir()
            path.parent.symlink_to(tmp_path / "secret")

    with SpiedDoors(_GATEWAY, token(), lambda _: True) as doors, ReceiptFolder(watched.receipts) as receipts:
        try:
            await asyncio.to_thread(watched.take, found, doors, receipts)
        except (FileNotFoundError, DoorError) as error:
            assert kind == "folder's link", error  # noqa: PT017 where it could not even be moved

    assert [content for content in doors.sent if b"secret" in content] == []
    assert said(gateway) == Counter()
    assert (tmp_path / "secret" / "a.json").read_bytes() == SECRET


async def test_another_file_under_the_name_waits_for_its_own_look(gateway: Gateway, folder: Path) -> None:
    path = folder / "in" / "a.json"
    path.write_bytes(SAMPLES[0].content)
    watched = WatchedFolder(folder, 0.0)
    [found] = watched.complete()
    path.write_bytes(SAMPLES[3].content)
    with GatewayClient(_GATEWAY, token(), lambda _: True) as doors, ReceiptFolder(watched.receipts) as receipts:
        assert await asyncio.to_thread(watched.take, found, doors, receipts) is None
        [again] = watched.complete()
        assert await asyncio.to_thread(watched.take, again, doors, receipts) == "done"

    assert said(gateway) == expected_of([SAMPLES[3]])


@pytest.mark.parametrize("name", [".{}.receipt.json.tmp", "{}.receipt.json"])
async def test_no_receipt_and_no_draft_is_written_through_a_link(
    gateway: Gateway, folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    put(folder / "in", SAMPLES[0])
    (folder / "receipts").mkdir()
    (folder / "receipts" / name.format(SAMPLES[0].name)).symlink_to(tmp_path / "elsewhere")

    assert await taken(folder) == ["done"]
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"
    assert not (folder / "receipts" / f"{SAMPLES[0].name}.receipt.json").is_symlink()


@pytest.mark.parametrize("name", ["receipts", "done", "refused", "in"])
def test_a_folder_that_is_a_link_is_none(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "in").rmdir()
    (folder / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DoorError), ReceiptFolder(WatchedFolder(folder, 0.0).receipts):
        pass


def test_a_journal_that_is_a_link_is_none(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (folder / "receipts").mkdir()
    (folder / "receipts" / JOURNAL).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DoorError), ReceiptFolder(folder / "receipts"):
        pass


def test_a_folder_that_becomes_a_link_is_looked_into_no_more(folder: Path, tmp_path: Path) -> None:
    watched = WatchedFolder(folder, 0.0)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.json").write_bytes(SECRET)
    (folder / "in").rmdir()
    (folder / "in").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DoorError):
        watched.complete()


def test_a_folder_that_was_put_in_anothers_place_is_looked_into(folder: Path) -> None:
    watched = WatchedFolder(folder, 0.0)
    (folder / "in").rename(folder / "old")
    (folder / "in").mkdir()
    (folder / "in" / "a.json").write_bytes(b"{}")

    assert watched.complete() == [folder / "in" / "a.json"]


def test_a_file_is_complete_once_it_has_stood_still(folder: Path) -> None:
    clock = Clock()
    watched = WatchedFolder(folder, 5.0, clock)
    growing, renamed = folder / "in" / "a.json", folder / "in" / "b.json.part"
    looks = []
    for seconds, content in ((0.0, b"{"), (3.0, b'{"a":1}'), (7.0, b'{"a":1}'), (8.0, b'{"a":1}')):
        clock.seconds = seconds
        growing.write_bytes(content)
        os.utime(growing, ns=(0, len(content)))
        renamed.write_bytes(b"{}")
        looks.append(watched.complete())

    assert looks == [[], [], [], [growing]]


UNFINISHED = [
    *("list.csv.part", "list.csv.PART", "list.csv.filepart", "list.csv.partial", "list.csv.crdownload", "list.csv.TMP"),
    *("~$list.xlsx", "~WRD0001.docx", "list.csv~", ".list.csv.Xa7f2", "list.csv.download", "list.csv.temp"),
    *("a.partial/list.csv", ".hidden/list.csv", "list.csv.in-progress", "list.csv.uploading", "list.csv.aria2"),
]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_is_still_being_written_is_left_until_it_is_renamed(folder: Path, name: str) -> None:
    path = folder / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")
    watched = WatchedFolder(folder, 0.0)
    before = watched.complete()
    path.rename(folder / "in" / "list.csv")

    assert (before, watched.waiting, watched.complete()) == ([], 0, [folder / "in" / "list.csv"])


def test_a_file_that_is_renamed_in_is_taken_and_the_oldest_comes_first(folder: Path) -> None:
    for name, changed in (("b.json", 2), ("a.json", 3), ("c.json", 1)):
        (folder / "in" / f"{name}.part").write_bytes(b"{}")
        os.utime(folder / "in" / f"{name}.part", ns=(0, changed))
        (folder / "in" / f"{name}.part").rename(folder / "in" / name)

    assert [path.name for path in WatchedFolder(folder, 0.0).complete()] == ["c.json", "b.json", "a.json"]


def test_no_more_files_are_looked_at_than_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_folder, "FILES_AT_ONCE_MAX", 3)
    for nth in range(5):
        (folder / "in" / f"{nth}.json").write_bytes(b"{}")

    assert len(WatchedFolder(folder, 0.0).complete()) == 3


async def test_another_file_of_a_name_that_was_there_before_keeps_the_earlier_ones_receipt(
    gateway: Gateway, folder: Path
) -> None:
    for sample in (SAMPLES[0], SAMPLES[3], SAMPLES[3]):
        (folder / "in" / "fil").write_bytes(sample.content)
        await taken(folder)

    assert len(names_in(folder / "done")) == 3
    assert len(receipts_in(folder / "receipts")) == 3
    assert said(gateway) == expected_of([SAMPLES[0], SAMPLES[3]])


async def test_a_file_that_changes_while_it_is_sent_comes_again_as_it_is_now(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, send = folder / "in" / "fil", GatewayClient.send
    path.write_bytes(SAMPLES[0].content)

    def send_while_it_changes(self: GatewayClient, letter: Any) -> Any:
        path.write_bytes(SAMPLES[3].content)
        return send(self, letter)

    monkeypatch.setattr(GatewayClient, "send", send_while_it_changes)
    await taken(folder)
    monkeypatch.undo()

    assert path.read_bytes() == SAMPLES[3].content
    assert names_in(folder / "done") == set()


async def test_what_the_gateway_does_not_answer_stays_and_is_taken_later(gateway: Gateway, folder: Path) -> None:
    put(folder / "in", *SAMPLES)
    gateway.publisher.reachable = False
    with pytest.raises(DoorError):
        await taken(folder)
    gateway.publisher.reachable = True

    await taken(folder)

    assert names_in(folder / "in") == set()
    assert said(gateway) == expected_of(SAMPLES)


async def test_killed_before_and_after_every_step_nothing_is_lost_and_nothing_doubled(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [*SAMPLES, a_consent()]
    put(folder / "in", *samples)
    kills = Kills(monkeypatch, (ReceiptFolder, "forget"))

    while not await kills.came_through(taken(folder)):
        pass

    assert kills.count > 2 * len(samples)
    assert said(gateway) == expected_of(samples)
    assert receipts_in(folder / "receipts") == {f"{sample.name}{sample.receipt}" for sample in samples}
    assert names_in(folder / "in") == set()
    assert len(names_in(folder / "done")) == sum(not sample.refused for sample in samples)


async def test_lists_lie_in_a_folder_of_their_name_and_may_come_again_as_they_were(
    gateway: Gateway, folder: Path
) -> None:
    gateway.clock.now = datetime(2027, 6, 1, tzinfo=UTC)
    gateway.settings.lists_folder.mkdir()
    (gateway.settings.lists_folder / "forloeb.toml").write_bytes(LIST.with_suffix(".toml").read_bytes())
    (folder / "in" / "lists" / "forloeb").mkdir(parents=True)
    odd = LIST.with_suffix(".csv").read_bytes()
    for content in (odd, odd.replace(b"Venteliste", b"I gang"), odd):
        (folder / "in" / "lists" / "forloeb" / "liste.csv").write_bytes(content)
        await taken(folder)

    assert len(names_in(folder / "done")) == 3
    assert sum(name.endswith(".report.json") for name in names_in(folder / "receipts")) == 3
    assert said(gateway)["enrolments"] == 6


async def test_the_source_may_read_receipts_and_the_journal_is_emptied(gateway: Gateway, folder: Path) -> None:
    put(folder / "in", SAMPLES[0])

    await taken(folder)

    receipt = folder / "receipts" / f"{SAMPLES[0].name}.receipt.json"
    assert stat.S_IMODE(receipt.stat().st_mode) == 0o640
    assert (folder / "receipts" / JOURNAL).read_bytes() == b""


async def test_it_goes_on_until_it_is_told_to_end(gateway: Gateway, folder: Path) -> None:
    stopping = threading.Event()
    watching = Watching(WatchedFolder(folder, 0.0), GatewayClient(_GATEWAY, token(), stopping.wait), stopping)
    running = asyncio.create_task(asyncio.to_thread(watching.run, 0.01))
    for sample in (SAMPLES[0], SAMPLES[3]):
        put(folder / "in", sample)
        await gateway.publisher.published(len(gateway.publisher.records) + 2)
    watching.stop()
    await running

    assert names_in(folder / "done") | names_in(folder / "in") == {SAMPLES[0].name, SAMPLES[3].name}


@pytest.mark.parametrize(
    ("mode", "content", "told"),
    [(0o644, "t", "can be read by others"), (0o600, "", "is empty"), (None, "", "no token")],
)
async def test_a_token_file_is_its_owners_alone(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int | None, content: str, told: str
) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("BROBYGGER_TOKEN", raising=False)
    file = tmp_path / "data" / "keys" / "watch" / "region-h.token"
    file.parent.mkdir(parents=True)
    if mode is not None:
        file.write_text(content, encoding="ascii")
        file.chmod(mode)

    done = await run("watch", folder, "--gateway", _GATEWAY)

    assert (done.exit_code, told in done.stderr) == (2, True)
