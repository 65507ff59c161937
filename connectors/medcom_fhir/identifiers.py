"""Ids and references of FHIR messages, brought to one form."""

from __future__ import annotations

import re

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.nodes import Node, refused

_ID = re.compile(r"[a-z0-9.]{1,64}")
_EPISODE = re.compile(r"[!-~]{1,128}")


def normalised(identifier: str) -> str:
    """Returns an id in lower case, without ``urn:uuid:`` and without hyphens.

    >>> normalised("urn:uuid:BD481C38-A921-11ED-AFA1-0242AC120002")
    'bd481c38a92111edafa10242ac120002'
    """
    return identifier.strip().lower().removeprefix("urn:uuid:").replace("-", "")


def resource_id(node: Node) -> str:
    """Returns the id of a resource as sent; raises RefusedError where it is no FHIR id (R4, "id").

    Published ids are not all UUIDs, so any FHIR id is taken, with ``urn:uuid:`` in front or not.
    """
    return checked_id(node.text("id"), f"{node.path}.id")


def checked_id(value: str, path: str) -> str:
    """Returns an id as sent; raises RefusedError where it is no FHIR id."""
    if not _ID.fullmatch(normalised(value)):
        raise refused("invalid_id", path, "an id has 1 to 64 letters, digits, hyphens and dots")
    return value


def referred_id(reference: str) -> str:
    """Returns the normalised id that a relative, absolute or ``urn:uuid:`` reference ends in.

    >>> referred_id("https://example.dk/fhir/MessageHeader/B9-b4/_history/2")
    'b9b4'
    """
    return normalised(last_part(reference))


def last_part(reference: str) -> str:
    """Returns the id that a reference ends in, as sent."""
    return reference.split("/_history/", maxsplit=1)[0].rstrip("/").rsplit("/", maxsplit=1)[-1]


def referred_type(reference: str) -> str | None:
    """Returns the resource type that a reference names, or None for ``urn:uuid:`` and bare ids."""
    parts = reference.split("/_history/", maxsplit=1)[0].rstrip("/").rsplit("/", maxsplit=2)
    return parts[-2] if len(parts) > 1 and parts[-2].isalpha() else None


def episode_id(value: str, path: str) -> str:
    """Returns a normalised episode of care id; raises RefusedError where it is too long or not printable."""
    episode = normalised(value)
    if not _EPISODE.fullmatch(episode):
        raise refused(ErrorCode.DATATYPE_WRONG, path, "the id has at most 128 printable ASCII characters")
    return episode
