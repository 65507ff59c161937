"""Signals between partitions: those that the refold writes must be those that stand in the intake log, each once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.codec import codec
from schemas.internal import Intake
from schemas.refusals import RefusedError
from streams.agents.join_pathways import INTAKE
from streams.log.comparison import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.engine.processor import StoredRecord
    from streams.log.refold import Written


class _Image(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes


@dataclass(slots=True)
class SignalsSeen:
    """One partition's: ``found`` stand in its log; ``due`` its fold wrote surely, ``possible`` those under way too."""

    found: Counter[_Image] = field(default_factory=Counter)
    due: Counter[_Image] = field(default_factory=Counter)
    possible: Counter[_Image] = field(default_factory=Counter)

    def note_found(self, log: Sequence[StoredRecord]) -> None:
        """Adds the signals of an intake partition's log."""
        self.found.update(image for record in log if (image := _image(record.key, record.value)) is not None)

    def note_written(self, written: Sequence[Written]) -> None:
        """Adds what a fold wrote to the intake log."""
        for one in written:
            image = _image(one.message.key, one.message.value)
            if image is not None:
                self.possible[image] += 1
                self.due[image] += one.settled


def compare_signals(seen: Sequence[SignalsSeen], folded: Mapping[int, int]) -> Iterator[Finding]:
    """Yields every signal that is missing, or that nothing wrote, over all partitions.

    ``folded`` is up to where each partition was folded again; what stands behind may have written signals too.
    """
    found, due, possible = Counter[_Image](), Counter[_Image](), Counter[_Image]()
    for partition in seen:
        found.update(partition.found)
        due.update(partition.due)
        possible.update(partition.possible)
    unexpected = [one for one in (found - possible).elements() if one.offset < folded.get(one.partition, 0)]
    for what, images in (("missing", (due - found).elements()), ("unexpected", unexpected)):
        for one in images:
            to = "every partition" if one.key is None else one.key.decode(errors="replace")
            yield Finding(what, INTAKE, one.partition, one.offset, f"the signal that this record writes to {to}")


def _image(key: bytes | None, value: bytes | None) -> _Image | None:
    try:
        fields = codec(Intake).decode_raw(value or b"")
    except RefusedError:
        return None
    is_signal = fields["body"][0].endswith(".Signal")
    return _Image(fields["origin_partition"], fields["origin_offset"], key, value or b"") if is_signal else None
