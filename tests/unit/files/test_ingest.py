"""``brobygger ingest``: every kind of file at its door, its receipt beside it, and what happens where it is killed."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from streams.cli.sending import doors, receipt_files
from streams.cli.sending.door_answers import NDJSON, GatewayResponse
from tests.mixed_files import KINDS, Sample, a_sample, write_mixed
from tests.unit.files.conftest import Run
from tests.unit.files.killing import Kills
from tests.unit.files.looking import a_consent, expected_of, put, receipts_in, said
from tests.unit.gateway.builders import Gateway

pytestmark = pytest.mark.long

GATEWAY = ("--gateway", "http://gateway.test", "--json")
SAMPLES = [a_sample(nth) for nth in range(4 * KINDS)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns an empty folder."""
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code in (0, 2), result.output + result.stderr
    value: dict[str, Any] = json.loads(result.stdout)
    return value


async def test_what_was_taken_is_told_in_the_singular_where_it_is_one(gateway: Gateway, run: Run, folder: Path) -> None:
    put(folder, SAMPLES[0])

    done = await run("ingest", folder, *GATEWAY[:2])

    assert done.stdout == "1 statement from 1 file was taken, 0 refused\n"


@pytest.mark.parametrize("sample", SAMPLES[: 2 * KINDS], ids=lambda sample: sample.name)
async def test_a_file_is_known_by_its_content_and_gets_the_receipt_of_its_own_format(
    gateway: Gateway, run: Run, folder: Path, sample: Sample
) -> None:
    put(folder, sample)

    done = document(await run("ingest", folder, *GATEWAY))

    assert (done["files"], done["taken"], len(done["refused"])) == (1, sample.taken, sample.refused)
    assert said(gateway) == Counter(sample.events)
    receipt = folder / f"{sample.name}{sample.receipt}"
    assert receipt.stat().st_size > 0
    assert stat.S_IMODE(receipt.stat().st_mode) == 0o600


async def test_what_has_a_receipt_is_not_sent_again_and_the_command_says_the_same(
    gateway: Gateway, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, *SAMPLES)
    first = await run("ingest", folder, *GATEWAY)
    monkeypatch.setattr(doors.GatewayClient, "post", unreachable)

    second = await run("ingest", folder, *GATEWAY)

    assert document(first) == document(second)
    assert said(gateway) == expected_of(SAMPLES)


async def test_a_file_that_has_changed_is_sent_and_its_old_receipt_goes(
    gateway: Gateway, run: Run, folder: Path
) -> None:
    (folder / "a-file").write_bytes(SAMPLES[0].content)
    await run("ingest", folder, *GATEWAY)
    (folder / "a-file").write_bytes(SAMPLES[3].content)

    await run("ingest", folder, *GATEWAY)

    assert said(gateway) == expected_of([SAMPLES[0], SAMPLES[3]])
    assert receipts_in(folder) == {"a-file.receipt.edi"}


async def test_receipts_in_a_folder_of_their_own_lie_as_the_files_do(
    gateway: Gateway, run: Run, folder: Path, tmp_path: Path
) -> None:
    samples = write_mixed(folder, 12, seed=4)
    receipts = tmp_path / "receipts"

    await run("ingest", folder, "--receipts", receipts, *GATEWAY)

    assert receipts_in(receipts) == {f"{name}{sample.receipt}" for name, sample in samples.items()}
    assert receipts_in(folder) == set()


async def test_files_that_are_being_written_or_hidden_are_left_alone(gateway: Gateway, run: Run, folder: Path) -> None:
    (folder / ".hidden").mkdir()
    for name in ("a.json.part", "b.edi.tmp", ".c.json", ".hidden/d.json"):
        (folder / name).write_bytes(SAMPLES[0].content)
    put(folder, SAMPLES[3])

    assert document(await run("ingest", folder, *GATEWAY))["files"] == 1


async def test_a_file_whose_receipt_could_have_no_name_is_refused_and_the_others_go_on(
    gateway: Gateway, run: Run, folder: Path
) -> None:
    (folder / ("å" * 110)).write_bytes(SAMPLES[0].content)
    (folder / "b").write_bytes(SAMPLES[3].content)

    done = document(await run("ingest", folder, *GATEWAY))

    assert ([row["code"] for row in done["refused"]], done["taken"]) == (["no_door"], 1)


async def test_two_files_that_would_have_one_receipt_are_refused_before_anything_is_sent(
    gateway: Gateway, run: Run, folder: Path, tmp_path: Path
) -> None:
    put(folder, SAMPLES[0])
    put(tmp_path, SAMPLES[0])
    both = (folder / SAMPLES[0].name, tmp_path / SAMPLES[0].name)

    done = await run("ingest", *both, "--receipts", tmp_path / "receipts", *GATEWAY)

    assert (done.exit_code, "would have one receipt" in done.stderr) == (2, True)
    assert said(gateway) == Counter()


async def test_what_is_turned_away_has_no_receipt_and_is_sent_once_it_may_come_in(
    gateway: Gateway, run: Run, folder: Path
) -> None:
    put(folder, SAMPLES[0])
    other = gateway.token(name="other", senders=("999999999999999",))["authorization"].removeprefix("Bearer ")

    away = document(await run("ingest", folder, "--token", other, *GATEWAY))
    taken = document(await run("ingest", folder, *GATEWAY))

    assert [row["code"] for row in away["refused"]] == ["foreign_source"]
    assert taken["taken"] == 1


async def test_a_token_that_is_not_known_ends_the_command(gateway: Gateway, run: Run, folder: Path) -> None:
    put(folder, SAMPLES[0])

    done = await run("ingest", folder, "--token", "wrong", *GATEWAY)

    assert (done.exit_code, "the token is not known" in done.stderr) == (2, True)


async def test_a_broker_that_is_away_for_a_moment_is_waited_for(
    gateway: Gateway, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.publisher.reachable = False
    waited: list[float] = []

    def come_back(seconds: float) -> None:
        waited.append(seconds)
        gateway.publisher.reachable = len(waited) % 2 == 0

    pause_with(monkeypatch, come_back)
    put(folder, *SAMPLES[:KINDS])

    done = document(await run("ingest", folder, *GATEWAY))

    assert waited[:2] == [1.0, 2.0]
    assert done["taken"] == sum(sample.taken for sample in SAMPLES[:KINDS])
    assert said(gateway) == expected_of(SAMPLES[:KINDS])


async def test_a_broker_that_stays_away_ends_the_command_and_the_next_one_goes_on(
    gateway: Gateway, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause_with(monkeypatch, lambda _: None)
    put(folder, *SAMPLES[:KINDS])
    gateway.publisher.reachable = False

    ended = await run("ingest", folder, *GATEWAY)
    gateway.publisher.reachable = True
    await run("ingest", folder, *GATEWAY)

    assert (ended.exit_code, "does not answer" in ended.stderr) == (2, True)
    assert "the gateway takes nothing now (status 200)" in ended.stderr
    assert said(gateway) == expected_of(SAMPLES[:KINDS])


async def test_another_process_at_the_same_receipts_is_refused(gateway: Gateway, run: Run, folder: Path) -> None:
    put(folder, SAMPLES[0])

    with receipt_files.ReceiptFolder(folder):
        done = await run("ingest", folder, *GATEWAY)

    assert (done.exit_code, "another process sends files" in done.stderr) == (2, True)


async def test_killed_before_and_after_every_step_each_file_is_said_once_and_has_its_receipt(
    gateway: Gateway, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [*SAMPLES[:KINDS], a_consent()]
    put(folder, *samples)
    kills = Kills(monkeypatch)

    while not await kills.came_through(run("ingest", folder, *GATEWAY)):
        pass

    assert kills.count > 2 * len(samples)
    assert said(gateway) == expected_of(samples)
    assert receipts_in(folder) == {f"{one.name}{one.receipt}" for one in samples}


async def test_codes_of_what_was_taken_in_part_are_kept_and_the_rest_is_sent_by_the_next_command(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "consents-1.ndjson").write_bytes(b"{}\n{}\n")
    partly = b'{"line":1,"outcome":"accepted","claim_code":"7K3Q"}\n{"line":2,"outcome":"unavailable"}\n'
    whole = b'{"line":1,"outcome":"repeated"}\n{"line":2,"outcome":"accepted"}\n'
    answers = iter([GatewayResponse(503, NDJSON, partly), GatewayResponse(200, NDJSON, whole)])
    monkeypatch.setattr(doors.GatewayClient, "post", lambda *_arguments, **_named: next(answers))

    first = await run("ingest", folder, "--token", "t", *GATEWAY)
    second = document(await run("ingest", folder, "--token", "t", *GATEWAY))

    assert (first.exit_code, "taken in part" in first.stderr) == (2, True)
    assert second["taken"] == 2
    assert {(folder / name).read_bytes() for name in receipts_in(folder)} == {partly, whole}


async def test_a_journal_whose_last_line_was_cut_off_is_read_to_the_line_before(
    gateway: Gateway, run: Run, folder: Path
) -> None:
    put(folder, *SAMPLES[:KINDS])
    await run("ingest", folder, *GATEWAY)
    journal = folder / receipt_files.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])

    done = document(await run("ingest", folder, *GATEWAY))

    assert done["files"] == KINDS
    assert said(gateway) == expected_of(SAMPLES[:KINDS])


def unreachable(*_arguments: Any, **_named: Any) -> Any:
    raise AssertionError("nothing is sent")


def pause_with(monkeypatch: pytest.MonkeyPatch, pause: Any) -> None:
    """Lets commands wait by a function of the test's."""
    first = doors.GatewayClient.__init__
    monkeypatch.setattr(
        doors.GatewayClient, "__init__", lambda self, gateway, token: first(self, gateway, token, pause)
    )
