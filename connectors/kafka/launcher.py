"""Becomes the program named on its command line, tied to the process that started it.

Run as a script: ``launcher.py PARENT_PID CORE PROGRAM ARGUMENT...`` where CORE is a number, or "-"
for any. A program of its own because code between fork and exec in a threaded Python may deadlock.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ties this process to its parent, pins it to a core, and turns into the program."""
    parent_pid, core, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the tie was made; then nobody would end us.
        if os.getppid() != int(parent_pid):
            sys.exit("the process that wanted the broker is gone")
        if core != "-":
            os.sched_setaffinity(0, {int(core)})
    os.execv(command[0], command)  # noqa: S606 - the command is ours, and no shell is wanted


if __name__ == "__main__":
    main()
