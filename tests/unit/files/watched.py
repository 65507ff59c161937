"""Looks into a watched folder as ``brobygger watch`` does, at the seconds that a test says."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from streams.cli.sending.doors import GatewayClient
from streams.cli.sending.receipt_files import ReceiptFolder
from streams.cli.sending.watched_folder import WatchedFolder
from tests.unit.gateway.builders import a_statement


def statement(number: int) -> bytes:
    return json.dumps(a_statement("enrolments", subject=f"s-{number}")).encode()


def put_in(folder: Path, name: str, content: bytes = b"a note", seconds: int = 1_000_000_000) -> None:
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (seconds, seconds))


def put_last(folder: Path) -> None:
    put_in(folder, "enrolments-last.json", statement(9), 2_000_000_000)


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        """Returns the seconds."""
        return self.seconds


def looks(watched: WatchedFolder, clock: Clock, *at_seconds: float) -> list[list[str | None]]:
    """Looks into the folder at these seconds; returns of each look where its files went."""
    went: list[list[str | None]] = []
    with GatewayClient("http://gateway.test", os.environ["BROBYGGER_TOKEN"], lambda _: True) as doors:
        for clock.seconds in at_seconds:
            with ReceiptFolder(watched.receipts) as receipts:
                went.append([watched.take(path, doors, receipts) for path in watched.complete()])
    return went


async def looked(folder: Path, *at_seconds: float) -> list[list[str | None]]:
    clock = Clock()
    watched = WatchedFolder(folder, 0.0, clock)
    return await asyncio.to_thread(looks, watched, clock, *(at_seconds or (0.0,)))


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
