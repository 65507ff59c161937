"""What replaying and reconciling read: the whole of the log as it stood at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from streams.engine.processor import StoredRecord

#: Next offset to fold, by stage, partition and input topic: what the stages' own meta records say.
Progress = dict[str, dict[int, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Extent:
    """When a snapshot was taken, what it holds, and how far the stages were around it.

    ``begins`` are each topic's first offsets still there, by partition: what lies before has expired.
    Outputs were read between ``before`` and ``after``: those of ``before`` are all there, and none is there
    that ``after`` has not folded. The two are equal where nothing was under way. ``intake_records`` is about how
    many there are to fold.
    """

    taken_at: datetime
    begins: dict[str, list[int]]
    before: Progress
    after: Progress
    intake_records: int = 0
    findings: list[str] = field(default_factory=list)

    def folded(self, progress: Progress, stage: str, place: tuple[str, int]) -> int:
        """Returns the next offset that a stage folds of a topic's partition, 0 where it has folded none."""
        topic, partition = place
        return progress.get(stage, {}).get(partition, {}).get(topic, 0)


class Snapshot(Protocol):
    """The records of all topics at one moment. Can be pickled, so that other processes read it too."""

    @property
    def extent(self) -> Extent:
        """Returns when it was taken and what it holds."""

    def records(self, topic: str, partition: int) -> Iterator[StoredRecord]:
        """Yields a partition's committed records, oldest first; nothing for a topic that isn't held.

        Blocks for the broker or the disk, and may be called again.
        """


def topics_of(snapshot: Snapshot, short: str) -> list[str]:
    """Returns the topics held whose short name is this, or this and a programme (``handovers.headspace``)."""
    alone, prefix = f"brobygger.{short}.v1", f"brobygger.{short}."
    return [topic for topic in snapshot.extent.begins if topic == alone or topic.startswith(prefix)]


def partitions_of(snapshot: Snapshot, topic: str) -> range:
    """Returns the numbers of a topic's partitions."""
    return range(len(snapshot.extent.begins.get(topic, ())))
