"""Copies of the log in a file, for replaying and reconciling elsewhere.

The format is JSON lines. The first line is the header: ``{"format": "brobygger-log", "version": 1, "taken_at",
"begins", "before", "after"}`` (see ``Extent``). Then a line a record: ``{"topic", "partition", "offset",
"timestamp", "key", "value", "headers"}``, bytes in base64, timestamps in milliseconds, headers as pairs. The
last line, ``{"end": {topic: [records of each partition]}}``, tells that the copy is whole.

A copy holds birth dates and municipalities under youth ids: keep it as you keep the log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import msgspec

from streams.agents.join_pathways import INTAKE
from streams.engine.processor import StoredRecord
from streams.log.snapshot import Extent, Progress, Snapshot, partitions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FORMAT = "brobygger-log"
_T = TypeVar("_T")


class CopyError(Exception):
    """A file is no copy of the log, or damaged; the text names the line and what to do."""


class _Header(msgspec.Struct, kw_only=True):
    format: str
    version: int
    taken_at: datetime
    begins: dict[str, list[int]]
    before: Progress
    after: Progress


class _Line(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class _Place(msgspec.Struct):
    topic: str = ""
    partition: int = -1
    end: dict[str, list[int]] | None = None


_read_header = msgspec.json.Decoder(_Header).decode
_read_line = msgspec.json.Decoder(_Line).decode
_read_place = msgspec.json.Decoder(_Place).decode


@dataclass(frozen=True, slots=True)
class CopySnapshot:
    """The records of a copy; ``runs`` are the byte ranges in which each partition's lines stand."""

    path: Path
    extent: Extent
    runs: dict[tuple[str, int], list[tuple[int, int]]]

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yields a partition's records in the order of the file; see ``Snapshot``."""
        with self.path.open("rb") as file:
            for start, end in self.runs.get((topic, partition), ()):
                file.seek(start)
                while file.tell() < end:
                    one = _decoded(_read_line, file.readline(), self.path)
                    yield StoredRecord(one.offset, one.timestamp, one.key, one.value, one.headers)


def write_copy(snapshot: Snapshot, path: Path, progressed: Callable[[str], None] = lambda _topic: None) -> int:
    """Writes a snapshot to a file, whole or not at all, and returns the number of records.

    ``progressed`` is told each topic that is done. The file is its owner's only.
    """
    partial = path.with_name(f"{path.name}.partial")
    extent = snapshot.extent
    header = _Header(
        format=_FORMAT,
        version=1,
        taken_at=extent.taken_at,
        begins=extent.begins,
        before=extent.before,
        after=extent.after,
    )
    encode = msgspec.json.encode
    counts: dict[str, list[int]] = {}
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(encode(header) + b"\n")
        for topic in extent.begins:
            counts[topic] = []
            for number in partitions_of(snapshot, topic):
                count = 0
                for count, one in enumerate(snapshot.records(topic, number), 1):  # noqa: B007 its last value is used
                    line = _Line(topic, number, one.offset, one.timestamp, one.key, one.value, tuple(one.headers))
                    file.write(encode(line) + b"\n")
                counts[topic].append(count)
            progressed(topic)
        file.write(encode({"end": counts}) + b"\n")
    partial.replace(path)
    return sum(map(sum, counts.values()))


def read_copy(path: Path) -> CopySnapshot:
    """Opens a copy; raises CopyError where the file is none.

    That it is cut short, or holds another number of records than were written, is told in the extent's
    ``findings``.
    """
    runs: dict[tuple[str, int], list[tuple[int, int]]] = {}
    found: dict[str, list[int]] = {}
    end = None
    with _opened(path) as file:
        header = _header_of(file.readline(), path)
        found |= {topic: [0] * len(begins) for topic, begins in header.begins.items()}
        start = file.tell()
        for line in file:
            place = _decoded(_read_place, line, path)
            end = place.end or end
            if place.topic:
                _note_run(runs, (place.topic, place.partition), start, start + len(line))
                _count(found, place)
            start += len(line)
    findings = _differences(end, found)
    to_fold = sum(found.get(INTAKE, ()))
    extent = Extent(header.taken_at, header.begins, header.before, header.after, to_fold, findings)
    return CopySnapshot(path, extent, runs)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CopyError(f"{path} can't be read: {error.strerror}; `replay --export` writes one") from error


def _header_of(line: bytes, path: Path) -> _Header:
    try:
        header = _read_header(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CopyError(f"{path} is no copy of the log; `replay --export` writes one") from error
    if (header.format, header.version) != (_FORMAT, 1):
        raise CopyError(f"{path} is of version {header.version} of the format; this release reads version 1")
    return header


def _decoded(decode: Callable[[bytes], _T], line: bytes, path: Path) -> _T:
    try:
        return decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CopyError(f"{path} has a line that is no record ({error}); make the copy again") from error


def _note_run(runs: dict[tuple[str, int], list[tuple[int, int]]], place: tuple[str, int], start: int, end: int) -> None:
    of_place = runs.setdefault(place, [])
    if of_place and of_place[-1][1] == start:
        of_place[-1] = (of_place[-1][0], end)
    else:
        of_place.append((start, end))


def _count(found: dict[str, list[int]], place: _Place) -> None:
    counts = found.get(place.topic)
    if counts is not None and 0 <= place.partition < len(counts):
        counts[place.partition] += 1


def _differences(end: dict[str, list[int]] | None, found: dict[str, list[int]]) -> list[str]:
    if end is None:
        return ["the copy has no last line: it was cut short"]
    return [
        f"{topic} {number}: the copy was written with {written} records and holds {held}"
        for topic, counts in end.items()
        for number, (written, held) in enumerate(zip(counts, found.get(topic, [0] * len(counts)), strict=False))
        if written != held
    ]
