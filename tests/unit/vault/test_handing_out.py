"""Each process gets the keys that it needs, works with them, and makes none that belong to others."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from connectors.kafka.connection import KafkaConnection
from connectors.vault.keys import NEEDED_BY, KeyHolder, add_key, hand_out
from connectors.webhooks.deliverer import Deliverer, DelivererSettings
from streams.app import stages_of
from streams.cli.main import app
from streams.letter_service import letter_service
from streams.settings import settings_from
from tests.unit.gateway.builders import a_gateway

VARIABLES = {"KAFKA_BOOTSTRAP": "localhost:1"}


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


@pytest.fixture
def handed(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Returns the data folder of the process that the test names, with what was handed to it."""
    process: KeyHolder = request.param
    hand_out(tmp_path / "operations" / "keys", process, tmp_path / "data" / "keys")
    return tmp_path / "data"


@pytest.mark.parametrize("process", list(NEEDED_BY))
def test_a_process_gets_its_keys_and_no_others_each_its_owners_only(process: KeyHolder, tmp_path: Path) -> None:
    hand_out(tmp_path / "operations", process, tmp_path / "theirs")

    assert names_in(tmp_path / "theirs") == set(NEEDED_BY[process])
    for name in NEEDED_BY[process]:
        file = tmp_path / "theirs" / name
        assert file.read_bytes() == (tmp_path / "operations" / name).read_bytes()
        assert file.stat().st_mode & 0o077 == (0o044 if "public" in name else 0)


def test_nobody_but_operations_has_what_opens_dead_letters(tmp_path: Path) -> None:
    hand_out(tmp_path / "operations", "gateway", tmp_path / "theirs")

    assert "sealing.private.key" in names_in(tmp_path / "operations")
    assert not [process for process, names in NEEDED_BY.items() if "sealing.private.key" in names]


def test_handed_out_again_a_later_key_stays(tmp_path: Path) -> None:
    hand_out(tmp_path / "operations", "gateway", tmp_path / "theirs")
    add_key(tmp_path / "theirs", "identities", "k002")
    later = (tmp_path / "theirs" / "identities.json").read_bytes()
    (tmp_path / "theirs" / "links.key").unlink()

    new = hand_out(tmp_path / "operations", "gateway", tmp_path / "theirs")

    assert (new, (tmp_path / "theirs" / "identities.json").read_bytes()) == (["links.key"], later)


@pytest.mark.parametrize("handed", ["worker"], indirect=True)
def test_a_worker_works_with_its_keys(handed: Path) -> None:
    stages = stages_of(settings_from(VARIABLES | {"BROBYGGER_DATA": str(handed)}))
    for stage in stages:
        stage.processor()

    assert names_in(handed / "keys") == set(NEEDED_BY["worker"])


@pytest.mark.parametrize("handed", ["deliverer"], indirect=True)
def test_a_deliverer_works_with_its_keys(handed: Path) -> None:
    Deliverer(DelivererSettings(data_folder=handed, kafka=KafkaConnection(bootstrap="localhost:1")))
    letters = letter_service(settings_from(VARIABLES | {"BROBYGGER_DATA": str(handed)}), CollectorRegistry())

    assert letters is not None
    assert names_in(handed / "keys") == set(NEEDED_BY["deliverer"])


@pytest.mark.parametrize("handed", ["gateway"], indirect=True)
async def test_a_gateway_works_with_its_keys_and_makes_no_private_one_of_dead_letters(handed: Path) -> None:
    async with a_gateway(handed) as gateway:
        ready = (await gateway.http.get("/ready")).json()

    assert ready["vault"] is True
    assert names_in(handed / "keys") == set(NEEDED_BY["gateway"])


def test_the_command_hands_out_to_several_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "operations"))
    folders = [str(tmp_path / name) for name in ("worker-1", "worker-2")]

    first, second = (CliRunner().invoke(app, ["keys", "hand-out", "worker", *folders]) for _ in range(2))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("pseudonyms.json, sealing.public.key") == 2
    assert second.stdout.count("nothing new") == 2
