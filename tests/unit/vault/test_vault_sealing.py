"""Sealing: what goes in comes out, for the right key and purpose alone."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from connectors.vault.sealing import (
    SEALED_BYTES_MORE,
    OriginalRecord,
    UnsealError,
    seal,
    seal_record,
    unseal,
    unseal_record,
)

PRIVATE = X25519PrivateKey.from_private_bytes(b"p" * 32)
PUBLIC = PRIVATE.public_key()
bytes_or_none = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=20)), max_size=4).map(tuple)


@given(bytes_or_none, bytes_or_none, headers)
def test_a_record_comes_out_untouched(
    key: bytes | None,
    value: bytes | None,
    with_headers: tuple[tuple[str, bytes], ...],
) -> None:
    record = OriginalRecord(key, value, with_headers)

    assert unseal_record(PRIVATE, seal_record(PUBLIC, record, b"i"), b"i") == record


def test_sealed_bytes_are_never_the_same_twice_and_hold_nothing_in_clear() -> None:
    one, other = seal(PUBLIC, b"plaintext", b"i"), seal(PUBLIC, b"plaintext", b"i")

    assert one != other
    assert b"plaintext" not in one
    assert len(one) == len(b"plaintext") + SEALED_BYTES_MORE


@pytest.mark.parametrize("position", [0, 31, 32, -1])
def test_a_changed_bit_is_refused(position: int) -> None:
    sealed = bytearray(seal(PUBLIC, b"plaintext", b"i"))
    sealed[position] ^= 1

    with pytest.raises(UnsealError):
        unseal(PRIVATE, bytes(sealed), b"i")


@pytest.mark.parametrize("sealed", [b"", b"x" * 31, b"\x00" * 80])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(PRIVATE, sealed, b"i")


def test_another_purpose_and_another_key_are_refused() -> None:
    sealed = seal(PUBLIC, b"plaintext", b"dead-letter")

    with pytest.raises(UnsealError):
        unseal(PRIVATE, sealed, b"handover")
    with pytest.raises(UnsealError):
        unseal(X25519PrivateKey.generate(), sealed, b"dead-letter")


def test_sealed_bytes_that_hold_no_record_are_refused() -> None:
    with pytest.raises(UnsealError):
        unseal_record(PRIVATE, seal(PUBLIC, b"\xc1", b"i"), b"i")
