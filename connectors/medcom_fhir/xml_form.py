"""FHIR's XML form of a message, read into the JSON form that everything here reads.

MedCom, "Governance for Network Layer": a receiver SHALL take messages both as ``application/fhir+xml`` and as
``application/fhir+json``. A document type is refused, so that no entity is ever declared, expanded or fetched; what
is in another namespace than FHIR's (narratives are XHTML) is left out. Nothing is validated here: an element that
FHIR repeats is a list, one that is repeated without that becomes one, and whoever reads it as something else refuses
it.

Source: HL7 FHIR R4, "XML representation", and the cardinalities of the resources that MedCom's messages hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from connectors.medcom_fhir.nodes import ADVICE, fhir_refusal
from connectors.strict_xml import XmlLimits, declared_encoding, read_tree, trimmed

if TYPE_CHECKING:
    from collections.abc import Mapping

ELEMENTS_MAX = 50_000
# Narratives are nested too, and nobody reads them.
_LIMITS = XmlLimits(ELEMENTS_MAX, 200, "Bundle", ADVICE)
_FHIR = "http://hl7.org/fhir"
_EVERYWHERE = frozenset({"coding", "contained", "extension", "modifierExtension"})
_PARTY = frozenset({"address", "contact", "identifier", "name", "telecom"})
#: What FHIR repeats, by the resource or element that holds it.
_LISTS: Mapping[str, frozenset[str]] = {
    "Bundle": frozenset({"entry", "link"}),
    "meta": frozenset({"profile", "security", "tag"}),
    "MessageHeader": frozenset({"destination", "focus"}),
    "Patient": _PARTY | {"communication", "generalPractitioner", "link"},
    "Practitioner": _PARTY | {"communication", "qualification"},
    "PractitionerRole": frozenset({"code", "identifier", "location", "specialty", "telecom"}),
    "Organization": frozenset({"address", "alias", "contact", "identifier", "telecom", "type"}),
    "CareTeam": frozenset({"category", "identifier", "managingOrganization", "participant", "telecom"}),
    "Encounter": frozenset({"basedOn", "episodeOfCare", "identifier", "participant", "type"}),
    "Communication": frozenset({"about", "category", "identifier", "inResponseTo", "medium", "payload", "recipient"}),
    "Provenance": frozenset({"agent", "entity", "policy", "reason", "signature", "target"}),
    "agent": frozenset({"role"}),
    "entity": frozenset({"agent"}),
    "OperationOutcome": frozenset({"issue"}),
    "issue": frozenset({"expression", "location"}),
    "name": frozenset({"given", "prefix", "suffix"}),
    "address": frozenset({"line"}),
}
_BOOLEANS = {"true": True, "false": False}
_BOOLEAN_ELEMENTS = frozenset({"active", "deceasedBoolean", "multipleBirthBoolean", "preferred", "valueBoolean"})


def is_xml(message: bytes) -> bool:
    """Returns whether a message begins as XML does: no JSON does."""
    return trimmed(message)[:1] == b"<"


def read_xml(message: bytes, nesting_max: int) -> dict[str, Any]:
    """Returns the JSON form of a message; raises RefusedError where it is no FHIR in XML, or nested too deeply."""
    document = trimmed(message)
    try:
        document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong_encoding() from error
    if declared_encoding(document) not in {None, "utf-8", "utf8"}:
        raise _wrong_encoding()
    root = read_tree(document, _LIMITS)
    if etree.QName(root).namespace != _FHIR:
        raise fhir_refusal("not_a_bundle", "Bundle", f"a message is in the namespace {_FHIR}")
    return _form(root, nesting_max)


def _wrong_encoding() -> Exception:
    return fhir_refusal("wrong_encoding", "Bundle", "a message is encoded in UTF-8")


def _form(element: etree._Element, levels: int) -> dict[str, Any]:
    """Returns the JSON form of an element that is at most so many levels deep."""
    if not levels:
        raise fhir_refusal("nesting_too_deep", "Bundle", "a message is nested less deeply")
    name = etree.QName(element).localname
    held: dict[str, Any] = {key: text for key in ("id", "url") if (text := element.get(key)) is not None}
    if _is_resource(name):
        held["resourceType"] = name
    for child in element:
        of = etree.QName(child)
        if of.namespace != _FHIR:
            continue
        form = _form(child, levels - 1)
        if _is_resource(of.localname):
            held.update(form)  # <resource> and <contained> hold one resource and nothing else: in JSON they are it
        else:
            _put(name, held, of.localname, _value(of.localname, form, child.get("value")))
    return held


def _is_resource(name: str) -> bool:
    """Returns whether an element is a resource: FHIR writes those with a capital letter, and no other element."""
    return name[:1].isupper()


def _value(name: str, held: dict[str, Any], value: str | None) -> Any:
    if value is None:
        return held
    return _BOOLEANS.get(value, value) if name in _BOOLEAN_ELEMENTS else value


def _put(holder_name: str, holder: dict[str, Any], name: str, value: Any) -> None:
    repeats = name in _EVERYWHERE or name in _LISTS.get(holder_name, ())
    if name not in holder:
        holder[name] = [value] if repeats else value
    elif isinstance(holder[name], list):
        holder[name].append(value)
    else:
        holder[name] = [holder[name], value]
