"""Ids of FHIR messages, checked."""

from __future__ import annotations

import re

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.sender_ids import normalised

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_EPISODE = re.compile(r"[!-~]{1,128}")


def resource_id(node: Node) -> str:
    """Returns the id of a resource as sent; raises RefusedError where it is no FHIR id (R4, "id").

    Published ids are not all UUIDs, so any FHIR id is taken, with ``urn:uuid:`` in front or not.
    """
    return checked_id(node.text("id"), f"{node.path}.id")


def checked_id(value: str, path: str) -> str:
    """Returns an id as sent; raises RefusedError where it is no FHIR id."""
    if not _ID.fullmatch(normalised(value)):
        raise fhir_refusal("invalid_id", path, "an id has 1 to 64 letters, digits, hyphens and dots")
    return value


def episode_id(value: str, path: str) -> str:
    """Returns a normalised episode of care id; raises RefusedError where it is too long or not printable."""
    episode = normalised(value)
    if not _EPISODE.fullmatch(episode):
        raise fhir_refusal(ErrorCode.DATATYPE_WRONG, path, "the id has at most 128 printable ASCII characters")
    return episode
