"""The chain of disclosures: each names its place and the digest of the one before, so that none can go unseen.

A digest is the HMAC-SHA-256, under a key of the vault's, of the previous digest and of the record's fields in their
raw form (``codec.raw_of``): times as milliseconds, ids as text. So whoever may write to the topic, but lacks the key,
can't write a chain of their own; the log and the key are enough to check one. What was cut off at its end can't be told
from a chain: a head that was kept elsewhere tells it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_DISCLOSURE = "0" * 64
#: For what is not to be trusted, such as examples: anybody can work such digests out.
NO_KEY = b""
_SET_LAST = "digest"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which a chain does not hold: which disclosure, and which field is not what it must be."""

    position: int
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last disclosure of a partition's chain, as it was when somebody looked: its position and its digest."""

    position: int = 0
    digest: str = NO_DISCLOSURE


def chained(fields: dict[str, Any], position: int, previous: str, key: bytes = NO_KEY) -> dict[str, Any]:
    """Returns a disclosure's raw fields with position, previous and digest set; the fields given stay as they are.

    ``position`` counts from 1 in each partition; ``previous`` is the digest before, ``NO_DISCLOSURE`` at 1.

    >>> chained({"receiver": "a"}, 1, NO_DISCLOSURE)["digest"][:8]
    '7f3de9bf'
    """
    placed = fields | {"position": position, "previous": previous}
    return placed | {_SET_LAST: digest_of_disclosure(previous, placed, key)}


def digest_of_disclosure(previous: str, fields: dict[str, Any], key: bytes = NO_KEY) -> str:
    """Returns the digest that belongs to a disclosure's raw fields after the digest before, 64 characters.

    A field without a value counts as absent, so that a field added later leaves older digests as they are.
    """
    said = {name: value for name, value in fields.items() if value is not None and name != _SET_LAST}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hmac.new(key, previous.encode("ascii") + text.encode("ascii"), hashlib.sha256).hexdigest()


def first_break(
    disclosures: Iterable[dict[str, Any]],
    position: int = 0,
    head: str = NO_DISCLOSURE,
    keys: Sequence[bytes] = (NO_KEY,),
) -> Broken | None:
    """Returns the first break of one partition's disclosures in log order, or None where the chain holds.

    ``position`` and ``head`` are those of the last disclosure before these; each digest is under one of the keys.
    """
    for fields in disclosures:
        position += 1
        if fields["position"] != position:
            return Broken(position, "position", "positions grow by one, without a gap or a repeat")
        if fields["previous"] != head:
            return Broken(position, "previous", "a disclosure names the digest of the one before it")
        digests = (digest_of_disclosure(head, fields, key) for key in keys)
        if not any(hmac.compare_digest(digest, fields[_SET_LAST]) for digest in digests):
            return Broken(position, _SET_LAST, "the digest is that of what the disclosure says, under the vault's key")
        head = fields[_SET_LAST]
    return None
