"""After a demo nothing that it told of people lies anywhere in clear, and nothing of the instance still runs."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition

from connectors.cpr import CPR
from connectors.kafka.connection import KafkaConnection
from connectors.vault.keys import index_key
from connectors.vault.store import lookup_of
from schemas.codec import codec
from schemas.outputs import HandoverEvent
from schemas.reference import load_reference
from schemas.topics import kafka_name
from streams.demo.doors import Doors
from streams.demo.people import YoungPerson
from streams.demo.plot import Plot
from streams.engine.store import RocksStore
from streams.instance import Instance, read_instance
from streams.provision import receiving_programmes
from streams.settings import Settings
from tests.integration.gateway_runner import free_port
from tests.integration.service import committed_records

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
DEMO_MAX = timedelta(seconds=300)
STOP_MAX = timedelta(seconds=90)


class Cast(Plot):
    """A plot that is never played: it tells whom the demo makes up."""

    def __post_init__(self) -> None:
        """Starts with nobody."""
        super().__post_init__()
        self.people: list[YoungPerson] = []

    def _person(self, municipality: str, age: int) -> YoungPerson:
        person = super()._person(municipality, age)
        self.people.append(person)
        return person


def people_of_the_demo(days: Iterable[datetime]) -> set[YoungPerson]:
    """Returns everybody whom the first demo on a data folder tells of, begun on one of these days."""
    people: set[YoungPerson] = set()
    for day in days:
        cast = Cast(Doors(httpx.AsyncClient(), {}), load_reference(ROOT / "reference"), day, run=1)
        assert list(cast.acts())
        people |= set(cast.people)
    return people


def spellings_of(people: Iterable[YoungPerson]) -> set[bytes]:
    """Returns how these people's numbers and names look in bytes, in every form in which they may have been kept."""
    found: set[bytes] = set()
    for person in people:
        hyphened = f"{person.cpr[:6]}-{person.cpr[6:]}"
        for text in (person.cpr, hyphened, person.first_name, person.last_name):
            found |= {text.encode(code) for code in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")}
            found.add(json.dumps(text).strip('"').encode())
        for number in (person.cpr, hyphened):
            found |= base64_forms(number.encode()) | {number.encode().hex().encode()}
    return found


def base64_forms(secret: bytes) -> set[bytes]:
    """Returns what of the secret's base64 stays the same wherever it stands in what was encoded."""
    forms = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret)
        first = -(-before * 8 // 6)
        forms.add(whole[first : (before + len(secret)) * 8 // 6])
    return forms


def found_in(content: bytes, spellings: Iterable[bytes]) -> list[bytes]:
    """Returns which of the spellings stand in the content."""
    return [one for one in spellings if one in content]


def found_in_files(folder: Path, spellings: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Returns every file under a folder that holds one of the spellings, in its name or its bytes."""
    known = set(spellings)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        (str(path.relative_to(folder)), one)
        for path in files
        for one in found_in(str(path).encode() + path.read_bytes(), known)
    ]


def states_of(data_folder: Path) -> Iterator[bytes]:
    """Yields every key and value of the workers' stores, whose files may be compressed."""
    for current in sorted(data_folder.rglob("CURRENT")):
        store = RocksStore(current.parent)
        for key, value in store.states():
            yield key + value
        store.close()


def processes_of(folder: Path) -> list[str]:
    """Returns every process that was started with the folder in its command or its environment (Linux, proc(5))."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if process.name.isdigit() and process.name != str(os.getpid()) and str(folder).encode() in words:
            found.append(f"{process.name}: {words[:200]!r}")
    return found


@dataclass(frozen=True)
class Ended:
    """What a demo left behind."""

    data_folder: Path
    printed: bytes
    pages: dict[str, bytes]
    status: int
    people: set[YoungPerson]

    @cached_property
    def spellings(self) -> set[bytes]:
        """Returns how what the demo told of people looks in bytes."""
        return spellings_of(self.people)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Ended:
    """Runs a demo until programmes were offered handovers and one reply was accepted, then stops it by Ctrl-C."""
    data_folder, printed = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("printed") / "up.txt"
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "BROBYGGER_"))}
    variables |= {
        "BROBYGGER_DATA": str(data_folder),
        "BROBYGGER_CACHE": str(cache_dir),
        "BROBYGGER_PARTITIONS": str(PARTITIONS),
        "BROBYGGER_GATEWAY_PORT": str(free_port()),
    }
    begun = datetime.now(UTC)
    with printed.open("wb") as output:
        command = [sys.executable, "-m", "streams.cli", "up", "--demo"]
        up = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output, start_new_session=True)
    try:
        instance = wait_for_enough(up, data_folder, printed)
        pages = {address: httpx.get(f"{address}/metrics").content for address in addresses_of(instance)}
        up.send_signal(signal.SIGINT)
        status = up.wait(STOP_MAX.total_seconds())
    finally:
        up.kill()
        up.wait()
    people = people_of_the_demo({begun, datetime.now(UTC)})
    return Ended(data_folder, printed.read_bytes(), pages, status, people)


def wait_for_enough(up: subprocess.Popen[bytes], data_folder: Path, printed: Path) -> Instance:
    """Blocks until two programmes were offered something and a reply was accepted; returns the instance."""
    deadline = time.monotonic() + DEMO_MAX.total_seconds()
    while True:
        assert up.poll() is None, printed.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, printed.read_text(encoding="utf-8")
        instance = read_instance(data_folder)
        if instance is not None and asyncio.run(is_enough(KafkaConnection(bootstrap=instance.bootstrap))):
            return instance
        time.sleep(1)  # between looks at the condition


async def is_enough(connection: KafkaConnection) -> bool:
    """Tells whether two programmes were offered something and a reply was accepted."""
    topics = [kafka_name(f"handovers.{one}") for one in receiving_programmes(Settings())]
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
    told = [
        codec(HandoverEvent).decode_raw(record.value) async for _, record in committed_records(connection, partitions)
    ]
    offered = {one["programme"] for one in told if one["statement"] == "offered"}
    return len(offered) > 1 and any(one["statement"] == "reply_accepted" for one in told)


def addresses_of(instance: Instance) -> list[str]:
    """Returns where the processes serve their metrics."""
    return [process.health for process in instance.processes if process.health is not None]


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

    assert len(states) > PARTITIONS
    assert [found for state in states for found in found_in(state, ended.spellings)] == []


def test_no_page_of_metrics_holds_anything_personal(ended: Ended) -> None:
    assert len(ended.pages) == 4
    for page in ended.pages.values():
        assert b"# HELP" in page
        assert found_in(page, ended.spellings) == []


def test_nothing_personal_is_printed(ended: Ended) -> None:
    assert b"offered" in ended.printed
    assert found_in(ended.printed, ended.spellings) == []


def test_everybody_whom_the_vault_knows_is_looked_for(ended: Ended) -> None:
    rows = sqlite3.connect(ended.data_folder / "vault.sqlite").execute("SELECT lookup FROM youth_index")
    known = {row[0] for row in rows}
    key = index_key(ended.data_folder / "keys")

    assert len(known) > 1
    assert known <= {lookup_of(key, CPR, person.cpr) for person in ended.people}


@pytest.mark.parametrize("form", ["plain", "hyphen", "utf-16", "base64", "inside base64", "escaped name"])
def test_what_is_planted_is_found(tmp_path: Path, form: str) -> None:
    person = min(people_of_the_demo([datetime(2026, 2, 2, 10, tzinfo=UTC)]), key=lambda one: one.cpr)
    planted = {
        "plain": person.cpr.encode(),
        "hyphen": f"{person.cpr[:6]}-{person.cpr[6:]}".encode(),
        "utf-16": person.last_name.encode("utf-16"),
        "base64": base64.b64encode(person.cpr.encode()),
        "inside base64": base64.b64encode(b'{"cpr": "' + person.cpr.encode() + b'"}'),
        "escaped name": json.dumps("Prøvesen").encode(),
    }
    segment = tmp_path / "broker" / "discharges-0" / "00000000000000000000.log"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(os.urandom(5_000) + planted[form] + os.urandom(5_000))
    everybody = spellings_of(people_of_the_demo([datetime(2026, 2, 2, 10, tzinfo=UTC)]))

    assert {name for name, _ in found_in_files(tmp_path, everybody)} == {str(segment.relative_to(tmp_path))}


def test_a_planted_number_is_found_in_a_compressed_store(tmp_path: Path) -> None:
    person = min(people_of_the_demo([datetime(2026, 2, 2, 10, tzinfo=UTC)]), key=lambda one: one.cpr)
    store = RocksStore(tmp_path / "state" / "worker-1" / "join_pathways-0")
    store.write({b"key": b"a" * 1_000 + person.cpr.encode()}, {}, None)
    store.close()

    assert [found_in(state, spellings_of([person])) for state in states_of(tmp_path)] == [[person.cpr.encode()]]


def test_a_process_with_the_folder_in_its_environment_is_found(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], "BROBYGGER_DATA": str(tmp_path)})
    try:
        assert [row.partition(":")[0] for row in processes_of(tmp_path)] == [str(sleeper.pid)]
    finally:
        sleeper.kill()
        sleeper.wait()
