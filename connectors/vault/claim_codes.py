"""Claim codes as people read them out and type them in: Crockford's base32, ten characters and a check character.

No I, L, O or U; on the way in O is read as 0, I and L as 1. The check character makes the code a word of a
Reed-Solomon code over GF(32): a wrong character, or any two characters exchanged, is always found, and no database
has to be asked about it.
"""

from __future__ import annotations

import secrets
from itertools import pairwise

CODE_CHARACTERS = 11
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_FIELD_BITS, _FIELD_MASK, _FIELD_POLYNOMIAL = 5, 0b11111, 0b100101
CODE_BITS = (CODE_CHARACTERS - 1) * _FIELD_BITS
_GROUPS = (0, 4, 8, CODE_CHARACTERS)
_TYPED_CHARACTERS_MAX = 32


def new_code() -> str:
    """Returns a new code of 50 random bits, without hyphens."""
    return code_of(secrets.randbits(CODE_BITS))


def code_of(bits: int) -> str:
    """Returns the code that the last 50 of some bits are, without hyphens."""
    shifts = range(CODE_BITS - _FIELD_BITS, -1, -_FIELD_BITS)
    code = "".join(_ALPHABET[bits >> shift & _FIELD_MASK] for shift in shifts)
    return code + _ALPHABET[_sum([0, *(_VALUES[character] for character in reversed(code))])]


def grouped_code(code: str) -> str:
    """Returns a code in groups, as it is handed over.

    >>> grouped_code("7K3QX9M2TDF")
    '7K3Q-X9M2-TDF'
    """
    return "-".join(code[start:end] for start, end in pairwise(_GROUPS))


def read_code(typed: str) -> str | None:
    """Returns the code that was typed, in either case, with or without hyphens and blanks; None where it is none."""
    if len(typed) > _TYPED_CHARACTERS_MAX:
        return None
    values = [_VALUES.get(character) for character in typed.upper() if character not in "- "]
    known = [value for value in values if value is not None]
    if len(values) != CODE_CHARACTERS or len(known) != len(values) or _sum(known[::-1]):
        return None
    return "".join(_ALPHABET[value] for value in known)


def _sum(values: list[int]) -> int:
    """Returns the values' polynomial at the field's generator, by Horner's rule; 0 for a whole code, check first."""
    total = 0
    for value in reversed(values):
        total <<= 1
        if total >> _FIELD_BITS:
            total ^= _FIELD_POLYNOMIAL
        total ^= value
    return total
