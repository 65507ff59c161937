"""Brings what is in the vault under the keys in force, in small transactions, while everybody else goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from connectors.vault.envelopes import (
    BrokenIdentityError,
    new_data_key,
    opened_identity,
    sealed_identity,
    unwrapped,
    wrapped,
)
from connectors.vault.keys_in_force import KeyPurpose, OwnKeys, generation_in_force
from connectors.vault.locking import hold_alone
from connectors.vault.store import REINDEXING, index_row
from connectors.vault.tables import IDENTITIES, INDEX, in_transaction, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Row, Select

    from connectors.vault.keys import IndexKey, WrappingKey

BATCH = 100


@dataclass(frozen=True, slots=True)
class ReworkProgress:
    """How many rows were looked at, of how many there were at the beginning, and how many could not be done."""

    seen: int
    total: int
    left: int = 0


class Reworking:
    """Re-indexing, re-wrapping and re-encrypting; raises VaultUnavailableError, after which it may go on anew.

    May run in several processes at once. What can't be opened is left as it is, and counted.
    """

    def __init__(
        self,
        engine: Engine,
        index: Callable[[], Sequence[IndexKey]],
        identities: Callable[[], Sequence[WrappingKey]],
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        """Takes the vault's engine and what reads the keys; ``rest`` gives seconds between two batches to others."""
        self._engine = engine
        self._index = OwnKeys(KeyPurpose.INDEX, index)
        self._identities = OwnKeys(KeyPurpose.IDENTITIES, identities)
        self._rest = rest

    def run(self, kind: KeyPurpose, batch: int = BATCH) -> Iterator[ReworkProgress]:
        """Does what a rotation has left to do, and yields how far it is after each batch of rows."""
        do = {
            KeyPurpose.INDEX: self._reindex,
            KeyPurpose.IDENTITIES: self._rewrap,
            KeyPurpose.DATA: self._encrypt_anew,
        }[kind]
        progress, after = (
            ReworkProgress(0, reading(self._engine, lambda connection: self._waiting(connection, kind))),
            None,
        )
        yield progress
        while True:
            began = time.perf_counter()
            after, seen, left = in_transaction(self._engine, partial(do, after=after, size=batch))
            if after is None:
                return
            seen, left = progress.seen + seen, progress.left + left
            progress = ReworkProgress(seen, max(seen, progress.total), left)
            yield progress
            # SQLite lets one write at a time: half of it is left to those who keep and look up.
            self._rest(time.perf_counter() - began)

    def _waiting(self, connection: Connection, kind: KeyPurpose) -> int:
        wanted = select(func.count()).select_from(self._waiting_rows(connection, kind).subquery())
        return connection.scalar(wanted) or 0

    def _waiting_rows(self, connection: Connection, kind: KeyPurpose) -> Select[Any]:
        if kind is KeyPurpose.DATA:
            return select(IDENTITIES).where(IDENTITIES.c.generation < generation_in_force(connection))
        if kind is KeyPurpose.IDENTITIES:
            return select(IDENTITIES).where(IDENTITIES.c.kek_id != self._identities.in_force(connection).current.key_id)
        current = self._index.in_force(connection).current.key_id
        done = INDEX.alias()
        under_current = select(done.c.lookup).where(done.c.youth_id == INDEX.c.youth_id, done.c.key_id == current)
        return select(INDEX).where(INDEX.c.key_id != current, ~under_current.exists())

    def _batch(
        self, connection: Connection, kind: KeyPurpose, by: ColumnElement[Any], after: Any, size: int
    ) -> list[Row[Any]]:
        rows = self._waiting_rows(connection, kind).order_by(by).limit(size).with_for_update()
        return list(connection.execute(rows if after is None else rows.where(by > after)))

    def _reindex(self, connection: Connection, after: Any, size: int) -> tuple[Any, int, int]:
        hold_alone(connection, REINDEXING)
        key, left = self._index.in_force(connection).current, 0
        rows = self._batch(connection, KeyPurpose.INDEX, INDEX.c.lookup, after, size)
        new: dict[str, dict[str, Any]] = {}
        for row in rows:
            number = self._number_of(connection, row)
            if number is None:
                left += 1
            else:
                new[row.youth_id] = index_row(key, row.youth_id, *number)
        if new:
            connection.execute(insert(INDEX), list(new.values()))
        return (rows[-1].lookup if rows else None), len(rows), left

    def _number_of(self, connection: Connection, row: Row[Any]) -> tuple[str, str] | None:
        """Returns the number that is kept of a person, or None where nothing is, or it can't be opened."""
        try:
            found = connection.execute(select(IDENTITIES).where(IDENTITIES.c.youth_id == row.youth_id)).one_or_none()
            if found is None:
                return None
            held = opened_identity(unwrapped(self._identities.get(found.kek_id), found), found)
        except BrokenIdentityError:
            return None
        return held.system, held.number

    def _rewrap(self, connection: Connection, after: Any, size: int) -> tuple[Any, int, int]:
        key = self._identities.in_force(connection).current

        def changed(row: Row[Any]) -> dict[str, Any]:
            data_key = unwrapped(self._identities.get(row.kek_id), row)
            return {"kek_id": key.key_id, "wrapped_key": wrapped(key, data_key, row.youth_id)}

        return self._rewritten(
            connection, self._batch(connection, *_BY_YOUTH[KeyPurpose.IDENTITIES], after, size), changed
        )

    def _encrypt_anew(self, connection: Connection, after: Any, size: int) -> tuple[Any, int, int]:
        key, generation = self._identities.in_force(connection).current, generation_in_force(connection)

        def changed(row: Row[Any]) -> dict[str, Any]:
            held = opened_identity(unwrapped(self._identities.get(row.kek_id), row), row)
            data_key = new_data_key()
            return {
                "kek_id": key.key_id,
                "wrapped_key": wrapped(key, data_key, row.youth_id),
                "sealed": sealed_identity(data_key, held, row.youth_id),
                "generation": generation,
            }

        return self._rewritten(connection, self._batch(connection, *_BY_YOUTH[KeyPurpose.DATA], after, size), changed)

    def _rewritten(
        self, connection: Connection, rows: list[Row[Any]], changed: Callable[[Row[Any]], dict[str, Any]]
    ) -> tuple[Any, int, int]:
        left = 0
        for row in rows:
            try:
                values = changed(row)
            except BrokenIdentityError:
                left += 1
            else:
                connection.execute(update(IDENTITIES).where(IDENTITIES.c.youth_id == row.youth_id).values(values))
        return (rows[-1].youth_id if rows else None), len(rows), left


_BY_YOUTH = {kind: (kind, IDENTITIES.c.youth_id) for kind in (KeyPurpose.IDENTITIES, KeyPurpose.DATA)}
