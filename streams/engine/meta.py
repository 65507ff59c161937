"""The record that says how far a partition's state has come; one per partition and transaction.

It travels in the changelog, inside the transaction, so that it and the state it describes are
committed together. It is the truth about input offsets: the group's own offsets expire, and can be
reset by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

#: Keys that begin so belong to the engine, in the changelog and in the store.
ENGINE_PREFIX = b"\x00engine/"
META_KEY = ENGINE_PREFIX + b"meta"
MARK_KEY = ENGINE_PREFIX + b"mark"


class PartitionCountError(RuntimeError):
    """The topics have another number of partitions than the state was built with: keys would be split."""


class ReleaseError(RuntimeError):
    """The state was written by newer code than this."""


@dataclass(frozen=True, slots=True)
class Meta:
    """`offsets` is, per input topic, the next offset to fold; `log_time` the highest time seen, in ms."""

    offsets: dict[str, int]
    log_time: int
    release: str
    partitions: int

    def encode(self) -> bytes:
        """Returns the bytes that `decode` reads; equal metas give equal bytes."""
        fields = {
            "log_time": self.log_time,
            "offsets": self.offsets,
            "partitions": self.partitions,
            "release": self.release,
        }
        return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Meta:
        """Reads what `encode` wrote. Raises ValueError or KeyError for anything else."""
        fields = json.loads(data)
        return cls(
            offsets={str(topic): int(offset) for topic, offset in fields["offsets"].items()},
            log_time=int(fields["log_time"]),
            release=str(fields["release"]),
            partitions=int(fields["partitions"]),
        )

    def require(self, *, release: str, partitions: int) -> None:
        """Raises unless code of `release` may continue this state over `partitions` partitions."""
        if self.partitions != partitions:
            message = f"the state was built over {self.partitions} partitions, the topics now have {partitions}"
            raise PartitionCountError(message)
        if _ordered(self.release) > _ordered(release):
            message = f"the state was written by release {self.release}, this is {release}"
            raise ReleaseError(message)


def _ordered(release: str) -> tuple[tuple[int, str], ...]:
    """Returns a sort key in which numbers inside a release compare as numbers."""
    parts = release.replace("-", ".").replace("+", ".").split(".")
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
