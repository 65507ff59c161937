"""Identity and contact of each person, encrypted under a data key of their own that a key-encryption key wraps.

What several messages say is joined by field: the newest statement by its time of sending.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from connectors.person_details import PersonDetails
from connectors.vault.envelopes import (
    BrokenIdentityError,
    StoredIdentity,
    new_data_key,
    opened_identity,
    sealed_identity,
    unwrapped,
    wrapped,
)
from connectors.vault.keys_in_force import KeyPurpose, OwnKeys, generation_in_force
from connectors.vault.number_links import numbers_of
from connectors.vault.tables import IDENTITIES, hold_known, in_transaction, reading
from schemas.instants import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from connectors.vault.keys import WrappingKey

_PROTECTED = "protected"
_FIELDS = ("name", "address", "phone", _PROTECTED)
_FOR_GOOD = (2**63, True)  # later than anything that another number's statements can say


@dataclass(frozen=True, slots=True)
class PersonUpdate:
    """What one message said of a person, and when it was sent."""

    youth_id: str
    details: PersonDetails = field(repr=False)
    sent_at: datetime


class PersonStore:
    """The identities in the vault's database; each call blocks on it, and raises VaultUnavailableError.

    Safe to use from several threads and processes.
    """

    def __init__(self, engine: Engine, keys: Callable[[], Sequence[WrappingKey]]) -> None:
        """Takes the vault's engine, and what reads the keys: now, and when the database names one that isn't known."""
        self._engine = engine
        self._keys = OwnKeys(KeyPurpose.IDENTITIES, keys)

    def keep(self, statements: Sequence[PersonUpdate]) -> None:
        """Keeps what was said, all of it or nothing, in any order and any number of times with the same result.

        Raises BrokenIdentityError, too, where what is there can't be opened, and ErasedMeanwhileError where the vault
        knows no number of a youth id any more.
        """
        said: dict[str, list[PersonUpdate]] = {}
        for one in statements:
            said.setdefault(one.youth_id, []).append(one)
        if not said:
            return

        def work(connection: Connection) -> None:
            hold_known(connection, said)
            named = IDENTITIES.c.youth_id
            rows = select(IDENTITIES).where(named.in_(said)).order_by(named).with_for_update()
            known = {row.youth_id: row for row in connection.execute(rows)}
            for youth_id in sorted(said):
                self._keep_one(connection, known.get(youth_id), said[youth_id])

        in_transaction(self._engine, work)

    def details_of(self, youth_id: str) -> PersonDetails | None:
        """Returns what is known of a person, or None where nothing is or all was erased.

        What was said under other numbers of the same person is joined, each field's newest; name and address are
        protected where they are under any of them.
        """

        def work(connection: Connection) -> list[Row[Any]]:
            numbers = numbers_of(connection, youth_id)
            return list(connection.execute(select(IDENTITIES).where(IDENTITIES.c.youth_id.in_(numbers))))

        held = {row.youth_id: opened_identity(self._data_key(row), row) for row in reading(self._engine, work)}
        own = held.get(youth_id)
        return None if own is None else _details(own, held.values())

    def _keep_one(self, connection: Connection, row: Row[Any] | None, statements: Sequence[PersonUpdate]) -> None:
        youth_id, first = statements[0].youth_id, statements[0].details
        data_key = new_data_key() if row is None else self._data_key(row)
        before = StoredIdentity(first.system, first.number, {}) if row is None else opened_identity(data_key, row)
        after = before
        for one in statements:
            after = _joined(after, one)
        if row is not None and after.fields == before.fields:
            return
        key = self._keys.in_force(connection).current
        values: dict[str, Any] = {"sealed": sealed_identity(data_key, after, youth_id)}
        if row is None or row.kek_id != key.key_id:
            values |= {"kek_id": key.key_id, "wrapped_key": wrapped(key, data_key, youth_id)}
        if row is None:
            values |= {"youth_id": youth_id, "generation": generation_in_force(connection)}
            connection.execute(insert(IDENTITIES).values(values))
        else:
            connection.execute(update(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id).values(values))

    def _data_key(self, row: Row[Any]) -> bytes:
        return unwrapped(self._keys.get(row.kek_id), row)


def _details(own: StoredIdentity, of_all_numbers: Iterable[StoredIdentity]) -> PersonDetails:
    fields: dict[str, tuple[int, str | bool]] = {}
    for held in of_all_numbers:
        fields |= {name: max(stated, fields.get(name, stated)) for name, stated in held.fields.items()}
        if held.fields.get(_PROTECTED, (0, False))[1]:
            fields[_PROTECTED] = _FOR_GOOD
    values: dict[str, Any] = {name: value for name, (_, value) in fields.items()}
    return PersonDetails(own.system, own.number, **values)


def _joined(held: StoredIdentity, one: PersonUpdate) -> StoredIdentity:
    """Returns the newest of each field; of two sent at the same millisecond the greater value, whichever came first."""
    fields = dict(held.fields)
    for name in _FIELDS:
        value = getattr(one.details, name)
        if value is not None:
            stated = (milliseconds_of(one.sent_at), value)
            fields[name] = max(fields.get(name, stated), stated)
    return StoredIdentity(held.system, held.number, fields)


__all__ = ["BrokenIdentityError", "PersonStore", "PersonUpdate"]
