"""How a worker gives up: one log line, then nothing more.

Whatever went wrong, the state on disk is that of some committed transaction, so ending at once is
always safe, and carrying on is not: aiokafka swallows exceptions of its listeners, and a worker
that heartbeats without consuming is worse than one that is gone.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn, Protocol

import structlog
from mode.threads import WorkerThread

if TYPE_CHECKING:
    from types import TracebackType

EXIT_FAILED = 70
_THREAD_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class EndProcess(Protocol):
    """Ends the process; does not return."""

    def __call__(self, reason: str, error: BaseException | None = None) -> NoReturn:
        """Says why, and ends it."""


def end_process(reason: str, error: BaseException | None = None) -> NoReturn:
    """Logs why and ends the process with status 70: no clean-up, no exception, in whatever thread."""
    # No exc_info: some log formats print local variables, and those may hold a message.
    trace = "" if error is None else "".join(traceback.format_exception(error))
    _log.critical("worker_ends", reason=reason, error=repr(error), traceback=trace)
    _exit(EXIT_FAILED)


def end_despite_threads(status: int) -> None:
    """Ends the process with the status where a thread of Faust's is alive 5 s after the worker has ended.

    Faust stops a thread only where its service has begun. One that was beginning then goes on, and the
    interpreter would wait for it for ever: a member of the group that consumes nothing.
    """
    for thread in threading.enumerate():
        if isinstance(thread, WorkerThread):
            thread.join(_THREAD_SECONDS)
            if thread.is_alive():
                _log.warning("thread_lives_on", thread=thread.service.label, status=status)
                _exit(status)


def _exit(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class Fatal:
    """Ends the process where its body raises: around what nobody awaits, or whose caller would carry on.

    Being cancelled is no failure.
    """

    def __init__(self, end: EndProcess, reason: str) -> None:
        """Takes how to end, and the reason to give."""
        self._end = end
        self._reason = reason

    def __enter__(self) -> None:
        """Begins."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the process where there is an error."""
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._end(self._reason, error)
