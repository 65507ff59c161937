"""``brobygger watch``: no name, and nothing that stands in a file's way, ends it or holds up what lies beside."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from streams.cli.sending.door_answers import DoorError
from streams.cli.sending.held_folder import HeldFolder
from streams.cli.sending.watched_folder import WatchedFolder
from tests.unit.files.conftest import Run
from tests.unit.files.watched import Clock, looked, names_in, put_in, put_last, statement
from tests.unit.gateway.builders import Gateway

pytestmark = pytest.mark.long


HIDDEN = ["..%2f", ".%2e", "..\\events"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a source's folder into which nothing has come."""
    (tmp_path / "region-h" / "in").mkdir(parents=True)
    return tmp_path / "region-h"


IN_THE_WAY = {
    "a folder where a receipt goes": ("enrolments-1.json.receipt.json/enrolments-2.json", "enrolments-1.json"),
    "a folder where a reason goes": ("x.txt.refused.json/y.txt", "x.txt"),
    "a folder where a file was taken": ("enrolments-2026", "enrolments-2026/enrolments-1.json"),
    "a folder where a file was refused": ("2026", "2026/note.txt"),
    "a file where a folder was taken": ("enrolments-2026/enrolments-1.json", "enrolments-2026"),
    "a folder where a reason stands": ("x.txt", "x.txt.refused.json/y.txt"),
    "a list in a folder where a file was refused": ("lists", "lists/courses/1.csv"),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
async def test_what_has_the_name_of_something_earlier_gets_another_and_nothing_waits(
    gateway: Gateway, folder: Path, case: str
) -> None:
    for number, name in enumerate(IN_THE_WAY[case]):
        put_in(folder, name, statement(number) if "enrolments" in name else b"a note")
        put_in(folder, f"enrolments-behind-{number}.json", statement(7 + number), 2_000_000_000)
        [went] = await looked(folder)
        assert (len(went), None in went) == (2, False)
        for path in sorted((folder / "in").rglob("*"), reverse=True):
            path.rmdir()  # as whoever put it there does, so that a file may have a folder's name

    taken_or_refused = [*names_in(folder / "done"), *names_in(folder / "refused")]
    assert sum(not name.endswith(".refused.json") for name in taken_or_refused) == 4
    assert (folder / "done" / "enrolments-behind-1.json").is_file()


async def test_a_reason_never_takes_the_place_of_a_file(gateway: Gateway, folder: Path) -> None:
    put_in(folder, "x.txt.refused.json", b"not a reason")
    put_in(folder, "x.txt", b"a note", 1_100_000_000)

    await looked(folder)

    kept = [(folder / "refused" / name).read_bytes() for name in names_in(folder / "refused")]
    assert b"not a reason" in kept
    assert len(kept) == 4


@pytest.mark.parametrize("name", ["receipts/.enrolments-1.json.receipt.json.tmp", "refused/.x.txt.refused.json.tmp"])
async def test_a_folder_where_a_draft_goes_is_in_nobodys_way(gateway: Gateway, folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    put_in(folder, "enrolments-1.json", statement(1))
    put_in(folder, "x.txt")

    assert sorted(filter(None, (await looked(folder))[0])) == ["done", "refused"]


async def test_a_name_that_is_too_long_holds_nobody_up(gateway: Gateway, folder: Path) -> None:
    put_in(folder, "å" * 120, statement(1))

    assert await looked(folder) == [["refused"]]
    assert {name[:40] for name in names_in(folder / "refused")} == {"å" * 40}


async def test_a_long_name_that_comes_again_has_room_for_its_receipts(gateway: Gateway, folder: Path) -> None:
    for number in (1, 2):
        put_in(folder, "enrolments-" + "x" * 189, statement(number))
        assert await looked(folder) == [["done"]]

    assert all(len(name) <= 200 for name in names_in(folder / "done"))


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def a_deep_file(path: Path) -> None:
    deep = path.joinpath(*"abcdefghijklmnopqrs")
    deep.mkdir(parents=True)
    (deep / "enrolments-1.json").write_bytes(statement(1))


async def test_a_folder_that_lies_too_deep_stays_and_is_told_once(gateway: Gateway, folder: Path) -> None:
    a_deep_file(folder / "in" / "a")

    with structlog.testing.capture_logs() as logs:
        assert await looked(folder, 0.0, 1.0, 61.0) == [[None], [], [None]]

    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["watch_leaves_file"]


@pytest.mark.parametrize("made", [a_pipe, a_socket])
async def test_what_can_never_be_read_is_refused(
    gateway: Gateway, folder: Path, made: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "in")  # a socket's path has 108 bytes at most
    made(Path("enrolments-a"))

    assert await looked(folder, 0.0, 1.0) == [["refused"], []]
    assert names_in(folder / "in") == []


async def test_what_can_be_put_nowhere_is_told_once_tried_each_minute_and_holds_up_nobody(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(folder, "anna-0105109996/enrolments-1.json", statement(1))
    put_last(folder)
    move = HeldFolder.move

    def move_what_may_be(self: HeldFolder, name: str, *rest: HeldFolder | str) -> None:
        if "/" in name:  # a folder of another account, which may be read but not written
            raise PermissionError(errno.EACCES, "Permission denied")
        move(self, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(HeldFolder, "move", move_what_may_be)
    with structlog.testing.capture_logs() as logs:
        went = await looked(folder, 0.0, 1.0, 59.0, 61.0)

    assert went == [[None, "done"], [], [], [None]]
    told = [line for line in logs if line["event"] == "watch_leaves_file"]
    assert len(told) == 1
    assert "anna" not in str(told)
    assert len(gateway.published("enrolments")) == 2


async def test_a_folder_that_may_not_be_looked_into_is_told_once_and_holds_up_nobody(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(folder, "closed/enrolments-1.json", statement(1))
    put_last(folder)
    look, move = HeldFolder.look, HeldFolder.move

    def refusing(step: Callable[..., object]) -> Callable[..., object]:
        def done(self: HeldFolder, name: str, *rest: object) -> object:
            if self.path.name == "in" and name.startswith("closed/"):
                raise PermissionError(errno.EACCES, "Permission denied")
            return step(self, name, *rest)

        return done

    monkeypatch.setattr(HeldFolder, "look", refusing(look))
    monkeypatch.setattr(HeldFolder, "move", refusing(move))
    with structlog.testing.capture_logs() as logs:
        went = await looked(folder, 0.0, 1.0, 2.0)

    assert went == [[None, "done"], [], []]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["watch_leaves_file"]
    assert names_in(folder / "refused") == []


async def test_what_nothing_could_be_moved_for_waits_and_is_no_single_files_fault(
    gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_last(folder)

    def full(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(HeldFolder, "move", full)

    with pytest.raises(DoorError, match="Read-only"):
        await looked(folder)


@pytest.mark.parametrize("name", [*(f"lists/{name}/x.csv" for name in HIDDEN), "a.json.part", "a.json.receipt.json"])
def test_what_is_passed_over_for_an_hour_is_told_once(folder: Path, name: str) -> None:
    put_in(folder, name)
    clock = Clock()
    watched = WatchedFolder(folder, 0.0, clock)

    told = []
    with structlog.testing.capture_logs() as logs:
        for clock.seconds in (0.0, 3_599.0, 3_600.0, 3_601.0, 9_000.0):
            assert watched.complete() == []
            told.append(len(logs))

    assert told == [0, 0, 1, 1, 1]
    assert (logs[0]["event"], logs[0]["files"]) == ("watch_passes_over", 1)
    assert Path(name).name not in str(logs)


async def test_ingest_refuses_a_file_whose_receipt_has_no_place_and_sends_the_others(
    gateway: Gateway, run: Run, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    for name in ("enrolments-1.json.receipt.json", "enrolments-\udcff.txt"):
        (files / name).mkdir(parents=True)
    for name in ("enrolments-1.json", "enrolments-2.json", "note-\udcff"):
        (files / name).write_bytes(b"a note" if "note" in name else statement(len(name)))

    done = json.loads((await run("ingest", files, "--gateway", "http://gateway.test", "--json")).stdout)

    assert (done["taken"], [row["code"] for row in done["refused"]]) == (1, ["no_door", "no_door"])
