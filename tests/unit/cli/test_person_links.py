"""``brobygger persons``: numbers come by standard input, and vault and log are told the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.kafka.connection import KafkaConnection
from connectors.vault.number_links import NumberLinks
from connectors.vault.urls import sqlite_url
from schemas.codec import codec
from schemas.events import Person
from streams import instance as instance_of
from streams.cli.main import app
from streams.log import linking
from streams.log.writing import Outbound
from tests.unit.vault.builders import SYSTEM
from tests.unit.vault.instances import Instance, an_instance

OLD, NEW = "0105109996", "0105109997"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Outbound]:
    """Stands for the broker: returns what is written to it."""
    records: list[Outbound] = []
    monkeypatch.setattr(linking, "write_all", lambda _, some: records.extend(some))
    monkeypatch.setattr(instance_of, "require_broker", lambda _: None)
    return records


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Returns the vault of a data folder that the commands work on, and a cluster that is never asked."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", KafkaConnection(bootstrap="localhost:1").bootstrap)
    return an_instance(sqlite_url(tmp_path / "vault.sqlite"), tmp_path / "keys")


def run(command: str, typed: str, *options: str) -> Result:
    """Runs a command with the numbers on standard input."""
    return CliRunner().invoke(app, ["persons", command, *options], input=typed)


def test_a_link_and_its_undoing_are_told_to_vault_and_log(instance: Instance, written: list[Outbound]) -> None:
    linked = run("link", f"{OLD[:6]}-{OLD[6:]}\n{NEW}\n", "--json")
    old, new = (instance.vault.known_youth_id(SYSTEM, number) for number in (OLD, NEW))
    assert old is not None
    between = NumberLinks(instance.vault.engine).linked_with(old)
    unlinked = run("unlink", f"{OLD}\n{NEW}\n")

    assert (linked.exit_code, unlinked.exit_code) == (0, 0), linked.output + unlinked.output
    events = [codec(Person).decode_raw(record.value) for record in written if record.value]
    said = [(one["youth_id"], one["linked_to"], one["unlinked_from"]) for one in events]
    assert said == [(old, new, None), (old, None, new)]
    assert [record.key for record in written] == [old.encode()] * 2
    assert between == {new}
    assert NumberLinks(instance.vault.engine).linked_with(old) == frozenset()
    assert json.loads(linked.stdout)["other"] == new
    assert unlinked.stdout == f"{old} is unlinked from {new}\n"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "the number that was replaced: the number is ten digits"),
        (f"{OLD}\n", "the number that stands from now on: the number is ten digits"),
        (f"{OLD}\n{OLD}\n", "the two numbers differ"),
        (f"{OLD}\n3102109989\n", "the first six digits are a date that exists"),
    ],
)
def test_what_is_no_pair_of_numbers_is_refused_and_told_to_nobody(
    instance: Instance, written: list[Outbound], typed: str, why: str
) -> None:
    ended = run("link", typed)

    assert ended.exit_code == 2
    assert why in ended.output
    assert OLD not in ended.output
    assert written == []
    assert instance.vault.known_youth_id(SYSTEM, OLD) is None


def test_a_link_the_other_way_round_is_refused(instance: Instance, written: list[Outbound]) -> None:
    run("link", f"{OLD}\n{NEW}\n")

    ended = run("link", f"{NEW}\n{OLD}\n")

    assert (ended.exit_code, len(written)) == (2, 1)
    assert "the other way round" in ended.output
    assert instance.vault.known_youth_id(SYSTEM, NEW)


def test_an_erasure_names_the_other_numbers_of_the_person(instance: Instance, written: list[Outbound]) -> None:
    run("link", f"{OLD}\n{NEW}\n")
    old, new = (instance.vault.known_youth_id(SYSTEM, number) for number in (OLD, NEW))

    ended = CliRunner().invoke(app, ["erase", str(old)])

    assert ended.exit_code == 2
    assert f"another number of the same person is {new}; it is erased with this one" in ended.output
    assert "give --yes" in ended.output
    assert len(written) == 1
