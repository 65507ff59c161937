"""The vault's keys, one file each, so that a process can be given those it needs and no others.

============================  =======================================  ==========================
File                          Holds                                    Read by (``NEEDED_BY``)
============================  =======================================  ==========================
``index.json``                HMAC keys of the look-up index           gateway
``receipts.key``              HMAC key of the gateway's receipts       gateway
``pseudonyms.json``           roots of the programmes' pseudonym keys  gateway, workers
``identities.json``           keys that wrap each person's data key    gateway
``claims.key``                HMAC key of the claim codes              gateway
``links.key``                 HMAC key of signed links                 gateway, deliverer
``webhooks.key``              encrypts endpoints' secrets              deliverer, its commands
``sealing.private.key``       X25519 private key of dead letters       operations' commands
``sealing.public.key``        X25519 public key of dead letters        workers, gateway
============================  =======================================  ==========================

Of several keys in ``index.json`` and ``identities.json`` the vault's database says which are in force
(``keys_in_force``); until the first rotation it is the first.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from connectors.vault.key_files import KeyFileError, read_key, replaced, written_once

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
_KEY_ID = re.compile(r"^[a-z0-9]{4}$")
_INDEX, _FORMER_INDEX = "index.json", "index.key"
_RECEIPTS = "receipts.key"
PSEUDONYMS = "pseudonyms.json"
_IDENTITIES = "identities.json"
_CLAIMS = "claims.key"
_SEALING_PRIVATE = "sealing.private.key"
_SEALING_PUBLIC = "sealing.public.key"
LINKS, WEBHOOKS = "links.key", "webhooks.key"
KeyHolder = Literal["gateway", "worker", "deliverer"]
NEEDED_BY: dict[KeyHolder, tuple[str, ...]] = {
    "gateway": (_INDEX, _RECEIPTS, PSEUDONYMS, _IDENTITIES, _CLAIMS, LINKS, _SEALING_PUBLIC),
    "worker": (PSEUDONYMS, _SEALING_PUBLIC),
    "deliverer": (LINKS, WEBHOOKS),
}
KeyKind = Literal["index", "identities"]
_FILES: dict[KeyKind, str] = {"index": _INDEX, "identities": _IDENTITIES}


@dataclass(frozen=True, slots=True)
class PseudonymRoot:
    """A root from which every programme's AES-SIV key is derived; ``key_id`` stands in each pseudonym."""

    key_id: str
    root: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuses a key id or a root of another form."""
        if not _KEY_ID.fullmatch(self.key_id) or len(self.root) != KEY_BYTES:
            raise KeyFileError("a pseudonym root has an id of four characters a-z0-9 and 32 bytes")


@dataclass(frozen=True, slots=True)
class IndexKey:
    """A key of the look-up index; ``key_id`` stands beside each look-up made with it."""

    key_id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuses a key id or a key of another form."""
        if not _KEY_ID.fullmatch(self.key_id) or len(self.key) != KEY_BYTES:
            raise KeyFileError("an index key has an id of four characters a-z0-9 and 32 bytes")


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """A key-encryption key; ``key_id`` stands beside each data key that it wraps."""

    key_id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuses a key id or a key of another form."""
        if not _KEY_ID.fullmatch(self.key_id) or len(self.key) != KEY_BYTES:
            raise KeyFileError("a wrapping key has an id of four characters a-z0-9 and 32 bytes")


def create_keys(folder: Path) -> None:
    """Makes every key of the vault that is missing; those that are there stay as they are.

    May run in several processes at once: all end with the same keys. Where the public key of dead letters was handed
    out without the private one, none is made: operations have it.
    """
    written_once(folder / _INDEX, lambda: _first_index_key(folder / _FORMER_INDEX))
    (folder / _FORMER_INDEX).unlink(missing_ok=True)
    written_once(folder / _RECEIPTS, _new_key)
    written_once(folder / PSEUDONYMS, lambda: _new_entries("root"))
    written_once(folder / _IDENTITIES, lambda: _new_entries("key"))
    written_once(folder / _CLAIMS, _new_key)
    if (folder / _SEALING_PUBLIC).exists() and not (folder / _SEALING_PRIVATE).exists():
        return
    private = written_once(folder / _SEALING_PRIVATE, _new_key)
    public = X25519PrivateKey.from_private_bytes(_key_of(private)).public_key().public_bytes_raw()
    written_once(folder / _SEALING_PUBLIC, lambda: _text_of(public), public=True)


def hand_out(folder: Path, process: KeyHolder, to: Path) -> list[str]:
    """Puts the keys that a process needs into another folder, where they are missing; returns the names of those.

    What is missing in the folder itself is made first. A key that is there already stays: it may be a later one.
    """
    create_keys(folder)
    for name in (LINKS, WEBHOOKS):
        own_key(folder / name)
    new = [name for name in NEEDED_BY[process] if not (to / name).exists()]
    for name in new:
        public = name == _SEALING_PUBLIC
        content = read_key(folder / name, public=public)
        written_once(to / name, partial(bytes, content), public=public)
    return new


def index_keys(folder: Path) -> tuple[IndexKey, ...]:
    """Returns the keys of the vault's look-up index."""
    return tuple(IndexKey(key_id, key) for key_id, key in _entries(folder / _INDEX, "key"))


def receipts_key(folder: Path) -> bytes:
    """Returns the key under which the gateway's ledger keeps hashes of what it received, 32 bytes."""
    return _key_of(read_key(folder / _RECEIPTS))


def claims_key(folder: Path) -> bytes:
    """Returns the key under which claim codes are kept as hashes, 32 bytes."""
    return _key_of(read_key(folder / _CLAIMS))


def pseudonym_roots(folder: Path) -> tuple[PseudonymRoot, ...]:
    """Returns the roots, the one for new pseudonyms first, then those that are still understood."""
    return tuple(PseudonymRoot(key_id, root) for key_id, root in _entries(folder / PSEUDONYMS, "root"))


def wrapping_keys(folder: Path) -> tuple[WrappingKey, ...]:
    """Returns the key-encryption keys."""
    return tuple(WrappingKey(key_id, key) for key_id, key in _entries(folder / _IDENTITIES, "key"))


def sealing_private_key(folder: Path) -> X25519PrivateKey:
    """Returns the key that opens dead letters; workers never hold it."""
    return private_key(folder / _SEALING_PRIVATE)


def sealing_public_key(folder: Path) -> X25519PublicKey:
    """Returns the key that dead letters are sealed to."""
    return X25519PublicKey.from_public_bytes(_key_of(read_key(folder / _SEALING_PUBLIC, public=True)))


def private_key(path: Path) -> X25519PrivateKey:
    """Returns the private key of a file; raises KeyFileError where it is missing, open to others, or no key."""
    return X25519PrivateKey.from_private_bytes(_key_of(read_key(path), path.name))


def own_key(path: Path) -> bytes:
    """Returns the 32 bytes of a key file, made where it is missing; raises KeyFileError where it holds no key."""
    return _key_of(written_once(path, _new_key), path.name)


def add_key(folder: Path, kind: KeyKind, key_id: str) -> None:
    """Puts a new key at the end of its kind's file, whole or not at all; whoever changes it meanwhile loses that.

    Raises KeyFileError where the file has a key of that id.
    """
    entries = _entries(folder / _FILES[kind], "key")
    _replace_entries(folder / _FILES[kind], [*entries, (key_id, secrets.token_bytes(KEY_BYTES))])


def drop_key(folder: Path, kind: KeyKind, key_id: str) -> None:
    """Takes a key out of its kind's file, where it is in it; raises KeyFileError where it is the last one."""
    entries = _entries(folder / _FILES[kind], "key")
    left = [one for one in entries if one[0] != key_id]
    if left != entries:
        _replace_entries(folder / _FILES[kind], left)


def _replace_entries(path: Path, entries: list[tuple[str, bytes]]) -> None:
    content = json.dumps([{"key_id": key_id, "key": key.hex()} for key_id, key in entries], indent=1)
    _checked(path, "key", entries)
    replaced(path, content.encode() + b"\n")


def _first_index_key(former: Path) -> bytes:
    """Returns the file's first content: the key of a file from before there could be several, else a new one."""
    if not former.exists():
        return _new_entries("key")
    key = _key_of(read_key(former), former.name)
    return json.dumps([{"key_id": "k001", "key": key.hex()}], indent=1).encode() + b"\n"


def _new_key() -> bytes:
    return _text_of(secrets.token_bytes(KEY_BYTES))


def _new_entries(named: str) -> bytes:
    entry = {"key_id": "k001", named: secrets.token_hex(KEY_BYTES)}
    return json.dumps([entry], indent=1).encode() + b"\n"


def _entries(path: Path, named: str) -> list[tuple[str, bytes]]:
    try:
        entries = [(entry["key_id"], bytes.fromhex(entry[named])) for entry in json.loads(read_key(path))]
    except (ValueError, TypeError, KeyError) as error:
        raise KeyFileError(f"{path} is not a list of key_id and {named}") from error
    return _checked(path, named, entries)


def _checked(path: Path, named: str, entries: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    if not entries or len({key_id for key_id, _ in entries}) != len(entries):
        raise KeyFileError(f"{path} needs at least one {named}, and key ids that differ")
    return entries


def _text_of(key: bytes) -> bytes:
    return key.hex().encode() + b"\n"


def _key_of(content: bytes, name: str = "a key file") -> bytes:
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError as error:
        raise KeyFileError(f"{name} holds 64 hexadecimal digits") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{name} holds 64 hexadecimal digits")
    return key
