"""A municipality's list on a real broker: with a bad row, mended, sent whole twice, and without what has vanished."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import create_keys
from schemas.topics import kafka_name
from streams.cli.up import free_port
from streams.log.reading import committed_records
from streams.supervision import stop_all, wait_until_ready
from tests.integration.command_line import a_gateway, a_worker, lines_of, run, the_gateway
from tests.unit.gateway.prepared import ROOT

pytestmark = pytest.mark.integration
PARTITIONS = 3
LISTS = ROOT / "tests" / "messages" / "municipal"
NAME = "helsingoer-forloeb"
ODD = (LISTS / f"{NAME}.csv").read_bytes()
BROKEN = ODD.replace(b"1. marts 2026", b"31. februar 2026")
NUMBERS = (b"0105109996", b"0203088882", b"1706099990", b"1112089994")


@pytest.fixture(scope="module")
def folder(empty_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Runs a worker and a gateway that knows the list; yields their data folder."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROBYGGER_DATA", str(data))
        patch.setenv("KAFKA_BOOTSTRAP", empty_broker.bootstrap)
        patch.setenv("BROBYGGER_PARTITIONS", str(PARTITIONS))
        patch.setenv("BROBYGGER_GATEWAY_PORT", str(free_port()))
        create_keys(data / "keys")
        for command in (("topics", "apply"), ("programmes", "apply")):
            assert run(*command).exit_code == 0
        legal = ("--data-controller", "Helsingør Kommune", "--legal-basis", "Sundhedsloven §126a")
        patch.setenv("BROBYGGER_TOKEN", run("clients", "create", "source", "helsingoer", *legal).stdout.strip())
        (data / "lists").mkdir()
        (data / "lists" / f"{NAME}.toml").write_bytes((LISTS / f"{NAME}.toml").read_bytes())
        children = [a_worker(data), a_gateway(data)]
        try:
            for child in children:
                child.start()
            wait_until_ready(children, timedelta(seconds=90), threading.Event())
            yield data
        finally:
            stop_all(children)


def ingest(file: Path) -> dict[str, Any]:
    """Sends a list by the command and returns what it prints."""
    sent = run("ingest", str(file), "--list", NAME, "--gateway", the_gateway(), "--json")
    assert sent.exit_code in (0, 2), sent.output
    document: dict[str, Any] = json.loads(sent.stdout)
    return document


def told(count: int) -> list[dict[str, Any]]:
    """Returns the events of courses, which are so many and no more."""
    events = [line["event"] for line in lines_of("subscribe", "enrolments", "--limit", str(count), "--json")]
    connection, topic = KafkaConnection(bootstrap=os.environ["KAFKA_BOOTSTRAP"]), kafka_name("enrolments")
    there = [one for number in range(PARTITIONS) for one in committed_records(connection, (topic, number))]
    assert len(there) == len(events)
    return events


def test_a_list_goes_in_row_by_row_is_mended_sent_whole_twice_and_ends_what_vanished(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "liste.csv"
    file.write_bytes(BROKEN)

    first = ingest(file)
    failed = file.with_name("liste.csv.failed.csv")
    failed.write_bytes(failed.read_bytes().replace(b"31. februar 2026", b"1. marts 2026"))
    mended = ingest(failed)

    assert (first["taken"], [row["where"] for row in first["refused"]]) == (3, ["row 6"])
    assert mended == {"files": 1, "taken": 1, "refused": []}
    assert Counter(event["status"] for event in told(4)) == {
        "active": 1,
        "completed": 1,
        "referred_elsewhere": 1,
        "waiting": 1,
    }
    check_sent_twice(file)
    check_vanished(file)
    check_erased()
    assert run("reconcile").exit_code == 0
    assert not any(number in path.read_bytes() for number in NUMBERS for path in folder.glob("*.sqlite*"))


def check_sent_twice(file: Path) -> None:
    """Sends the mended list whole, twice: nothing comes twice."""
    file.write_bytes(ODD)
    assert [ingest(file)["taken"], ingest(file)["taken"]] == [4, 4]
    told(4)


def check_vanished(file: Path) -> None:
    """Sends the list without a course that goes on, twice: it has ended, once."""
    lines = ODD.split(b"\r\n")
    file.write_bytes(b"\r\n".join(line for line in lines if b"Venteliste" not in line))
    assert [ingest(file)["refused"], ingest(file)["refused"]] == [[], []]
    ended = [event for event in told(5) if event["reason_code"] == "left_the_list"]
    assert [event["status"] for event in ended] == ["dropped_out"]


def check_erased() -> None:
    """Erases one young person: the row of the list goes too, and what the list says next is about somebody new."""
    erased = run("erase", "--yes", "--json", given="1706099990")
    assert erased.exit_code == 0, erased.output
    assert json.loads(erased.stdout)["lists"] == {"list_rows": 1}
