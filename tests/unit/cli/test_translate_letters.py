"""``brobygger translate`` knows by its content what a file holds, in envelopes and without."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli.main import app

MESSAGES = Path(__file__).parents[2] / "messages"
FHIR = MESSAGES / "medcom-fhir" / "hn-06-SLHJ-discharge-home.json"
CARE_LETTERS = [MESSAGES / "medcom-fhir" / f"cc-14-new.{form}" for form in ("json", "xml")]
LETTERS = MESSAGES / "medcom-edi"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the commands in a data folder of their own."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "data"))


def translated(*files: Path) -> tuple[int, list[dict[str, Any]]]:
    """Returns the exit code and the lines that are printed of files."""
    result = CliRunner().invoke(app, ["translate", *map(str, files), "--json"])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def in_envelope(file: Path, folder: Path) -> Path:
    """Returns a file with a message in a VANSEnvelope."""
    data = base64.b64encode(file.read_bytes()).decode()
    wrapped = folder / f"{file.name}.xml"
    wrapped.write_text(f"<VANSEnvelope><Message><Data>{data}</Data></Message></VANSEnvelope>", encoding="utf-8")
    return wrapped


@pytest.mark.parametrize("file", [FHIR, LETTERS / "DIS17_1.edi", LETTERS / "DIS17_1.xml"])
def test_a_message_is_the_same_in_an_envelope(file: Path, tmp_path: Path) -> None:
    code, lines = translated(file, in_envelope(file, tmp_path))

    said = [{**line["event"], "recorded_at": None} for line in lines]
    assert code == 0
    assert [line["topic"] for line in lines[:2]] == ["brobygger.discharges.v1", "brobygger.persons.v1"]
    assert said[:2] == said[2:]


def test_a_letter_is_the_same_in_either_syntax() -> None:
    _, lines = translated(LETTERS / "REF01_1.edi", LETTERS / "REF01_1.xml")

    said = [{**line["event"], "recorded_at": None} for line in lines]
    assert said[:2] == said[2:]
    assert lines[0]["topic"] == "brobygger.referrals.v1"


def test_what_is_refused_or_a_receipt_is_told_as_such() -> None:
    refused, (first,) = translated(LETTERS / "REF02_1.edi")
    unreadable, (second,) = translated(LETTERS / "DIS20_ERROR_UNZ1.edi")
    receipt, (third,) = translated(LETTERS / "CTL03_1.xml")

    assert (refused, first["refused"]["code"]) == (2, "message_type_not_taken")
    assert (unreadable, second["refused"]["field"]) == (2, "UNZ.1")
    assert (receipt, third) == (0, {"receipt": {"kind": "CTL03"}})


def test_a_care_communication_is_the_same_in_json_xml_and_an_envelope(tmp_path: Path) -> None:
    code, lines = translated(*CARE_LETTERS, *(in_envelope(file, tmp_path) for file in CARE_LETTERS))

    said = [{**line["event"], "recorded_at": None} for line in lines]
    assert code == 0
    assert [line["topic"] for line in lines[:2]] == ["brobygger.correspondence.v1", "brobygger.persons.v1"]
    assert said[:2] == said[2:4] == said[4:6] == said[6:]
