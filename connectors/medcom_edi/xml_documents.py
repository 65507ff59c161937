"""From bytes to an XML tree within limits: no document type, no entity, nothing from elsewhere.

The bytes are decoded here and not by the parser, so that what looks for a document type sees what is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi.fields import Said
from connectors.medcom_edi.refusing import BODY_BYTES_MAX, refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from schemas.refusals import RefusedError

ELEMENTS_MAX = 20_000
_TAGS_MAX = 3 * ELEMENTS_MAX
NESTING_MAX = 30
TEXT_CHARACTERS_MAX = 1_024
_DECLARATION = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODINGS = {
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "us-ascii": "ascii",
    "utf-8": "utf-8",
}
_PROLOGUE = re.compile(r"\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Element:
    """An element and its path; names are local ones, since MedCom changes the namespace with every year's schemas."""

    node: etree._Element = field(repr=False)
    path: str

    @property
    def name(self) -> str:
        """Returns the local name."""
        return etree.QName(self.node).localname

    def named_children(self, names: Collection[str]) -> list[Element]:
        """Returns all children; the path of each is its name where that is one of these, for a name can be anything."""
        return [
            Element(node, name if (name := etree.QName(node).localname) in names else "letter") for node in self.node
        ]

    def children(self, name: str) -> list[Element]:
        """Returns the children of a name."""
        path = f"{self.path}.{name}"
        return [Element(node, path) for node in self.node if etree.QName(node).localname == name]

    def optional(self, name: str) -> Element | None:
        """Returns a child, or None where it is absent; raises RefusedError where it is repeated."""
        found = self.children(name)
        if len(found) > 1:
            raise refused("element_repeated", f"{self.path}.{name}", "the element stands once")
        return found[0] if found else None

    def child(self, name: str) -> Element:
        """Returns a required child."""
        found = self.optional(name)
        if found is None:
            raise refused("element_missing", f"{self.path}.{name}", "the element is required")
        return found

    def said(self, *names: str) -> Said:
        """Returns the text of a descendant, by the names that lead to it; None where one of them is absent."""
        element: Element | None = self
        for name in names:
            element = None if element is None else element.optional(name)
        path = ".".join((self.path, *names))
        return Said(None if element is None else element.text(), path)

    def text(self) -> str | None:
        """Returns the text without blanks around it, None where there is none; refused where it holds elements."""
        if len(self.node):
            raise refused("wrong_form", self.path, "the element holds text alone")
        text = (self.node.text or "").strip()
        if len(text) > TEXT_CHARACTERS_MAX:
            raise refused("element_too_long", self.path, f"the element has at most {TEXT_CHARACTERS_MAX} characters")
        return text or None


def read_document(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> Element:
    """Returns a document's outermost element.

    Raises RefusedError where the bytes are too many, of another encoding than they say, not XML, with a document
    type, or nested too deeply.
    """
    if len(body) > bytes_max:
        raise refused("body_too_large", "document", f"a document has at most {bytes_max} bytes")
    text = _PROLOGUE.sub("", _decoded(body), count=1)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise refused("document_type", "document", "a document has neither document type nor entities")
    if text.count("<") > _TAGS_MAX:  # before a tree is made of them
        raise _too_many_elements()
    try:
        node = etree.fromstring(text.encode(), _parser(is_large=bytes_max > BODY_BYTES_MAX))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise refused("not_xml", "document", "a document is well-formed XML 1.0") from error
    _check_size(node)
    return Element(node, "document")


def _parser(*, is_large: bool) -> etree.XMLParser:
    # What is lifted for a large text is a guard against entities too, and there are none without a document type.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=is_large,
        remove_comments=True,
        remove_pis=True,
    )


def _decoded(body: bytes) -> str:
    """Returns the text, by its declaration; without one it is UTF-8, or windows-1252 where it can't be (seen so)."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARATION.match(body.lstrip()[:256])
    encoding = _ENCODINGS.get(declared[1].decode("ascii").lower()) if declared else "utf-8"
    if encoding is None or b"\x00" in body:
        raise refused("wrong_encoding", "document", "the encoding is windows-1252, ISO-8859-1 or UTF-8")
    for attempt in (encoding,) if declared else ("utf-8", "cp1252"):
        try:
            return body.decode(attempt)
        except UnicodeDecodeError:
            continue
    raise refused("wrong_encoding", "document", "a document is encoded as its declaration says")


def _check_size(root: etree._Element) -> None:
    waiting, elements = [(root, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        elements += 1
        if depth > NESTING_MAX:
            raise refused("nesting_too_deep", "document", f"elements are nested at most {NESTING_MAX} levels deep")
        if elements > ELEMENTS_MAX:
            raise _too_many_elements()
        waiting.extend((child, depth + 1) for child in node)


def _too_many_elements() -> RefusedError:
    return refused("too_many_elements", "document", f"a document has at most {ELEMENTS_MAX} elements")
