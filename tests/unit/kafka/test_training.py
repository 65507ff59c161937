"""The startup archive is a matter of speed: whatever keeps it from being built is told, and the set-up goes on."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from kafka.errors import KafkaTimeoutError

from connectors.kafka import training
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.jars import read_lock
from connectors.kafka.startup_archive import WRITES_ARCHIVE, archive_file


class FakeBroker:
    """Stands for the broker that is trained: does what a test says, and leaves what Java would."""

    started = 0
    on_start: Callable[[], None] = staticmethod(lambda: None)
    writes = True
    in_order = True
    bootstrap = "127.0.0.1:1"

    def __init__(self, _data: Path, *, cache_dir: Path, java_options: tuple[str, ...]) -> None:
        self._archive = Path(java_options[0].removeprefix(WRITES_ARCHIVE))

    def __enter__(self) -> None:
        type(self).started += 1
        self.on_start()

    def __exit__(self, *_: object) -> None:
        return

    def stop(self, _timeout: timedelta) -> bool:
        """Shuts down."""
        if self.writes:
            self._archive.write_bytes(b"archive")
        return self.in_order


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> type[FakeBroker]:
    """Returns the broker that is trained, in place of Java's."""
    fake = type("Fake", (FakeBroker,), {})
    monkeypatch.setattr(training, "EmbeddedBroker", fake)
    monkeypatch.setattr(training, "obtain_jars", lambda _: ())
    monkeypatch.setattr(training, "_exercise", lambda _: None)
    return fake


@pytest.fixture
def told(tmp_path: Path, broker: type[FakeBroker]) -> Callable[[], list[str]]:
    """Returns what prepares a cache, and what it told."""

    def prepared() -> list[str]:
        said: list[str] = []
        training.prepare(tmp_path, said.append)
        return said

    return prepared


def archive_in(cache: Path) -> Path:
    return archive_file(cache, read_lock())


def test_an_archive_is_built_once_and_nothing_is_left_beside_it(
    told: Callable[[], list[str]], broker: type[FakeBroker], tmp_path: Path
) -> None:
    assert (told(), told()) == ([], [])

    assert broker.started == 1
    assert archive_in(tmp_path).read_bytes() == b"archive"
    assert {one.name for one in archive_in(tmp_path).parent.iterdir()} == {archive_in(tmp_path).name, ".building"}


@pytest.mark.parametrize(
    "changes",
    [
        {"on_start": staticmethod(failing(BrokerUnavailableError("the broker is not ready after 0:01:00\nits log")))},
        {"on_start": staticmethod(failing(KafkaTimeoutError("init_transactions")))},
        {"on_start": staticmethod(failing(OSError(28, "No space left on device")))},
        {"writes": False},
        {"in_order": False},
    ],
)
def test_what_is_for_speed_only_is_told_and_the_set_up_goes_on(
    told: Callable[[], list[str]], broker: type[FakeBroker], tmp_path: Path, changes: dict[str, object]
) -> None:
    for name, value in changes.items():
        setattr(broker, name, value)

    [said] = told()

    assert "brokers start slower" in said
    assert "\n" not in said
    assert not archive_in(tmp_path).exists()


def test_while_another_process_builds_it_nothing_is_built_twice(
    told: Callable[[], list[str]], broker: type[FakeBroker], tmp_path: Path
) -> None:
    folder = archive_in(tmp_path).parent
    folder.mkdir(parents=True)
    with (folder / ".building").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        [said] = told()

    assert "another process builds the startup archive" in said
    assert broker.started == 0


def test_jars_are_no_matter_of_speed(told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "obtain_jars", lambda _: failing(BrokerUnavailableError("no jar"))())

    with pytest.raises(BrokerUnavailableError, match="no jar"):
        told()


def test_java_that_writes_an_archive_reads_none_though_another_process_has_made_one(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"archive")
    folder = type("Folder", (), {"scratch": tmp_path, "logs": tmp_path})()

    options = (f"{WRITES_ARCHIVE}x",)
    reading = EmbeddedBroker(tmp_path, cache_dir=tmp_path)._machine_options(folder)
    writing = EmbeddedBroker(tmp_path, cache_dir=tmp_path, java_options=options)._machine_options(folder)

    assert f"-XX:AOTCache={archive}" in reading
    assert not [one for one in writing if one.startswith("-XX:AOTCache=")]
