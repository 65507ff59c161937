"""Reads lists in a process of its own: ``python -m connectors.municipal.reading_process``.

A list comes from a stranger, and taking it apart takes time and memory. Here it has a process that nobody else waits
for: it gives way to others on the processor, has bounded memory, and may be ended at any moment. It is asked on its
standard input and answers on its standard output, one list after the other, until the input ends.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from typing import TYPE_CHECKING

from connectors.municipal.rows import ReadList, read_list
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from connectors.municipal.mapping import Mapping

_MEMORY_BYTES_MAX = 1024 * 1024 * 1024
_NICENESS = 10
_TOO_LARGE = Refusal(
    "file_too_large", "file", f"a list is read in at most {_MEMORY_BYTES_MAX} bytes of memory", "split the list"
)


def main() -> None:
    """Answers until nobody asks any more."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks, which ends this one
    while True:
        try:
            content, mapping, rows_max = pickle.load(sys.stdin.buffer)  # noqa: S301 from the process that started this one
        except EOFError:
            return
        pickle.dump(_read(content, mapping, rows_max), sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _read(content: bytes, mapping: Mapping, rows_max: int) -> ReadList | Refusal:
    try:
        return read_list(content, mapping, rows_max)
    except MemoryError:
        return _TOO_LARGE


if __name__ == "__main__":
    main()
