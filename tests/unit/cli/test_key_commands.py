"""``brobygger keys``: what it lists, and a rotation from the command line to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from connectors.vault.keys import index_keys, wrapping_keys
from connectors.vault.tables import IDENTITIES
from connectors.vault.urls import sqlite_url
from streams.cli.main import app
from tests.unit.vault.instances import Instance, an_instance

pytestmark = pytest.mark.long

NUMBERS = [f"010100{number:04}" for number in range(5)]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Returns the vault of a data folder that the commands work on, with five people in it."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    instance = an_instance(sqlite_url(tmp_path / "vault.sqlite"), tmp_path / "keys")
    for number in NUMBERS:
        instance.tell(number)
    return instance


def run(*arguments: str) -> Result:
    """Runs a command of keys."""
    return CliRunner().invoke(app, ["keys", *arguments])


def listed() -> list[dict[str, Any]]:
    """Returns what is listed for scripts."""
    return [json.loads(line) for line in run("list", "--json").stdout.splitlines()]


def test_keys_are_listed_with_their_use_and_never_themselves(instance: Instance) -> None:
    printed = run("list").output

    assert listed() == [
        {"kind": "index", "key_id": "k001", "state": "current", "needed_by": 5},
        {"kind": "identities", "key_id": "k001", "state": "current", "needed_by": 5},
        {"kind": "data", "key_id": "1", "state": "current", "needed_by": 5},
        {"kind": "pseudonyms", "key_id": "k001", "state": "current", "needed_by": None},
    ]
    keys = [index_keys(instance.keys)[0].key.hex(), wrapping_keys(instance.keys)[0].key.hex()]
    assert [key for key in keys if key in printed] == []


@pytest.mark.parametrize("kind", ["index", "identities"])
def test_a_rotation_says_when_the_former_key_may_retire_and_retiring_ends_it(instance: Instance, kind: str) -> None:
    rotated, again = run("rotate", kind), json.loads(run("rotate", kind, "--json").stdout)
    retired, nothing = run("retire", kind), run("retire", kind)

    assert (rotated.exit_code, retired.exit_code, nothing.exit_code) == (0, 0, 0), rotated.output
    assert f"{kind} key k002 is in force; 5 rows were brought under it" in rotated.stdout
    assert f"nothing needs the former key; `brobygger keys retire {kind}` takes it out" in rotated.stdout
    assert again == {"kind": kind, "key_id": "k002", "resumed": True, "rows": 0, "left": 0}
    assert (retired.stdout, nothing.stdout) == ("retired: k001\n", "retired: nothing, no former key is left\n")
    assert [one["key_id"] for one in listed() if one["kind"] == kind] == ["k002"]
    assert instance.vault.known_youth_id("urn:oid:1.2.208.176.1.2", NUMBERS[0])


def test_data_keys_are_rotated_without_anything_to_retire(instance: Instance) -> None:
    rotated, prepared = run("rotate", "data"), run("prepare", "data")

    assert "data key 2 is in force; 5 rows were brought under it" in rotated.stdout
    assert "nothing needs the former data keys; they are gone" in rotated.stdout
    assert prepared.exit_code == 2
    assert instance.rotation.uses()[-1].key_id == "2"


def test_a_prepared_key_is_told_with_its_file(instance: Instance) -> None:
    prepared = run("prepare", "index")

    assert f"k002 lies in {instance.keys / 'index.json'}" in prepared.stdout.replace("\n", "")
    assert [one["state"] for one in listed() if one["kind"] == "index"] == ["current", "prepared"]


def test_what_is_left_ends_with_exit_code_1_and_keeps_its_key(instance: Instance) -> None:
    with instance.vault.engine.begin() as connection:
        connection.execute(update(IDENTITIES).values(wrapped_key=b"x" * 60))

    rotated, retired = run("rotate", "identities"), run("retire", "identities")

    assert (rotated.exit_code, retired.exit_code) == (1, 1)
    assert "5 rows could not be opened" in rotated.stdout
    assert "5 people need a former key still" in retired.output
    assert len(wrapping_keys(instance.keys)) == 2


def test_without_keys_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "nothing"))

    assert run("list").exit_code == 2
    assert not (tmp_path / "nothing").exists()
