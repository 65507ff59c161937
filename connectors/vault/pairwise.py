"""Ids and times that belong to one pseudonym: what is said under it shares no value with what anybody else knows.

What is said under a pseudonym and what is replied under it are read with the same key, so nothing has to be kept: an id
of another pseudonym is read as an id that nobody has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES = 32
#: By how much a time is shown too early at most, in milliseconds.
EARLIER_MAX_MS = 90_000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MINUTE_MS = 60_000


class PairwiseIds:
    """The ids and times of what is said under one pseudonym. Not for several threads at once."""

    def __init__(self, key: bytes) -> None:
        """Takes the pseudonym's own 32 bytes: one AES key for ids, one for times."""
        ids, times = (Cipher(AES(half), ECB()) for half in (key[:16], key[16:]))  # noqa: S305 each is used on one block alone
        self._encrypt = ids.encryptor().update
        self._decrypt = ids.decryptor().update
        self._pad = times.encryptor().update

    def shown(self, internal: str) -> str:
        """Returns an id as it is shown under the pseudonym: a UUID for a UUID, another one under each pseudonym.

        Of the same form, too: what the service derives looks derived (version 5), anything else stays something else.
        Text that is no UUID is a word, and stays.
        """
        return _walked(self._encrypt, internal)

    def internal(self, shown: str) -> str:
        """Returns the id that is shown so, the inverse of ``shown``."""
        return _walked(self._decrypt, shown)

    def earlier(self, time_ms: int) -> int:
        """Returns a time as it is shown: 30 to 90 seconds too early, in the same order.

        A minute is squeezed into half of one and put somewhere into the minute before, elsewhere for each minute and
        pseudonym: who knows one time exactly (a midnight) learns nothing of another.
        """
        minute, into = divmod(time_ms, _MINUTE_MS)
        return (minute - 1) * _MINUTE_MS + self._place(minute) + into // 2

    def later(self, shown_ms: int) -> int:
        """Returns the time that is shown so, the inverse of ``earlier``, a millisecond too early at most."""
        minute, into = shown_ms // _MINUTE_MS + 1, shown_ms % _MINUTE_MS
        return minute * _MINUTE_MS + 2 * (into - self._place(minute))

    def _place(self, minute: int) -> int:
        return int.from_bytes(self._pad(minute.to_bytes(16, signed=True))[:4]) % (_MINUTE_MS // 2)


def _walked(step: Callable[[bytes], bytes], text: str) -> str:
    """Permutes the derived UUIDs, and all others: walks the cycle of a permutation of all blocks to the next of a kind.

    So does every cipher that walks cycles (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"); among the
    derived it takes 64 steps on average.
    """
    if _UUID.fullmatch(text) is None:
        return text
    block = bytes.fromhex(text.replace("-", ""))
    derived = _is_derived(block)
    block = step(block)
    while _is_derived(block) is not derived:
        block = step(block)
    digits = block.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _is_derived(block: bytes) -> bool:
    """Tells whether a UUID is of version 5 (RFC 9562)."""
    return block[6] >> 4 == 5 and block[8] >> 6 == 2  # noqa: PLR2004 the version, and the variant
