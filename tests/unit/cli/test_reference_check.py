"""``brobygger reference check``: files of today, and what messages name in vain."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.gateway.letters.unknown_receivers import KEPT_MAX, UnknownReceivers
from connectors.gateway.tables import open_ledger
from connectors.read_model.projection import project
from connectors.read_model.tables import open_read_model
from connectors.vault.urls import sqlite_url
from schemas.reference import load_reference
from streams.cli.main import app
from streams.cli.reference import dated
from tests.unit.gateway.builders import Gateway, a_message
from tests.unit.gateway.conftest import gateway, worked_out
from tests.unit.gateway.test_identities_kept import desk_of
from tests.unit.read_model.builders import a_notice

pytestmark = pytest.mark.long

__all__ = ["gateway", "worked_out"]
ROOT = Path(__file__).parents[3]
AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
UNKNOWN = ("123451000016009", "5790000000000")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a data folder, and reference data dated today that a test may change."""
    shutil.copytree(ROOT / "reference", tmp_path / "reference")
    sources = tmp_path / "reference" / "sources.toml"
    lines = [
        f"as_of = {datetime.now(UTC).date()}" if "as_of" in one else one for one in sources.read_text().splitlines()
    ]
    sources.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("BROBYGGER_REFERENCE", str(tmp_path / "reference"))
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    return tmp_path


def checked() -> tuple[int, list[dict[str, Any]]]:
    """Returns the exit code and what was found that somebody has to do something about."""
    ended = CliRunner().invoke(app, ["reference", "check", "--json"])
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.exit_code, [one for one in found if one["to_do"]]


def test_files_of_today_and_no_messages_need_nothing(folder: Path) -> None:
    assert checked() == (0, [])
    assert not (folder / "gateway.sqlite").exists()


def test_a_unit_that_notices_name_is_told_until_reference_data_knows_it(folder: Path) -> None:
    engine = open_read_model(sqlite_url(folder / "read-model.sqlite"))
    known = load_reference(folder / "reference").units[0].sor
    about = [(UNKNOWN[0], "one"), (UNKNOWN[0], "two"), (known, "three")]
    notices = [
        a_notice(name, (0, place), kind="unknown_unit", subject=unit, reason_code="unknown_unit")
        for place, (unit, name) in enumerate(about)
    ]
    project(engine, notices)

    code, [found] = checked()

    assert (code, found["kind"], found["file"], found["entry"]) == (1, "unknown_unit", "units.toml", UNKNOWN[0])
    assert found["text"].startswith("2 young people")


def test_a_receiver_that_messages_name_is_told_until_reference_data_knows_it(folder: Path) -> None:
    receivers = UnknownReceivers(open_ledger(sqlite_url(folder / "gateway.sqlite")))
    receivers.note(*UNKNOWN, AT)
    receivers.note(*UNKNOWN, AT)
    known = load_reference(folder / "reference").receivers[0]
    receivers.note(known.sor, known.gln, AT)

    code, [found] = checked()

    assert (code, found["kind"], found["entry"]) == (1, "unknown_receiver", UNKNOWN[0])
    assert found["text"] == f"2 messages were refused, the last on 2026-02-01; GLN {UNKNOWN[1]}"


def test_a_broken_file_ends_with_exit_code_2_and_its_name(folder: Path) -> None:
    (folder / "reference" / "units.toml").write_text("unit = 3", encoding="utf-8")

    ended = CliRunner().invoke(app, ["reference", "check"])

    assert ended.exit_code == 2
    assert "units.toml" in ended.output


def test_what_is_old_dated_ahead_or_about_to_change_is_told_as_of_the_day() -> None:
    loaded = load_reference(ROOT / "reference")

    far = [(one.kind, one.file) for one in dated(loaded, date(2028, 6, 1))]
    near = [(one.kind, one.entry, one.to_do) for one in dated(loaded, date(2026, 12, 1))]
    before = {one.kind for one in dated(loaded, date(2025, 12, 1))}

    assert far == [("old", file) for file in sorted(loaded.sources)]
    assert near == [("changes", "2027-01-01", False)] * 2
    assert before == {"dated_ahead"}


def test_what_is_no_code_and_what_is_one_too_many_is_kept_nowhere(tmp_path: Path) -> None:
    receivers = UnknownReceivers(open_ledger(sqlite_url(tmp_path / "gateway.sqlite")))
    for number in range(KEPT_MAX):
        receivers.note(f"{number:011}", "5790000000000", AT)

    receivers.note("Jens Hansen", "5790000000000", AT)
    receivers.note("0105109996", "5790000000000", AT)
    receivers.note("99999999999", "5790000000000", AT)
    receivers.note(f"{0:011}", "5790000000000", AT)

    listed = receivers.listed()
    assert len(listed) == KEPT_MAX
    assert (listed[0].sor, listed[0].messages) == ("00000000000", 2)
    assert receivers.prune(datetime(2027, 1, 1, tzinfo=UTC)) == KEPT_MAX


async def test_a_message_to_a_receiver_that_is_not_ours_is_noted_and_refused(gateway: Gateway) -> None:
    message = json.loads(json.dumps(a_message()).replace("953741000016009", UNKNOWN[0]))

    answer = await gateway.message(message, gateway.token())

    [noted] = desk_of(gateway).unknown_receivers.listed()
    assert (answer.status_code, noted.sor, noted.messages) == (200, UNKNOWN[0], 1)
    assert gateway.publisher.records == []
