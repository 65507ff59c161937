"""The processes in which lists are read, apart from everything that answers: few, each with an end.

A client has one list read and taken at a time, so that the others find a process free; what it sends beside that one
waits, its body unread, and what is more than may wait is turned away.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING

import structlog

from connectors.gateway.api_errors import RETRY_SECONDS, ApiError
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from connectors.municipal.mapping import Mapping
    from connectors.municipal.rows import ReadList

TOO_HEAVY = "file_too_heavy"
_ENDED = Refusal(
    "reader_ended",
    "file",
    "a list is read without its reader's end, such as by the system for want of memory",
    "send the list once more; if that is refused too, split it, or send it as CSV UTF-8",
)
_COMMAND = (sys.executable, "-m", "connectors.municipal.reading_process")
_log = structlog.get_logger(__name__)


class ListReaders:
    """Reads lists in up to ``processes_max`` processes, which are started when they are needed first.

    A process that takes longer than ``time_max`` over a list is ended, and the list refused as TOO_HEAVY. What else
    ends one may be anybody's doing, and has a refusal of its own.
    """

    def __init__(self, processes_max: int, per_client_max: int, time_max: timedelta) -> None:
        """Starts nothing yet."""
        self._per_client_max = per_client_max
        self._time_max = time_max
        self._threads = ThreadPoolExecutor(processes_max, thread_name_prefix="list-reader")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: list[subprocess.Popen[bytes]] = []
        self._held: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def turn_of(self, client: str) -> AsyncIterator[None]:
        """Waits until no other list of a client is in hand; raises ApiError where too many wait already."""
        if self._held[client] >= self._per_client_max:
            rule = f"a client has at most {self._per_client_max} lists on their way at once"
            refusal = Refusal("too_many_lists", "", rule, "send a list when the one before is answered")
            raise ApiError(429, refusal, {"retry-after": str(RETRY_SECONDS)})
        self._held[client] += 1
        try:
            async with self._turns.setdefault(client, asyncio.Lock()):
                yield
        finally:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client], self._turns[client]

    async def read(self, content: bytes, mapping: Mapping, rows_max: int) -> ReadList | Refusal:
        """Returns what ``read_list`` makes of a list, in a process of its own; waits until one is free."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, content, mapping, rows_max)

    def close(self) -> None:
        """Ends the processes; what is being read is not finished. Blocks."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._processes):
            process.kill()
        self._threads.shutdown()
        for process in self._processes:
            _end(process)

    def _read(self, content: bytes, mapping: Mapping, rows_max: int) -> ReadList | Refusal:
        process = self._idle.pop() if self._idle else self._started()
        clock = Timer(self._time_max.total_seconds(), process.kill)
        began_at = time.monotonic()
        clock.start()
        try:
            answer = _asked(process, content, mapping, rows_max)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._processes.remove(process)
            _log.error("list_reader_ended", exit_code=_end(process))
            if time.monotonic() - began_at < self._time_max.total_seconds():
                return _ENDED
            rule = f"a list is read within {self._time_max.total_seconds():g} seconds"
            return Refusal(TOO_HEAVY, "file", rule, "split the list, or send it as CSV UTF-8")
        finally:
            clock.cancel()
        self._idle.append(process)
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        # Its own words are nobody's: an error's text might repeat what stands in a list.
        pipe, silent = subprocess.PIPE, subprocess.DEVNULL
        process = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, stderr=silent)  # noqa: S603 our own module
        self._processes.append(process)
        return process


def _end(process: subprocess.Popen[bytes]) -> int:
    """Returns the exit code of a process that is ended where it has not."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None, "started with both"  # noqa: S101
        with suppress(OSError):
            pipe.close()
    return process.wait()


def _asked(process: subprocess.Popen[bytes], *question: object) -> ReadList | Refusal:
    assert process.stdin is not None  # noqa: S101 started so
    assert process.stdout is not None  # noqa: S101
    pickle.dump(question, process.stdin)
    process.stdin.flush()
    answer: ReadList | Refusal = pickle.load(process.stdout)  # noqa: S301 from the process that this one started
    return answer
