"""Compares what a refold wrote with what is on the topics: byte for byte, and in order per key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.codec import codec
from schemas.instants import moment_of
from schemas.refusals import RefusedError
from schemas.topics import entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streams.engine.processor import StoredRecord
    from streams.log.refold import Written

_Image = tuple[bytes | None, bytes | None, int, tuple[tuple[str, bytes | None], ...]]
_SHOWN = ("type", "kind", "programme", "recipient", "subject", "event_id")


class Finding(NamedTuple):
    """One thing that does not balance: what, and where. ``offset`` is None for a record that isn't there."""

    what: str
    topic: str
    partition: int
    offset: int | None
    text: str


@dataclass(frozen=True, slots=True)
class PartitionExtent:
    """A topic's partition, its first offset still there, and the intake offset up to which states must be there.

    Where it has a first offset, what is no younger than ``expired_by`` (milliseconds) may have expired.
    """

    topic: str
    partition: int
    begin: int
    settled: int
    expired_by: int = 0

    def finding(self, what: str, offset: int | None, text: str) -> Finding:
        """Returns a finding at this place."""
        return Finding(what, self.topic, self.partition, offset, text)


def ordered(place: PartitionExtent, records: Iterable[StoredRecord], findings: list[Finding]) -> list[StoredRecord]:
    """Returns the records, each offset once; one that comes again or goes back is a finding."""
    kept: list[StoredRecord] = []
    for record in records:
        if kept and record.offset <= kept[-1].offset:
            findings.append(place.finding("doubled", record.offset, "the offset stands twice or goes back"))
        kept.append(record)
    return kept


def compare_outputs(
    place: PartitionExtent, written: Sequence[Written], found: Sequence[StoredRecord]
) -> Iterator[Finding]:
    """Yields every difference between what the fold wrote to a place and what is there."""
    expected = _unexpired(place, written, found)
    expected_of: dict[bytes | None, list[Written]] = {}
    found_of: dict[bytes | None, list[StoredRecord]] = {}
    for one in expected:
        expected_of.setdefault(one.message.key, []).append(one)
    for record in found:
        found_of.setdefault(record.key, []).append(record)
    for key in expected_of | found_of:
        yield from _compare_key(place, expected_of.get(key, []), found_of.get(key, []))


def compare_latest(
    place: PartitionExtent, written: Sequence[Written], found: Sequence[StoredRecord]
) -> Iterator[Finding]:
    """Yields every key of a compacted place whose latest record is none that the fold wrote last."""
    allowed: dict[bytes | None, list[Written]] = {}
    for one in written:
        kept = allowed.setdefault(one.message.key, [])
        if one.settled:
            kept.clear()
        kept.append(one)
    latest = {record.key: record for record in found}
    for key, record in latest.items():
        if key not in allowed:
            yield place.finding("unexpected", record.offset, "the fold writes nothing under this key")
        elif _image(record) not in [_written_image(one) for one in allowed[key]]:
            yield place.finding("differs", record.offset, "the latest record of its key differs from the fold's")
    for key, kept in allowed.items():
        if key not in latest and kept[0].settled:
            yield place.finding("missing", None, described(place.topic, kept[0].message.value))


def compare_states(
    place: PartitionExtent, states: dict[bytes, list[tuple[bytes | None, int]]], found: Iterable[StoredRecord]
) -> Iterator[Finding]:
    """Yields every key whose latest state in the changelog is none that the fold came to."""
    latest = {record.key: record for record in found if record.key is not None}
    for key, kept in states.items():
        record = latest.pop(key, None)
        settled = kept[0][1] < place.settled
        if record is None and settled and kept[-1][0] is not None:
            yield place.finding("missing", None, "a state that the fold came to is not in the changelog")
        elif record is not None and record.value not in [value for value, _ in kept]:
            yield place.finding("differs", record.offset, "the latest state of its key differs from the fold's")
    for record in latest.values():
        if record.value is not None:
            yield place.finding("unexpected", record.offset, "the fold keeps no state under this key")


def described(topic: str, value: bytes | None) -> str:
    """Returns what a record says, in a few words; nothing personal is among them."""
    model = entry_of(topic).model
    try:
        fields = {} if model is None else codec(model).decode_raw(value or b"")
    except RefusedError:
        return "unreadable"
    said = [str(fields[name]) for name in _SHOWN if fields.get(name)]
    if "occurred_at" in fields:
        said.append(f"at {moment_of(fields['occurred_at']).isoformat()}")
    return " ".join(said)


def _unexpired(place: PartitionExtent, written: Sequence[Written], found: Sequence[StoredRecord]) -> Sequence[Written]:
    """Leaves out what the place kept once and has let go: of all before its first record what is not there."""
    if place.begin == 0:
        return written
    if not found and not place.expired_by:
        return [one for one in written if not one.settled]
    first = max(place.expired_by, found[0].timestamp if found else 0)
    there = {_image(record) for record in found}
    return [one for one in written if one.message.timestamp_ms > first or _written_image(one) in there]


def _compare_key(
    place: PartitionExtent, expected: Sequence[Written], found: Sequence[StoredRecord]
) -> Iterator[Finding]:
    wanted, there = [_written_image(one) for one in expected], [_image(record) for record in found]
    if wanted == there:
        return
    left_over, not_found = Counter(wanted), Counter(there)
    extra = []
    for record, image in zip(found, there, strict=True):
        if left_over[image] > 0:
            left_over[image] -= 1
        else:
            extra.append((record, image))
    missing = []
    for one, image in zip(expected, wanted, strict=True):
        if not_found[image] > 0:
            not_found[image] -= 1
        elif one.settled:
            missing.append(one)
    known = set(wanted)
    for record, image in extra:
        yield place.finding(
            "doubled" if image in known else "unexpected", record.offset, described(place.topic, record.value)
        )
    for one in missing:
        yield place.finding("missing", None, described(place.topic, one.message.value))
    if not extra and not missing and wanted[: len(there)] != there:
        yield place.finding("out_of_order", found[0].offset, "the records of one key stand in another order")


def _image(record: StoredRecord) -> _Image:
    return (record.key, record.value, record.timestamp, tuple(tuple(pair) for pair in record.headers))  # type: ignore[misc]


def _written_image(one: Written) -> _Image:
    message = one.message
    return (message.key, message.value, message.timestamp_ms, tuple(tuple(pair) for pair in message.headers))  # type: ignore[misc]
