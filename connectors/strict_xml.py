"""Reads XML from strangers: no document type, no entity, nothing from elsewhere, and limits before a tree is made.

Nothing is decoded here but UTF-8: who knows the kind of document says in what its bytes are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from schemas.refusals import Refusal, RefusedError

BLANKS = b" \t\r\n"
#: What old systems fill a file up with, behind its end.
PADDING = BLANKS + b"\x00\x1a"
_MARK = b"\xef\xbb\xbf"
_DECLARATION = re.compile(
    rb"<\?xml[ \t\r\n][^>]{0,200}?encoding[ \t\r\n]{0,9}=[ \t\r\n]{0,9}[\"']([A-Za-z0-9._-]{1,40})"
)
# An end tag, and a comment or text that looks like a tag.
_TAGS_AN_ELEMENT = 3
_ATTRIBUTES_AN_ELEMENT = 4


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How large a document may be, and how a refusal names it and says what to do."""

    elements_max: int
    nesting_max: int
    field: str
    help: str

    def refused(self, code: str, rule: str) -> RefusedError:
        """Returns the refusal of a document."""
        return RefusedError(Refusal(code, self.field, rule, self.help))


def trimmed(body: bytes) -> bytes:
    """Returns a body without byte order mark, blanks around it, and what fills it up."""
    return without_preamble(body).rstrip(PADDING)


def without_preamble(body: bytes) -> bytes:
    """Returns a body from its first sign on: without byte order mark and blanks before it."""
    return body.removeprefix(_MARK).lstrip(BLANKS)


def has_mark(body: bytes) -> bool:
    """Returns whether a byte order mark says that a body is UTF-8."""
    return body.startswith(_MARK)


def declared_encoding(document: bytes) -> str | None:
    """Returns the encoding that a trimmed document declares, in lower case; None where it declares none."""
    declared = _DECLARATION.match(document[:300])
    return declared[1].decode("ascii").lower() if declared else None


def root_name(document: bytes) -> str | None:
    """Returns the name of a trimmed document's outermost element, ``{namespace}name``, before the rest is read.

    None where it can't be told: what reads the document says why.
    """
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        return None
    # Whatever the encoding, what XML itself says up to there is ASCII.
    starts = etree.iterparse(
        BytesIO(document), events=("start",), encoding="iso-8859-1", resolve_entities=False, no_network=True
    )
    try:
        return next((str(element.tag) for _, element in starts), None)
    except (etree.XMLSyntaxError, ValueError):
        return None


def read_tree(document: bytes, limits: XmlLimits) -> etree._Element:
    """Returns the outermost element of a trimmed document in UTF-8, whatever encoding it declares.

    Comments and processing instructions are left out. Raises RefusedError.
    """
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise limits.refused("document_type", "a document has neither document type nor entities")
    tags, attributes = document.count(b"<"), document.count(b"=")
    if tags > _TAGS_AN_ELEMENT * limits.elements_max or attributes > _ATTRIBUTES_AN_ELEMENT * limits.elements_max:
        raise _too_many_elements(limits)
    try:
        root = etree.fromstring(document, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise limits.refused("not_xml", "a document is well-formed XML 1.0") from error
    _check_size(root, limits)
    return root


def _parser() -> etree.XMLParser:
    # What huge_tree lifts is a guard against entities too, and there are none without a document type.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


def _check_size(root: etree._Element, limits: XmlLimits) -> None:
    waiting, elements = [(root, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        elements += 1
        if depth > limits.nesting_max:
            rule = f"elements are nested at most {limits.nesting_max} levels deep"
            raise limits.refused("nesting_too_deep", rule)
        if elements > limits.elements_max:
            raise _too_many_elements(limits)
        waiting.extend((child, depth + 1) for child in node)


def _too_many_elements(limits: XmlLimits) -> RefusedError:
    return limits.refused("too_many_elements", f"a document has at most {limits.elements_max} elements")
