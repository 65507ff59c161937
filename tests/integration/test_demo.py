"""A demo as a reader of README has it: every command works beside it, in its order, until Ctrl-C ends it.

After that nothing that was told of people lies anywhere in clear, and nothing of the instance still runs.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition

from connectors.cpr import CPR
from connectors.kafka.connection import KafkaConnection
from connectors.vault.keys import index_keys
from connectors.vault.store import lookup_of
from schemas.codec import codec
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.demo.people import YoungPerson
from streams.instance import Instance, read_instance
from streams.log.reading import all_partition_counts
from streams.provision import receiving_programmes
from streams.settings import Settings
from tests.integration.gateway_runner import free_port
from tests.integration.service import committed_records
from tests.integration.traces import found_in, found_in_files, people_of_the_demo, processes_of, spellings_of, states_of
from tests.unit.gateway.prepared import ROOT

pytestmark = pytest.mark.integration

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Whom README's reader tells of: the patient of MedCom's message, and the rows of a municipality's list.
TOLD_BY_THE_READER = {
    YoungPerson("2509479989", "Nancy Ann", "Elmer", date(1947, 9, 25), "0101"),
    YoungPerson("0105109996", "Testine", "Åberg", date(2010, 5, 1), "0217"),
    YoungPerson("0203088882", "Prøve", "Østergaard", date(2008, 3, 2), "0217"),
    YoungPerson("1706099990", "Søren", "Ærlig", date(2009, 6, 17), "0217"),
    YoungPerson("1112089994", "Aase", "Ørum", date(2008, 12, 11), "0217"),
}
PROGRAMMES = {"headspace", "ungevaerftet"}
DEMO_MAX = timedelta(seconds=300)
STOP_MAX = timedelta(seconds=90)
Variables = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """What a demo left behind."""

    data_folder: Path
    printed: bytes
    pages: dict[str, bytes]
    status: int
    people: set[YoungPerson]
    commands: subprocess.CompletedProcess[str]

    @cached_property
    def spellings(self) -> set[bytes]:
        """Returns how what the demo told of people looks in bytes."""
        return spellings_of(self.people)


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, request: pytest.FixtureRequest) -> Variables:
    """Returns the environment of a reader who has set little; the soak leaves the number of partitions as it is."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "BROBYGGER_"))}
    fewer = {} if request.config.getoption("--soak") else {"BROBYGGER_PARTITIONS": "4"}
    return (
        inherited
        | fewer
        | {
            "BROBYGGER_DATA": str(tmp_path_factory.mktemp("data")),
            "BROBYGGER_CACHE": str(cache_dir),
            "BROBYGGER_GATEWAY_PORT": str(free_port()),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
    )


@pytest.fixture(scope="module")
def ended(variables: Variables, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Runs a demo until there is something to see, then README's commands, then stops it by Ctrl-C."""
    data_folder, printed = Path(variables["BROBYGGER_DATA"]), tmp_path_factory.mktemp("printed") / "up.txt"
    begun = datetime.now(UTC)
    with printed.open("wb") as output:
        command = [sys.executable, "-m", "streams.cli", "up", "--demo"]
        up = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output, start_new_session=True)
    try:
        instance = wait_for_enough(up, data_folder, printed)
        commands = run_commands(variables)
        pages = {address: httpx.get(f"{address}/metrics").content for address in addresses_of(instance)}
        up.send_signal(signal.SIGINT)
        status = up.wait(STOP_MAX.total_seconds())
    finally:
        up.kill()
        up.wait()
    people = people_of_the_demo({begun, datetime.now(UTC)}) | TOLD_BY_THE_READER
    return Ended(data_folder, printed.read_bytes(), pages, status, people, commands)


def run_commands(variables: Variables) -> subprocess.CompletedProcess[str]:
    """Runs the commands of README's console blocks, in order, as one script that ends with the first that fails."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    port = variables["BROBYGGER_GATEWAY_PORT"]
    wanted = [line.replace(":8460", f":{port}") for line in lines if not line.startswith(". .venv")]
    script = "set -euo pipefail\n" + "\n".join(f"echo '>' {number}\n{line}" for number, line in enumerate(wanted))
    bash = shutil.which("bash")
    assert bash is not None, "install the system package bash"
    assert shutil.which("curl") is not None, "install the system package curl"
    return subprocess.run([bash, "-c", script], env=variables, cwd=ROOT, capture_output=True, text=True, check=False)


def wait_for_enough(up: subprocess.Popen[bytes], data_folder: Path, printed: Path) -> Instance:
    """Blocks until README's programmes were offered something and a reply was accepted; returns the instance."""
    deadline = time.monotonic() + DEMO_MAX.total_seconds()
    while True:
        assert up.poll() is None, printed.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, printed.read_text(encoding="utf-8")
        instance = read_instance(data_folder)
        if instance is not None and asyncio.run(is_enough(KafkaConnection(bootstrap=instance.bootstrap))):
            return instance
        time.sleep(0.5)  # between looks at the condition


async def is_enough(connection: KafkaConnection) -> bool:
    """Tells whether README's programmes were offered something and a reply was accepted."""
    topics = [kafka_name(f"handovers.{one}") for one in receiving_programmes(Settings())]
    counts = await all_partition_counts(connection)
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))]
    told = [
        codec(HandoverEvent).decode_raw(record.value) async for _, record in committed_records(connection, partitions)
    ]
    offered = {one["programme"] for one in told if one["type"] == "offered"}
    return offered >= PROGRAMMES and any(one["type"] == "reply_accepted" for one in told)


def addresses_of(instance: Instance) -> list[str]:
    """Returns where the processes serve their metrics."""
    return [process.health for process in instance.processes if process.health is not None]


def test_every_command_works(ended: Ended) -> None:
    ran = ended.commands

    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"


def test_the_demo_stops_by_itself_and_leaves_no_process(ended: Ended) -> None:
    assert ended.status == 0
    assert processes_of(ended.data_folder) == []
    assert read_instance(ended.data_folder) is None


def test_no_file_of_the_data_folder_holds_anything_personal(ended: Ended) -> None:
    kinds = {path.suffix for path in ended.data_folder.rglob("*") if path.is_file()}

    assert kinds >= {".log", ".sqlite", ".json"}
    assert found_in_files(ended.data_folder, ended.spellings) == []


def test_no_state_of_a_worker_holds_anything_personal(ended: Ended) -> None:
    states = list(states_of(ended.data_folder))

    assert len(states) > 4
    assert [found for state in states for found in found_in(state, ended.spellings)] == []


def test_no_page_of_metrics_holds_anything_personal(ended: Ended) -> None:
    assert len(ended.pages) == 4
    for page in ended.pages.values():
        assert b"# HELP" in page
        assert found_in(page, ended.spellings) == []


def test_nothing_personal_is_printed(ended: Ended) -> None:
    assert b"offered" in ended.printed
    assert found_in(ended.printed, ended.spellings) == []
    assert found_in(ended.commands.stdout.encode(), ended.spellings) == []


def test_everybody_whom_the_vault_knows_is_looked_for(ended: Ended) -> None:
    rows = sqlite3.connect(ended.data_folder / "vault.sqlite").execute("SELECT lookup FROM youth_index")
    known = {row[0] for row in rows}
    [key] = index_keys(ended.data_folder / "keys")

    assert len(known) > 1
    assert known <= {lookup_of(key.key, CPR, person.cpr) for person in ended.people}
