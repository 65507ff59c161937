"""What one transaction writes to other topics, grouped by destination, order kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Topic and partition a message goes to.
Destination = tuple[str, int]


class Outgoing(NamedTuple):
    """One message to write. `timestamp_ms` is overwritten by the broker on LogAppendTime topics."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Sequence[tuple[str, bytes]] = ()

    def size_bytes(self) -> int:
        """Returns the size of key, value and headers, without the record's own framing."""
        key, value, _, headers = self
        size = (0 if key is None else len(key)) + (0 if value is None else len(value))
        for name, content in headers:
            size += len(name) + len(content)
        return size
