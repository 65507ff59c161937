"""The jar cache hands out only what the lock names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from connectors.kafka import jars
from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.jars import LockedJar, lock_digest, obtain_jars, read_lock

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"what the jar holds"
COORDINATE = "org.example:thing:1.0"


def a_lock(folder: Path, content: bytes = CONTENT) -> Path:
    lock = folder / "jars.lock"
    lock.write_text(f"# a comment\n\n{COORDINATE} {hashlib.sha256(content).hexdigest()}\n")
    return lock


def a_cache(folder: Path, content: bytes = CONTENT) -> Path:
    (folder / "cache" / "jars").mkdir(parents=True)
    (folder / "cache" / "jars" / "thing-1.0.jar").write_bytes(content)
    return folder / "cache"


@pytest.fixture
def no_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every request fail as on a machine without a network."""

    def refuse(*_: object, **__: object) -> None:
        message = "no route to host"
        raise ConnectionError(message)

    monkeypatch.setattr("requests.request", refuse)


def test_the_committed_lock_names_kafka_once_and_each_file_once() -> None:
    locked = read_lock()

    names = [jar.filename for jar in locked]
    assert names.count(f"kafka_2.13-{jars.KAFKA_VERSION}.jar") == 1
    assert len(names) == len(set(names))


def test_all_of_kafkas_own_jars_have_one_version() -> None:
    versions = {
        jar.coordinate.rpartition(":")[2] for jar in read_lock() if jar.coordinate.startswith("org.apache.kafka:")
    }

    assert versions == {jars.KAFKA_VERSION}


def test_comments_and_blank_lines_are_no_entries(tmp_path: Path) -> None:
    locked = read_lock(a_lock(tmp_path))

    assert locked == (LockedJar(COORDINATE, hashlib.sha256(CONTENT).hexdigest()),)


@pytest.mark.parametrize("line", ["org.example:thing:1.0", "thing abc", f"{COORDINATE} abc"])
def test_a_line_that_is_no_entry_is_shown(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(line)

    with pytest.raises(BrokerUnavailableError, match=line):
        read_lock(lock)


def test_a_missing_or_empty_lock_says_to_restore_it(tmp_path: Path) -> None:
    empty = tmp_path / "empty.lock"
    empty.touch()

    for lock in (empty, tmp_path / "absent.lock"):
        with pytest.raises(BrokerUnavailableError, match="restore it from git"):
            read_lock(lock)


def test_a_cached_jar_is_handed_out_without_a_network(
    tmp_path: Path,
    no_repository: None,
) -> None:
    files = obtain_jars(a_cache(tmp_path), a_lock(tmp_path))

    assert [file.read_bytes() for file in files] == [CONTENT]


def test_a_tampered_jar_is_refused_by_name(tmp_path: Path) -> None:
    cache = a_cache(tmp_path, b"something else")

    with pytest.raises(BrokerUnavailableError, match=r"thing-1\.0\.jar is not the one.*delete"):
        obtain_jars(cache, a_lock(tmp_path))


def test_a_jar_neither_cached_nor_reachable_is_named_with_the_remedy(
    tmp_path: Path,
    no_repository: None,
) -> None:
    with pytest.raises(BrokerUnavailableError, match=f"{COORDINATE} is not in the cache.*no route.*network"):
        obtain_jars(tmp_path / "cache", a_lock(tmp_path))

    assert list((tmp_path / "cache" / "jars").iterdir()) == []


def test_the_digest_changes_with_any_jar_and_with_their_order() -> None:
    one, other = LockedJar(COORDINATE, "0" * 64), LockedJar(COORDINATE, "1" * 64)

    digests = {lock_digest(given) for given in ([one], [other], [one, other], [other, one])}
    assert len(digests) == 4
