"""Starts, watches, restarts and stops the processes of one machine's instance.

Children end with their parent, even where that is killed; a Ctrl-C reaches the parent alone, which stops
them in order. A child that ends by itself is started again, more slowly each time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.kafka import launcher

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

_TIED = (sys.executable, "-I", "-S", str(Path(launcher.__file__)))
_RESTART_DELAY_MAX = timedelta(seconds=30)
_STOP_MAX = timedelta(seconds=20)
_POLL = timedelta(milliseconds=50)
_LOG_BYTES_SHOWN = 2_000


class StartFailedError(Exception):
    """A process did not become ready; the text ends with its last words."""


@dataclass
class Child:
    """One process of ours: a ``brobygger`` command with a log of its own and an address that says when it is ready."""

    role: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    ready_url: str
    failures: int = 0
    restart_at: float = 0.0
    restarted_at: datetime | None = None
    last_exit: int | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Starts it. Call from the main thread: the tie to the parent is to the thread that starts it."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*_TIED, str(os.getpid()), "-", sys.executable, "-m", "streams.cli", *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def note_restart(self) -> None:
        """Writes into its log, where what ended it may have left no word, that it ended and is started again."""
        said: dict[str, object] = {"event": "process_restarted", "level": "warning", "role": self.role}
        said |= {"exit_code": self.last_exit, "restarts": self.failures, "timestamp": self.restarted_at}
        with self.log_file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(said, default=str) + "\n")

    @property
    def pid(self) -> int:
        """Returns the process id, 0 before the first start."""
        return self.process.pid if self.process else 0

    def ended(self) -> int | None:
        """Returns the exit code, None while it runs."""
        return self.process.poll() if self.process else None

    def is_ready(self) -> bool:
        """Asks the process whether it is ready."""
        try:
            with urllib.request.urlopen(self.ready_url, timeout=2) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    def last_words(self) -> str:
        """Returns the end of its log."""
        return self.log_file.read_bytes()[-_LOG_BYTES_SHOWN:].decode(errors="replace") if self.log_file.exists() else ""


def wait_until_ready(children: Sequence[Child], limit: timedelta, stopping: threading.Event) -> None:
    """Blocks until all are ready; raises StartFailedError where one ends or takes too long."""
    deadline = time.monotonic() + limit.total_seconds()
    waiting = list(children)
    while waiting and not stopping.is_set():
        for child in waiting:
            if child.ended() is not None:
                raise StartFailedError(f"{child.role} ended with {child.ended()}:\n{child.last_words()}")
        if time.monotonic() > deadline:
            roles = ", ".join(child.role for child in waiting)
            raise StartFailedError(f"not ready in {limit}: {roles}:\n{waiting[0].last_words()}")
        waiting = [child for child in waiting if not child.is_ready()]
        stopping.wait(_POLL.total_seconds())


def restart_ended(children: Sequence[Child]) -> list[Child]:
    """Starts what has ended by itself again, with a growing delay; returns those started."""
    started = []
    now = time.monotonic()
    for child in children:
        if child.ended() is None:
            continue
        if child.restart_at == 0.0:
            child.failures, child.last_exit = child.failures + 1, child.ended()
            child.restart_at = now + min(2.0 ** (child.failures - 1) - 1, _RESTART_DELAY_MAX.total_seconds())
        if now >= child.restart_at:
            child.restart_at, child.restarted_at = 0.0, datetime.now(UTC)
            child.note_restart()
            child.start()
            started.append(child)
    return started


def stop_all(children: Sequence[Child]) -> None:
    """Stops processes together: SIGTERM, and SIGKILL for what has not ended in twenty seconds."""
    for child in children:
        if child.process and child.ended() is None:
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_MAX.total_seconds()
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
