"""Pairwise pseudonyms: AES-SIV of the youth id under a programme's own key (RFC 5297).

A pseudonym is the key id, then base64url of the synthetic tag and ciphertext. That of a young person has 4 + 43
characters. One that stands for a single handover, or a single claim, has 4 + 64: what is encrypted is the youth id and
the UUID of that one thing, so that two of them are no more alike than two young people's. The same programme, person,
thing and root always give the same text; without the keys nobody links two programmes' pseudonyms, or two such.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectors.vault.key_files import KeyFileError
from connectors.vault.pairwise import KEY_BYTES, PairwiseIds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.vault.keys import PseudonymRoot

_CIPHER_KEY_BYTES, _CHAIN_KEY_BYTES = 64, 32
_KEY_ID_CHARACTERS = 4
_YOUTH_ID = re.compile(r"^[0-9a-f]{32}$")
_YOUTH_ID_BYTES = 16
#: Of a young person, and of one handover or claim.
_PSEUDONYM_CHARACTERS = (47, 68)


@dataclass(frozen=True, slots=True)
class Alias:
    """A pseudonym, the young person behind it, and the ids and times of what is said under it."""

    pseudonym: str
    youth_id: str = field(repr=False)
    ids: PairwiseIds = field(repr=False, compare=False)


class Pseudonyms:
    """Makes and inverts pseudonyms; pure given the roots, and quick: ciphers are made once a programme."""

    def __init__(self, roots: Sequence[PseudonymRoot]) -> None:
        """Takes the roots as ``pseudonym_roots`` gives them: the one for new pseudonyms first."""
        self._current = roots[0].key_id
        self.oldest_key_id = roots[-1].key_id
        self._roots = {root.key_id: root.root for root in roots}
        self._ciphers: dict[tuple[str, str], tuple[AESSIV, bytes]] = {}
        self.disclosures_keys = tuple(
            _expanded(root.root, b"brobygger disclosures", _CHAIN_KEY_BYTES) for root in roots
        )

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Returns the ids of all roots, the one for new pseudonyms first."""
        return tuple(self._roots)

    def require(self, key_ids: Iterable[str]) -> None:
        """Raises KeyFileError where one of these roots was not read."""
        for key_id in key_ids:
            if key_id not in self._roots:
                raise KeyFileError(
                    f"the root {key_id} is missing in pseudonyms.json; copy it there from the machine where the "
                    "catalogue that names it was applied, or from the backup"
                )

    def pseudonym_of(self, programme: str, youth_id: str, only: str | None = None) -> str:
        """Returns the name under which a programme knows a young person, or ``only`` a thing of theirs (a UUID).

        Raises ValueError where the youth id is not one of the vault's (32 hexadecimal characters).
        """
        return self._text(programme, self._current, _plain(youth_id, only))

    def alias_of(self, programme: str, youth_id: str, only: str | None = None, key_id: str | None = None) -> Alias:
        """Returns the same as an alias, made with the root of that id, the one for new pseudonyms where none is named.

        Raises ValueError as ``pseudonym_of`` does, KeyFileError where the root isn't there.
        """
        plain, root_id = _plain(youth_id, only), key_id or self._current
        self.require((root_id,))
        return self._alias(programme, root_id, plain, self._text(programme, root_id, plain))

    @property
    def disclosures_key(self) -> bytes:
        """Returns the key that the chain of disclosures goes on under: the oldest root's, so that a replay agrees.

        Where that root was dropped, what was chained under it is found broken.
        """
        return self.disclosures_keys[-1]

    def youth_of(self, programme: str, pseudonym: str) -> str | None:
        """Returns the youth id behind a programme's pseudonym, or None.

        None is the answer for text of another form, another programme's pseudonym, and an unknown key id.
        Exactly one spelling of a pseudonym is understood, because pseudonyms are record keys.
        """
        plain = self._opened(programme, pseudonym)
        return None if plain is None else plain[:_YOUTH_ID_BYTES].hex()

    def alias_under(self, programme: str, pseudonym: str) -> Alias | None:
        """Returns the alias of a programme's pseudonym, or None where ``youth_of`` knows nobody."""
        plain = self._opened(programme, pseudonym)
        return None if plain is None else self._alias(programme, pseudonym[:_KEY_ID_CHARACTERS], plain, pseudonym)

    def _opened(self, programme: str, pseudonym: str) -> bytes | None:
        key_id, text = pseudonym[:_KEY_ID_CHARACTERS], pseudonym[_KEY_ID_CHARACTERS:]
        if len(pseudonym) not in _PSEUDONYM_CHARACTERS or key_id not in self._roots:
            return None
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            plain = self._keys(programme, key_id)[0].decrypt(sealed, None)
        except (InvalidTag, binascii.Error, ValueError):
            return None
        return plain if self._text(programme, key_id, plain) == pseudonym else None

    def _alias(self, programme: str, key_id: str, plain: bytes, pseudonym: str) -> Alias:
        ids_key = digest(self._keys(programme, key_id)[1], plain, sha256)
        return Alias(pseudonym, plain[:_YOUTH_ID_BYTES].hex(), PairwiseIds(ids_key))

    def _text(self, programme: str, key_id: str, plain: bytes) -> str:
        sealed = self._keys(programme, key_id)[0].encrypt(plain, None)
        return key_id + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def _keys(self, programme: str, key_id: str) -> tuple[AESSIV, bytes]:
        """Returns a programme's cipher for pseudonyms, and the key from which the keys of ids come."""
        keys = self._ciphers.get((programme, key_id))
        if keys is None:
            root = self._roots[key_id]
            keys = AESSIV(_derived(root, "pseudonym", programme, _CIPHER_KEY_BYTES)), _derived(root, "ids", programme)
            self._ciphers[programme, key_id] = keys
        return keys


def _plain(youth_id: str, only: str | None) -> bytes:
    if not _YOUTH_ID.fullmatch(youth_id):
        raise ValueError("a youth id is 32 lower-case hexadecimal characters")
    return bytes.fromhex(youth_id) + (b"" if only is None else UUID(only).bytes)


def _derived(root: bytes, what: str, programme: str, length: int = KEY_BYTES) -> bytes:
    return _expanded(root, f"brobygger {what} {programme}".encode(), length)


def _expanded(root: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info).derive(root)
