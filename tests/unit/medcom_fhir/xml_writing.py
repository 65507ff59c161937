"""A message's JSON form written as FHIR's XML, for the tests: MedCom publishes each of its messages in both."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ATTRIBUTES = ("url",)


def xml_of(message: dict[str, Any]) -> bytes:
    """Returns a Bundle in XML (HL7 FHIR R4, "XML representation")."""
    return (_HEAD + _resource(message, ' xmlns="http://hl7.org/fhir"')).encode()


def _resource(value: dict[str, Any], namespace: str = "") -> str:
    name = value["resourceType"]
    inner = "".join(_element(key, one) for key, one in value.items() if key != "resourceType")
    return f"<{name}{namespace}>{inner}</{name}>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if name == "div":
        return str(value)
    if name in {"resource", "contained"}:
        return f"<{name}>{_resource(value)}</{name}>"
    if isinstance(value, dict):
        attributes = "".join(f" {key}={_quoted(value[key])}" for key in _ATTRIBUTES if key in value)
        inner = "".join(_element(key, one) for key, one in value.items() if key not in _ATTRIBUTES)
        return f"<{name.removeprefix('_')}{attributes}>{inner}</{name.removeprefix('_')}>"
    return f"<{name} value={_quoted(value)}/>"


def _quoted(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quoteattr(text, {"\n": "&#xA;", "\r": "&#xD;", "\t": "&#x9;"})
