"""What is planted is found: else that nothing is found would say nothing."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.engine.store import RocksStore
from tests.integration.traces import found_in, found_in_files, people_of_the_demo, processes_of, spellings_of, states_of

pytestmark = pytest.mark.integration


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
