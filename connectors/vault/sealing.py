"""Seals bytes to the vault's public key: HPKE (RFC 9180), base mode, X25519, HKDF-SHA-256, AES-256-GCM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SEALED_BYTES_MORE = 48


class UnsealError(Exception):
    """Raised where sealed bytes were altered, or sealed to another key or for another purpose."""


class OriginalRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record as it lay on its topic, untouched."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def seal(public_key: X25519PublicKey, plaintext: bytes, info: bytes) -> bytes:
    """Returns the plaintext sealed to the key, 48 bytes longer; never the same bytes twice.

    ``info`` binds it to a purpose and must be given again to open it.
    """
    return _SUITE.encrypt(plaintext, public_key, info)


def unseal(private_key: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """Returns what was sealed; raises UnsealError where a bit, the key or the info differs."""
    try:
        return _SUITE.decrypt(sealed, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise UnsealError("the bytes were altered, or sealed to another key or purpose") from error


def seal_record(public_key: X25519PublicKey, record: OriginalRecord, info: bytes) -> bytes:
    """Returns a record's key, value and headers as one msgpack document, sealed."""
    return seal(public_key, msgspec.msgpack.encode(record), info)


def unseal_record(private_key: X25519PrivateKey, sealed: bytes, info: bytes) -> OriginalRecord:
    """Returns the record that ``seal_record`` sealed; raises UnsealError."""
    plaintext = unseal(private_key, sealed, info)
    try:
        return msgspec.msgpack.decode(plaintext, type=OriginalRecord)
    except msgspec.MsgspecError as error:
        raise UnsealError("the sealed bytes hold no record") from error
