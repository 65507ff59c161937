"""Sends lists through their door, and writes beside each file its report and the rows that failed."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from streams.cli.doors import WRITTEN, Answer, DoorError, Doors, NotTaken, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

# A list of ten thousand new young people is some minutes' work for the vault.
_TIMEOUT = timedelta(minutes=15)
_SUFFIXES = (".csv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson")
_FILE = "application/octet-stream"


def lists_in(paths: list[Path]) -> Iterator[Path]:
    """Yields the files named, and of a folder every list in it, by name; what was written here before is no list."""
    for path in paths:
        if path.is_dir():
            found = (one for one in path.rglob("*") if one.suffix.lower() in _SUFFIXES and one.is_file())
            yield from sorted(one for one in found if not one.name.endswith(WRITTEN))
        else:
            yield path


def send_list(doors: Doors, path: Path, content: bytes, name: str, *, believe_missing: bool) -> Answer:
    """Sends a list and returns what became of it: the one sent last counts, twice is as once. Raises DoorError.

    ``FILE.report.json`` has the report, ``FILE.failed.csv`` (of JSON: ``.ndjson``) the rows that failed, if any did:
    both for whoever may read the list, and nobody else.
    """
    door = f"/lists/{name}" + ("?missing=believed" if believe_missing else "")
    # The key is this run's, for the two requests below. The same bytes may say something new another day: a list that
    # changed and changed back.
    headers = {"content-type": _FILE, "idempotency-key": str(uuid4())}
    response = doors.post(door, content, headers, _TIMEOUT)
    report = _report(response)
    if report is None:
        return answer_of(response)
    _write(path, ".report.json", response.content)
    if report["refused"] and response.is_success:
        failed = doors.post(door, content, headers | {"accept": "text/csv"}, _TIMEOUT)
        if failed.headers.get("content-type", "").partition(";")[0] in ("text/csv", "application/x-ndjson"):
            is_csv = failed.headers["content-type"].startswith("text/csv")
            _write(path, ".failed.csv" if is_csv else ".failed.ndjson", failed.content)
    return Answer(report["accepted"] + report["repeated"], tuple(_not_taken(report)))


def _report(response: httpx.Response) -> dict[str, Any] | None:
    try:
        report = json.loads(response.content or b"{}")
    except ValueError:
        return None
    return report if isinstance(report, dict) and "report" in report else None


def _not_taken(report: dict[str, Any]) -> Iterator[NotTaken]:
    for row in report["report"]:
        for one in row.get("refused", ()):
            parts = (one["column"] or one["field"], one["rule"], one["help"])
            yield NotTaken(f"row {row['row']}", one["code"], "; ".join(filter(None, parts)))
    withheld = report.get("missing", {}).get("withheld")
    if withheld:
        yield NotTaken("missing rows", withheld["code"], f"{withheld['rule']}; {withheld['help']}")


def _write(path: Path, ending: str, content: bytes) -> None:
    written = path.with_name(path.name + ending)
    try:
        # They hold what the list holds, or claim codes.
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise DoorError(f"its {ending} can't be written: {error.strerror}; send it from a folder of yours") from error
