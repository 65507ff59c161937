"""Derived identifiers: UUIDv5 of what they name, never of log time or offset (law 1)."""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0b61a7-3d6a-5a0e-9c3b-7d7c1c6f9d55")


def derived_id(kind: str, *parts: str) -> UUID:
    """Returns the id of a thing of this kind: the same parts always give the same id.

    Parts are joined with a character that no part may hold, so two lists of parts never collide.
    """
    return uuid5(_NAMESPACE, "\x1f".join((kind, *parts)))
