"""What encrypts a person's row: the identity under a data key, that under a key-encryption key.

AES-256-GCM each time, with the youth id as associated data: a row that was altered, or put in another person's place,
opens to nobody.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.vault.tables import VaultUnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Row

    from connectors.vault.keys import WrappingKey

_NONCE_BYTES = 12
_KEY_BYTES = 32


class BrokenIdentityError(VaultUnavailableError):
    """Raised where a person's row was altered, stands in another's place, or its key-encryption key is missing."""


class StoredIdentity(msgspec.Struct, array_like=True):
    """What is sealed: the number, and of each field the value with the milliseconds at which it was sent."""

    system: str
    number: str
    fields: dict[str, tuple[int, str | bool]]


def new_data_key() -> bytes:
    """Returns a data key for one person."""
    return AESGCM.generate_key(_KEY_BYTES * 8)


def sealed_identity(data_key: bytes, held: StoredIdentity, youth_id: str) -> bytes:
    """Returns what is held of a person, encrypted."""
    return _sealed(data_key, msgspec.msgpack.encode(held), _purpose("identity", youth_id))


def opened_identity(data_key: bytes, row: Row[Any]) -> StoredIdentity:
    """Returns what is held of a person; raises BrokenIdentityError."""
    return msgspec.msgpack.decode(
        _opened(data_key, row.sealed, _purpose("identity", row.youth_id)), type=StoredIdentity
    )


def wrapped(key: WrappingKey, data_key: bytes, youth_id: str) -> bytes:
    """Returns a person's data key, encrypted under a key-encryption key."""
    return _sealed(key.key, data_key, _purpose("data key", key.key_id + youth_id))


def unwrapped(key: WrappingKey | None, row: Row[Any]) -> bytes:
    """Returns a person's data key; raises BrokenIdentityError, where there is no key-encryption key, too."""
    if key is None:
        raise BrokenIdentityError(f"the key-encryption key {row.kek_id} is missing; put it back into identities.json")
    return _opened(key.key, row.wrapped_key, _purpose("data key", row.kek_id + row.youth_id))


def _purpose(what: str, name: str) -> bytes:
    return f"brobygger {what} {name}".encode()


def _sealed(key: bytes, content: bytes, purpose: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, purpose)


def _opened(key: bytes, sealed: bytes, purpose: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)
    except (InvalidTag, ValueError) as error:
        raise BrokenIdentityError(
            "an identity in the vault can't be opened: another key-encryption key, or the row was altered or moved; "
            "restore the vault and its key files from the same backup"
        ) from error
