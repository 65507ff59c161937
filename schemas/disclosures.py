"""The chain of disclosures: each names its place and the digest of the one before, so that none can go unseen.

A digest is the SHA-256 of the previous digest and of the record's fields in their raw form (``codec.raw_of``):
times as milliseconds, ids as text. It is read back from the log alone, by whoever may read the topic.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_DISCLOSURE = "0" * 64
_SET_LAST = "digest"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which a chain does not hold: which disclosure, and which field is not what it must be."""

    position: int
    field: str
    rule: str


def chained(fields: dict[str, Any], position: int, previous: str) -> dict[str, Any]:
    """Returns a disclosure's raw fields with position, previous and digest set; the fields given stay as they are.

    ``position`` counts from 1 in each partition; ``previous`` is the digest before, ``NO_DISCLOSURE`` at 1.

    >>> chained({"receiver": "a"}, 1, NO_DISCLOSURE)["digest"][:8]
    '8717ce52'
    """
    placed = fields | {"position": position, "previous": previous}
    return placed | {_SET_LAST: digest_of_disclosure(previous, placed)}


def digest_of_disclosure(previous: str, fields: dict[str, Any]) -> str:
    """Returns the digest that belongs to a disclosure's raw fields after the digest before, 64 characters.

    A field without a value counts as absent, so that a field added later leaves older digests as they are.
    """
    said = {name: value for name, value in fields.items() if value is not None and name != _SET_LAST}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(previous.encode("ascii") + text.encode("ascii")).hexdigest()


def first_break(disclosures: Iterable[dict[str, Any]], position: int = 0, head: str = NO_DISCLOSURE) -> Broken | None:
    """Returns the first break of one partition's disclosures in log order, or None where the chain holds.

    ``position`` and ``head`` are those of the last disclosure before these. What was cut off at the end can't be
    told from the chain: whoever kept an earlier head compares it.
    """
    for fields in disclosures:
        position += 1
        if fields["position"] != position:
            return Broken(position, "position", "positions grow by one, without a gap or a repeat")
        if fields["previous"] != head:
            return Broken(position, "previous", "a disclosure names the digest of the one before it")
        head = digest_of_disclosure(head, fields)
        if fields[_SET_LAST] != head:
            return Broken(position, _SET_LAST, "the digest is that of what the disclosure says")
    return None
