"""One process of a data folder: two would send what the other is sending, and break its order."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class AlreadyRunningError(Exception):
    """Raised where another deliverer runs on the data folder: two would break the order of a handover's records."""


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds a lock file for the block; raises AlreadyRunningError where another process holds it."""
    # The system lets go of the lock when the process ends, however it ends.
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(f"another deliverer runs on {path.parent}; stop it first") from error
        yield
