"""Ends the process before and after each step that is taken for a file, as a kill would."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from streams.cli.sending import doors, receipt_files
from streams.cli.sending.held_folder import HeldFolder

STEPS = (
    (doors.GatewayClient, "post"),
    (HeldFolder, "write"),
    (HeldFolder, "move"),
    (receipt_files.ReceiptFolder, "_note"),
)


class Killed(BaseException):
    """Stands for the end of the process."""


class Kills:
    """Later and later in each run, then early again, so that every step is the last one of some run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *more: tuple[type, str]) -> None:
        """Puts itself around what is done for a file, and around ``more``."""
        self.count = self._left = self._allowed = 0
        for owner, name in (*STEPS, *more):
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name)))

    async def came_through(self, running: Awaitable[object]) -> bool:
        """Runs until the next kill; returns whether it came to the end before."""
        self._left = self._allowed = self._allowed % 11 + 1
        try:
            await running
        except Killed:
            self.count += 1
            assert self.count < 1_000
            return False
        return True

    def _around(self, step: Any) -> Any:
        def taken(*arguments: Any, **named: Any) -> Any:
            self._tick()
            done = step(*arguments, **named)
            self._tick()
            return done

        return taken

    def _tick(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed
