"""Brings ids that senders give to one form: they are opaque and case-sensitive, but for UUIDs.

FHIR R4, "id" and "Identifier.value": "1-12" and "11-2", "Xa7" and "xA7" are two each. A UUID (RFC 9562) is the same in
capitals, and MedCom writes that of an episode with hyphens in FHIR, without in OIOXML and EDIFACT.
"""

from __future__ import annotations

import re
from uuid import UUID

_URN = "urn:uuid:"
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")


def normalised(identifier: str) -> str:
    """Returns an id as sent, without ``urn:uuid:``; a UUID in lower case and without hyphens.

    >>> normalised("urn:uuid:BD481C38-A921-11ED-AFA1-0242AC120002"), normalised("Xa7-1")
    ('bd481c38a92111edafa10242ac120002', 'Xa7-1')
    """
    bare = identifier.strip()
    if bare[: len(_URN)].lower() == _URN:
        bare = bare[len(_URN) :]
    folded = bare.lower()
    return folded.replace("-", "") if _UUID.fullmatch(folded) else bare


def as_given_out(identifier: str) -> str:
    """Returns an id of this service as it gave it out, however who keeps it writes a UUID; any other id as sent.

    >>> as_given_out("BD481C38-A921-11ED-AFA1-0242AC120002"), as_given_out("Xa7-1")
    ('bd481c38-a921-11ed-afa1-0242ac120002', 'Xa7-1')
    """
    folded = normalised(identifier)
    return str(UUID(folded)) if _UUID.fullmatch(folded) else identifier
