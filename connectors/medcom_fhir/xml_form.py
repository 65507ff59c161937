"""FHIR's XML form of a message, read into the JSON form that everything here reads.

MedCom, "Governance for Network Layer": a receiver SHALL take messages both as ``application/fhir+xml`` and as
``application/fhir+json``. A document type is refused, so that no entity is ever declared, expanded or fetched; what
is in another namespace than FHIR's (narratives are XHTML) is left out. Nothing is validated here: an element that
FHIR repeats is a list, one that is repeated without that becomes one, and whoever reads it as something else refuses
it.

Source: HL7 FHIR R4, "XML representation", and the cardinalities of the resources that MedCom's messages hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn
from xml.parsers import expat

from connectors.medcom_fhir.nodes import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

ELEMENTS_MAX = 50_000
_FHIR = "http://hl7.org/fhir"
_SEPARATOR = " "
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
    return message.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read_xml(message: bytes, nesting_max: int) -> dict[str, Any]:
    """Returns the JSON form of a message; raises RefusedError where it is no FHIR in XML, or nested too deeply."""
    try:
        text = message.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("wrong_encoding", "Bundle", "a message is encoded in UTF-8") from error
    reader = _Reader(nesting_max)
    try:
        reader.parser.Parse(text.strip().encode(), True)  # noqa: FBT003 expat's own
    except expat.ExpatError as error:
        raise refused("not_xml", "Bundle", "a message is well-formed XML 1.0") from error
    return reader.root


class _Reader:
    """Builds the JSON form while expat parses; its handlers raise RefusedError, which ends the parsing."""

    def __init__(self, nesting_max: int) -> None:
        self.root: dict[str, Any] = {}
        self._nesting_max = nesting_max
        self._elements = 0
        self._foreign = 0
        self._open: list[tuple[str, dict[str, Any], str | None]] = []
        self.parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse_document_type
        self.parser.XmlDeclHandler = self._check_declaration

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(_SEPARATOR)
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            raise refused("too_many_elements", "Bundle", f"a message has at most {ELEMENTS_MAX} elements")
        if self._foreign or (self._open and namespace != _FHIR):
            self._foreign += 1
            return
        if namespace != _FHIR:
            raise refused("not_a_bundle", "Bundle", f"a message is in the namespace {_FHIR}")
        if len(self._open) >= self._nesting_max:
            raise refused("nesting_too_deep", "Bundle", f"a message is nested at most {self._nesting_max} levels deep")
        held = {key: text for key, text in attributes.items() if key in {"id", "url"}}
        if _is_resource(local):
            held["resourceType"] = local
        self._open.append((local, held, attributes.get("value")))

    def _end(self, _name: str) -> None:
        if self._foreign:
            self._foreign -= 1
            return
        name, held, value = self._open.pop()
        if not self._open:
            self.root = held
            return
        holder_name, holder, _ = self._open[-1]
        if _is_resource(name):
            holder.update(held)  # <resource> and <contained> hold one resource and nothing else: in JSON they are it
        else:
            _put(holder_name, holder, name, _value(name, held, value))

    def _refuse_document_type(self, *_declared: object) -> NoReturn:
        raise refused("document_type", "Bundle", "a message has neither document type nor entities")

    def _check_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in {"utf-8", "utf8"}:
            raise refused("wrong_encoding", "Bundle", "a message is encoded in UTF-8")


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
