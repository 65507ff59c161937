"""References between the resources of a Bundle (HL7 FHIR R4, bundle.html#references, references.html).

| Reference | Names |
|---|---|
| ``https://server/fhir/Type/id``, ``urn:uuid:...`` | the entry with that ``fullUrl`` |
| ``Type/id`` | the entry at the server of the holder's own ``fullUrl``; where that is of none, by type and id |
| one of these with ``/_history/version`` | the same, where its ``meta.versionId`` is that one, or it has none |
| ``#id`` | the resource that the holder contains |

Nothing else is read. Ids of letters that are not in the Bundle are told by a reference's own type and id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.sender_ids import normalised

_SERVER = re.compile(r"https?://", re.IGNORECASE)
_TYPED = re.compile(r"(?:(?P<base>.*)/)?(?P<type>[A-Z][A-Za-z]{0,63})/(?P<id>[A-Za-z0-9.-]{1,64})", re.DOTALL)
_HISTORY = "/_history/"


@dataclass(frozen=True, slots=True)
class FhirReference:
    """A reference or a ``fullUrl``, taken apart.

    ``base`` is the server's URL, absent where none is named; ``type`` and ``id`` are absent where it is of another form
    than ``Type/id``, ``id`` alone is there for a UUID. ``contained`` is what stands behind ``#``.
    """

    whole: str
    base: str | None = None
    type: str | None = None
    id: str | None = None
    version: str | None = None
    contained: str | None = None

    @property
    def is_absolute(self) -> bool:
        """Returns whether it names a resource wherever it is read."""
        return self.base is not None or self.whole.startswith("urn:")

    @property
    def uuid(self) -> str | None:
        """Returns the UUID that it is, normalised, or None."""
        return self.id if self.type is None else None


def read_reference(text: str) -> FhirReference:
    """Returns a reference's parts; UUIDs in it are normalised."""
    if text.startswith("#"):
        return FhirReference(text, contained=text[1:])
    plain, _, version = text.partition(_HISTORY)
    if plain[:4].lower() == "urn:":
        is_uuid = plain[:9].lower() == "urn:uuid:"
        own = normalised(plain) if is_uuid else None
        return FhirReference(f"urn:uuid:{own}" if is_uuid else plain, id=own, version=version or None)
    match = _TYPED.fullmatch(plain)
    base = match["base"] if match else None
    if match is None or (base is not None and not _SERVER.match(base)):
        return FhirReference(plain, base="" if _SERVER.match(plain) else None)
    return _typed(base, match["type"], normalised(match["id"]), version or None)


def at(base: str, relative: FhirReference) -> str:
    """Returns the whole of a relative reference at a server."""
    return _typed(base, relative.type or "", relative.id or "", None).whole


def _typed(base: str | None, resource_type: str, resource_id: str, version: str | None) -> FhirReference:
    whole = f"{resource_type}/{resource_id}"
    if base is None:
        return FhirReference(whole, None, resource_type, resource_id, version)
    # Whether a server is asked over TLS makes no other resource (FHIR R4, http.html).
    server = _SERVER.sub("", base, count=1)
    return FhirReference(f"{server}/{whole}", server, resource_type, resource_id, version)
