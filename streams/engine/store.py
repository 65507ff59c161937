"""Where committed state lies: RocksDB in a worker, memory in tests and small replays.

A store holds exactly what some committed transaction left behind, never more: it is written after
the commit. It may lag behind (the process died in between), which recovery makes up for.
"""

from __future__ import annotations

import heapq
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from rocksdict import Rdict, ReadOptions, WriteBatch

from streams.engine.meta import ENGINE_PREFIX, MARK_KEY, META_KEY, Meta
from streams.engine.rocks_options import DUE_FAMILY, column_families, store_options
from streams.engine.state import StateSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from streams.engine.due_index import DueChanges, DueEntry

_DUE = struct.Struct(">Q")
_MARK = struct.Struct(">qq")
#: Makes a signed time sort as bytes.
_DUE_ZERO = 1 << 63


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the store has the changelog: the next offset to read, and when that was written (ms)."""

    changelog_offset: int
    written_at_ms: int


class Store(StateSource, Protocol):
    """The committed states, deadlines and position of one partition."""

    def write(self, states: Mapping[bytes, bytes | None], dues: DueChanges, mark: Mark | None) -> None:
        """Writes all of it or nothing. Without a mark the old one stands. Blocks for the disk at most."""

    def mark(self) -> Mark | None:
        """Returns the last mark written, None for a new store."""

    def meta(self) -> Meta | None:
        """Returns the meta record as the last write left it, None for a new store."""

    def states(self) -> Iterator[tuple[bytes, bytes]]:
        """Yields every key and value in key order, the engine's own keys left out."""

    def close(self) -> None:
        """Releases files; the store is not used again."""


class MemoryStore:
    """A store that ends with the process."""

    def __init__(self) -> None:
        """Starts empty."""
        self._states: dict[bytes, bytes] = {}
        self._dues: set[DueEntry] = set()
        self._mark: Mark | None = None

    def get(self, key: bytes, /) -> bytes | None:
        """Returns the key's value."""
        return self._states.get(key)

    def dues_after(self, entry: DueEntry | None, limit: int) -> Sequence[DueEntry]:
        """Returns the first `limit` entries after `entry`. Takes time linear in the number of entries."""
        return heapq.nsmallest(limit, (due for due in self._dues if entry is None or due > entry))

    def write(self, states: Mapping[bytes, bytes | None], dues: DueChanges, mark: Mark | None) -> None:
        """Applies the changes."""
        for key, value in states.items():
            if value is None:
                self._states.pop(key, None)
            else:
                self._states[key] = value
        for entry, added in dues.items():
            (self._dues.add if added else self._dues.discard)(entry)
        self._mark = mark or self._mark

    def mark(self) -> Mark | None:
        """Returns the last mark written."""
        return self._mark

    def meta(self) -> Meta | None:
        """Returns the meta record."""
        data = self._states.get(META_KEY)
        return None if data is None else Meta.decode(data)

    def states(self) -> Iterator[tuple[bytes, bytes]]:
        """Yields every key and value in key order."""
        return ((key, self._states[key]) for key in sorted(self._states) if not key.startswith(ENGINE_PREFIX))

    def close(self) -> None:
        """Does nothing."""


class RocksStore:
    """A store on disk. One process at a time: RocksDB locks the folder and opening it twice raises.

    Survives kill -9 as of the last write. After a power cut it may stand further back, never in
    between two writes.
    """

    def __init__(self, path: Path) -> None:
        """Opens the folder, or makes it. Blocks for the disk. Raises Exception where it is damaged or locked."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = Rdict(str(path), store_options(), column_families=column_families())
        self._due_db = self._db.get_column_family(DUE_FAMILY)
        self._due_family = self._db.get_column_family_handle(DUE_FAMILY)
        # RocksDB's own method: a fold asks for every key it has not seen lately, and one call less counts.
        self.get: Callable[[bytes], bytes | None] = self._db.get

    def dues_after(self, entry: DueEntry | None, limit: int) -> Sequence[DueEntry]:
        """Returns the first `limit` entries after `entry`."""
        start = b"" if entry is None else _due_bytes(entry) + b"\0"
        keys = self._due_db.keys(from_key=start, read_opt=ReadOptions())
        return [_due_entry(cast("bytes", key)) for key, _ in zip(keys, range(limit), strict=False)]

    def write(self, states: Mapping[bytes, bytes | None], dues: DueChanges, mark: Mark | None) -> None:
        """Writes all of it or nothing."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in states.items():
            if value is None:
                delete(key)
            else:
                put(key, value)
        for entry, added in dues.items():
            if added:
                put(_due_bytes(entry), b"", self._due_family)
            else:
                delete(_due_bytes(entry), self._due_family)
        if mark is not None:
            put(MARK_KEY, _MARK.pack(mark.changelog_offset, mark.written_at_ms))
        self._db.write(batch)

    def mark(self) -> Mark | None:
        """Returns the last mark written."""
        data = self._db.get(MARK_KEY)
        return None if data is None else Mark(*_MARK.unpack(cast("bytes", data)))

    def meta(self) -> Meta | None:
        """Returns the meta record."""
        data = self._db.get(META_KEY)
        return None if data is None else Meta.decode(cast("bytes", data))

    def states(self) -> Iterator[tuple[bytes, bytes]]:
        """Yields every key and value in key order."""
        for key, value in self._db.items():
            if not cast("bytes", key).startswith(ENGINE_PREFIX):
                yield cast("bytes", key), cast("bytes", value)

    def close(self) -> None:
        """Closes the folder, so that it may be opened again."""
        # RocksDB keeps its lock until the last handle to a column family is gone.
        del self._due_family
        self._due_db.close()
        self._db.close()


def _due_bytes(entry: DueEntry) -> bytes:
    return _DUE.pack(entry[0] + _DUE_ZERO) + entry[1]


def _due_entry(data: bytes) -> DueEntry:
    return _DUE.unpack_from(data)[0] - _DUE_ZERO, data[_DUE.size :]
