"""From bytes to an OIOXML document, or an envelope, in the encoding that it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi.fields import FieldValue
from connectors.medcom_edi.refusing import ADVICE, BODY_BYTES_MAX, letter_refusal
from connectors.strict_xml import XmlLimits, declared_encoding, has_mark, read_tree, trimmed

if TYPE_CHECKING:
    from collections.abc import Collection

ELEMENTS_MAX = 20_000
NESTING_MAX = 30
TEXT_CHARACTERS_MAX = 1_024
_LIMITS = XmlLimits(ELEMENTS_MAX, NESTING_MAX, "document", ADVICE)
_UTF_8, _WINDOWS, _LATIN, _ASCII = "utf-8", "cp1252", "iso-8859-1", "ascii"
_ENCODINGS = {
    "windows-1252": _WINDOWS,
    "cp1252": _WINDOWS,
    "iso-8859-1": _LATIN,
    "latin1": _LATIN,
    "us-ascii": _ASCII,
    "utf-8": _UTF_8,
    "utf8": _UTF_8,
}


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
            raise letter_refusal("element_repeated", f"{self.path}.{name}", "the element stands once")
        return found[0] if found else None

    def child(self, name: str) -> Element:
        """Returns a required child."""
        found = self.optional(name)
        if found is None:
            raise letter_refusal("element_missing", f"{self.path}.{name}", "the element is required")
        return found

    def said(self, *names: str) -> FieldValue:
        """Returns the text of a descendant, by the names that lead to it; None where one of them is absent."""
        element: Element | None = self
        for name in names:
            element = None if element is None else element.optional(name)
        path = ".".join((self.path, *names))
        return FieldValue(None if element is None else element.text(), path)

    def text(self) -> str | None:
        """Returns the text without blanks around it, None where there is none; refused where it holds elements."""
        if len(self.node):
            raise letter_refusal("wrong_form", self.path, "the element holds text alone")
        text = (self.node.text or "").strip()
        if len(text) > TEXT_CHARACTERS_MAX:
            raise letter_refusal(
                "element_too_long", self.path, f"the element has at most {TEXT_CHARACTERS_MAX} characters"
            )
        return text or None


def read_document(body: bytes, bytes_max: int = BODY_BYTES_MAX, charset: str | None = None) -> Element:
    """Returns a document's outermost element; ``charset`` is what its transport says that it is written in.

    Raises RefusedError where the bytes are too many, of another encoding than they say, not XML, with a document
    type, or nested too deeply.
    """
    if len(body) > bytes_max:
        raise letter_refusal("body_too_large", "document", f"a document has at most {bytes_max} bytes")
    return Element(read_tree(_in_utf8(body, charset), _LIMITS), "document")


def _in_utf8(body: bytes, charset: str | None) -> bytes:
    """Returns a trimmed document in UTF-8.

    What is valid UTF-8 is UTF-8, whatever is said: no text in another encoding with Danish letters is that by chance.
    Of other bytes the declaration and the transport are believed, whichever names an encoding of one byte a letter
    (RFC 7303 puts the transport first, but clients name a charset that nobody set). Raises RefusedError where they
    contradict the bytes.
    """
    document, declared = trimmed(body), _named(declared_encoding(trimmed(body)))
    if b"\x00" in document:
        raise letter_refusal("wrong_encoding", "document", "the encoding is windows-1252, ISO-8859-1 or UTF-8")
    if _is(document, _UTF_8):
        return document
    told = {_UTF_8} if has_mark(body) else {declared, _ENCODINGS.get((charset or "").lower())} - {None}
    for encoding in _one_byte(told) if told else [_WINDOWS]:
        if _is(document, encoding):
            return document.decode(encoding).encode()
    raise letter_refusal("wrong_encoding", "document", "a document is encoded as its declaration and its transport say")


def _named(encoding: str | None) -> str | None:
    """Returns Python's name of a declared encoding, None where none is declared; raises RefusedError for another."""
    if encoding is not None and encoding not in _ENCODINGS:
        raise letter_refusal("wrong_encoding", "document", "the encoding is windows-1252, ISO-8859-1 or UTF-8")
    return _ENCODINGS.get(encoding or "")


def _one_byte(told: Collection[str | None]) -> list[str]:
    """Returns the encodings to try: who names either means the one that has signs where the other has controls."""
    return [_WINDOWS, *([_LATIN] if _LATIN in told else [])] if {_WINDOWS, _LATIN} & set(told) else []


def _is(document: bytes, encoding: str) -> bool:
    try:
        document.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
