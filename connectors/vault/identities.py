"""Identity and contact of each person, encrypted under a data key of their own that a key-encryption key wraps.

AES-256-GCM both times, with the youth id as associated data: a row that was altered, or put in another person's
place, opens to nobody. What several messages say is joined by field: the newest statement by its time of sending.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select, update

from connectors.person_details import PersonDetails
from connectors.vault.tables import IDENTITIES, VaultUnavailableError, hold_known, in_transaction, reading
from schemas.instants import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from connectors.vault.keys import WrappingKey

_NONCE_BYTES = 12
_DATA_KEY_BITS = 256
_FIELDS = ("name", "address", "phone", "protected")


class BrokenIdentityError(VaultUnavailableError):
    """Raised where a person's row was altered, stands in another's place, or its key-encryption key is missing."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What one message said of a person, and when it was sent."""

    youth_id: str
    details: PersonDetails = field(repr=False)
    sent_at: datetime


class _Held(msgspec.Struct, array_like=True):
    """What is sealed: the number, and of each field the value with the milliseconds at which it was sent."""

    system: str
    number: str
    fields: dict[str, tuple[int, str | bool]]


class Identities:
    """The identities in the vault's database; each call blocks on it, and raises VaultUnavailableError.

    Safe to use from several threads and processes.
    """

    def __init__(self, engine: Engine, keys: Sequence[WrappingKey]) -> None:
        """Takes the vault's engine and the keys as ``wrapping_keys`` gives them: the one that wraps first."""
        self._engine = engine
        self._wraps = keys[0].key_id
        self._ciphers = {key.key_id: AESGCM(key.key) for key in keys}

    def keep(self, statements: Sequence[Stated]) -> None:
        """Keeps what was said, all of it or nothing, in any order and any number of times with the same result.

        Raises BrokenIdentityError, too, where what is there can't be opened, and ErasedMeanwhileError where the vault
        knows no number of a youth id any more.
        """
        said: dict[str, list[Stated]] = {}
        for one in statements:
            said.setdefault(one.youth_id, []).append(one)
        if not said:
            return

        def work(connection: Connection) -> None:
            hold_known(connection, said)
            rows = select(IDENTITIES).where(IDENTITIES.c.youth_id.in_(said)).with_for_update()
            known = {row.youth_id: row for row in connection.execute(rows)}
            for youth_id in sorted(said):
                self._keep_one(connection, known.get(youth_id), said[youth_id])

        in_transaction(self._engine, work)

    def details_of(self, youth_id: str) -> PersonDetails | None:
        """Returns what is known of a person, or None where nothing is or all was erased."""
        wanted = select(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id)
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        if row is None:
            return None
        held = _opened(self._data_key(row), row)
        values: dict[str, Any] = {name: value for name, (_, value) in held.fields.items()}
        return PersonDetails(held.system, held.number, **values)

    def _keep_one(self, connection: Connection, row: Row[Any] | None, statements: Sequence[Stated]) -> None:
        youth_id, first = statements[0].youth_id, statements[0].details
        data_key = AESGCM.generate_key(_DATA_KEY_BITS) if row is None else self._data_key(row)
        before = _Held(first.system, first.number, {}) if row is None else _opened(data_key, row)
        after = before
        for one in statements:
            after = _joined(after, one)
        if row is not None and after.fields == before.fields:
            return
        content = msgspec.msgpack.encode(after)
        values: dict[str, Any] = {"sealed": _sealed(AESGCM(data_key), content, _purpose("identity", youth_id))}
        if row is None or row.kek_id != self._wraps:
            values |= {"kek_id": self._wraps, "wrapped_key": self._wrapped(data_key, youth_id)}
        if row is None:
            connection.execute(insert(IDENTITIES).values(youth_id=youth_id, **values))
        else:
            connection.execute(update(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id).values(values))

    def _wrapped(self, data_key: bytes, youth_id: str) -> bytes:
        return _sealed(self._ciphers[self._wraps], data_key, _purpose("data key", self._wraps + youth_id))

    def _data_key(self, row: Row[Any]) -> bytes:
        cipher = self._ciphers.get(row.kek_id)
        if cipher is None:
            raise BrokenIdentityError(
                f"the key-encryption key {row.kek_id} is missing; put it back into identities.json"
            )
        return _unsealed(cipher, row.wrapped_key, _purpose("data key", row.kek_id + row.youth_id))


def _joined(held: _Held, one: Stated) -> _Held:
    """Returns the newest of each field; of two sent at the same millisecond the greater value, whichever came first."""
    fields = dict(held.fields)
    for name in _FIELDS:
        value = getattr(one.details, name)
        if value is not None:
            stated = (milliseconds_of(one.sent_at), value)
            fields[name] = max(fields.get(name, stated), stated)
    return _Held(held.system, held.number, fields)


def _opened(data_key: bytes, row: Row[Any]) -> _Held:
    content = _unsealed(AESGCM(data_key), row.sealed, _purpose("identity", row.youth_id))
    return msgspec.msgpack.decode(content, type=_Held)


def _purpose(what: str, name: str) -> bytes:
    return f"brobygger {what} {name}".encode()


def _sealed(cipher: AESGCM, content: bytes, purpose: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, purpose)


def _unsealed(cipher: AESGCM, sealed: bytes, purpose: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)
    except (InvalidTag, ValueError) as error:
        raise BrokenIdentityError(
            "an identity in the vault can't be opened: another key-encryption key, or the row was altered or moved; "
            "restore the vault and its key files from the same backup"
        ) from error
