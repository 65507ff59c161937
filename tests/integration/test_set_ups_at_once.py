"""Several set-ups at once with one cache: all succeed, and the archive that one builds is whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.jars import obtain_jars, read_lock
from connectors.kafka.startup_archive import archive_file

pytestmark = pytest.mark.integration
_SET_UPS = 3
_PROGRAM = (
    "import sys; from pathlib import Path; from connectors.kafka.training import prepare; prepare(Path(sys.argv[1]))"
)


def test_set_ups_at_once_with_one_cache_all_succeed(cache_dir: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "jars").mkdir(parents=True)
    for jar in obtain_jars(cache_dir):
        shutil.copyfile(jar, cache / "jars" / jar.name)
    command = [sys.executable, "-c", _PROGRAM, str(cache)]

    set_ups = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(_SET_UPS)]
    said = [one.communicate(timeout=300)[1] for one in set_ups]

    assert [one.returncode for one in set_ups] == [0] * _SET_UPS, said
    assert archive_file(cache, read_lock()).exists(), said
    with EmbeddedBroker(tmp_path / "broker", cache_dir=cache) as broker:
        assert broker.alive()
