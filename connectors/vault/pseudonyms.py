"""Pairwise pseudonyms: AES-SIV of the youth id under a programme's own key (RFC 5297).

A pseudonym is the key id, then base64url of the synthetic tag and ciphertext: 4 + 43 characters. The
same programme, youth id and root always give the same text; two programmes' pseudonyms of one young
person can't be linked without the keys.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.vault.keys import PseudonymRoot

_CIPHER_KEY_BYTES, _CHAIN_KEY_BYTES = 64, 32
_KEY_ID_CHARACTERS = 4
_YOUTH_ID = re.compile(r"^[0-9a-f]{32}$")
_PSEUDONYM_CHARACTERS = 47


class Pseudonyms:
    """Makes and inverts pseudonyms; pure given the roots, and quick: ciphers are made once a programme."""

    def __init__(self, roots: Sequence[PseudonymRoot]) -> None:
        """Takes the roots as ``pseudonym_roots`` gives them: the one for new pseudonyms first."""
        self._current = roots[0].key_id
        self._roots = {root.key_id: root.root for root in roots}
        self._ciphers: dict[tuple[str, str], AESSIV] = {}
        self.disclosures_keys = tuple(_derived(root.root, b"brobygger disclosures", _CHAIN_KEY_BYTES) for root in roots)

    def pseudonym_of(self, programme: str, youth_id: str) -> str:
        """Returns the name under which a programme knows a young person.

        Raises ValueError where the youth id is not one of the vault's (32 hexadecimal characters).
        """
        if not _YOUTH_ID.fullmatch(youth_id):
            raise ValueError("a youth id is 32 lower-case hexadecimal characters")
        return self._text(programme, self._current, bytes.fromhex(youth_id))

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
        key_id = pseudonym[:_KEY_ID_CHARACTERS]
        if len(pseudonym) != _PSEUDONYM_CHARACTERS or key_id not in self._roots:
            return None
        try:
            sealed = base64.urlsafe_b64decode(pseudonym[_KEY_ID_CHARACTERS:] + "=")
            plain = self._cipher(programme, key_id).decrypt(sealed, None)
        except (InvalidTag, binascii.Error, ValueError):
            return None
        return plain.hex() if self._text(programme, key_id, plain) == pseudonym else None

    def _text(self, programme: str, key_id: str, plain: bytes) -> str:
        sealed = self._cipher(programme, key_id).encrypt(plain, None)
        return key_id + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def _cipher(self, programme: str, key_id: str) -> AESSIV:
        cipher = self._ciphers.get((programme, key_id))
        if cipher is None:
            cipher = AESSIV(_programme_key(self._roots[key_id], programme))
            self._ciphers[programme, key_id] = cipher
        return cipher


def _programme_key(root: bytes, programme: str) -> bytes:
    return _derived(root, b"brobygger pseudonym " + programme.encode(), _CIPHER_KEY_BYTES)


def _derived(root: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info).derive(root)
