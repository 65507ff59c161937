"""Fetches Kafka's jars and lets none through that differs from ``jars.lock``.

The lock names every jar by Maven coordinate and SHA-256. Which repository they come from is left
to jgo: Maven Central, or the ``[repositories]`` of the machine's own jgo settings.

``python -m connectors.kafka.jars lock`` resolves the dependencies anew and rewrites the lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.kafka.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jgo.maven import MavenContext

KAFKA_VERSION = "4.3.1"

# Kafka's jars log through slf4j 1; this is the backend of its own distribution, in the version of
# log4j-core that Kafka depends on.
ROOT_COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)

LOCK_FILE = Path(__file__).with_name("jars.lock")

_LOCK_HEADER = "# Written by `python -m connectors.kafka.jars lock`; do not edit by hand.\n"
_LOCK_LINE = re.compile(r"(?P<coordinate>[^\s:]+:[^\s:]+:[^\s:]+) (?P<sha256>[0-9a-f]{64})")
_REQUEST_SECONDS_MAX = 60
_DOWNLOADS_AT_ONCE_MAX = 6


@dataclass(frozen=True)
class LockedJar:
    """Names one jar and the only content it may have."""

    coordinate: str
    sha256: str

    @property
    def filename(self) -> str:
        """Returns the name Maven gives the file.

        >>> LockedJar("org.slf4j:slf4j-api:1.7.36", "0" * 64).filename
        'slf4j-api-1.7.36.jar'
        """
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(lock_file: Path = LOCK_FILE) -> tuple[LockedJar, ...]:
    """Reads the lock, in its own order, which is also the order of the class path.

    Raises BrokerUnavailableError where the lock is missing, empty or has a line that is no entry.
    """
    try:
        lines = lock_file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        message = f"{lock_file} cannot be read ({error.strerror}); restore it from git"
        raise BrokerUnavailableError(message) from error
    entries = [line for line in lines if line.strip() and not line.startswith("#")]
    jars = tuple(_parse_entry(line, lock_file) for line in entries)
    if not jars:
        message = f"{lock_file} names no jars; restore it from git"
        raise BrokerUnavailableError(message)
    return jars


def lock_digest(jars: Sequence[LockedJar]) -> str:
    """Returns a short name for exactly these jars in this order, fit for a file name."""
    text = "\n".join(f"{jar.coordinate} {jar.sha256}" for jar in jars)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def obtain_jars(cache_dir: Path, lock_file: Path = LOCK_FILE) -> tuple[Path, ...]:
    """Returns every locked jar as a verified file, downloading those the cache lacks.

    Reads and hashes each jar on every call (45 MB, about 0.1 s); uses the network only for missing
    ones. May run in several processes at once. Raises BrokerUnavailableError, naming the jar, where
    one is neither cached nor reachable, or where its content differs from the lock.
    """
    jars = read_lock(lock_file)
    folder = cache_dir / "jars"
    missing = [jar for jar in jars if not (folder / jar.filename).exists()]
    if missing:
        _download(missing, folder)
    for jar in jars:
        if jar not in missing:
            _verify(jar, folder / jar.filename, remedy=f"delete {folder / jar.filename} and start")
    return tuple(folder / jar.filename for jar in jars)


def write_lock(lock_file: Path = LOCK_FILE) -> tuple[LockedJar, ...]:
    """Resolves the dependencies from the Maven repository and writes what it finds as the lock.

    Trusts what the repository serves now: review the difference before committing it.
    """
    with tempfile.TemporaryDirectory(prefix="brobygger-jars-") as staging:
        context = _maven(Path(staging))
        # The "!" keeps jgo from treating each root as a bill of materials: log4j's own would
        # otherwise replace the versions Kafka asks for, kafka-clients among them.
        roots = [context.create_dependency(f"{root}!") for root in ROOT_COORDINATES]
        inputs, transitive = context.resolver.resolve(roots)
        coordinates = {f"{d.groupId}:{d.artifactId}:{d.version}" for d in (*inputs, *transitive)}
        jars = tuple(LockedJar(coordinate, _sha256(_fetch(context, coordinate))) for coordinate in sorted(coordinates))
    lines = [f"{jar.coordinate} {jar.sha256}\n" for jar in jars]
    lock_file.write_text(_LOCK_HEADER + "".join(lines), encoding="utf-8")
    return jars


def _parse_entry(line: str, lock_file: Path) -> LockedJar:
    match = _LOCK_LINE.fullmatch(line.strip())
    if match is None:
        message = f"{lock_file} has a line that is not 'group:artifact:version sha256': {line!r}; restore it from git"
        raise BrokerUnavailableError(message)
    return LockedJar(match["coordinate"], match["sha256"])


def _download(jars: Sequence[LockedJar], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Jars reach the folder only whole and verified, so a download that was cut off leaves nothing.
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=folder) as staging:
        context = _maven(Path(staging))

        def download(jar: LockedJar) -> None:
            arrived = _fetch(context, jar.coordinate)
            _verify(jar, arrived, remedy="check the repository or mirror it came from, then start")
            os.replace(arrived, folder / jar.filename)  # noqa: PTH105 - atomic by contract

        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE_MAX) as pool:
            for _ in pool.map(download, jars):
                pass


def _maven(repo_cache: Path) -> MavenContext:
    # Imported here because a start from the cache needs neither jgo nor the half second it takes.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=repo_cache, timeout=_REQUEST_SECONDS_MAX)
    context.remote_repos.update(GlobalSettings.load().repositories)
    return context


def _fetch(context: MavenContext, coordinate: str) -> Path:
    group, artifact, version = coordinate.split(":")
    try:
        return context.project(group, artifact).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as error:
        message = (
            f"jar {coordinate} is not in the cache and cannot be downloaded: {error}. Connect to "
            "the network (or name a mirror under [repositories] in jgo's settings) and start again"
        )
        raise BrokerUnavailableError(message) from error


def _verify(jar: LockedJar, file: Path, *, remedy: str) -> None:
    try:
        found = _sha256(file)
    except OSError as error:
        message = f"jar {file} cannot be read ({error.strerror}); make it readable and start again"
        raise BrokerUnavailableError(message) from error
    if found != jar.sha256:
        message = (
            f"jar {file.name} is not the one jars.lock names: its SHA-256 is {found}, "
            f"{jar.coordinate} has {jar.sha256}. Do not use it: {remedy} again"
        )
        raise BrokerUnavailableError(message)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m connectors.kafka.jars lock")
    sys.stdout.write(f"locked {len(write_lock())} jars in {LOCK_FILE}\n")
