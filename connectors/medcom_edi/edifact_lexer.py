"""From bytes to EDIFACT segments (ISO 9735, syntax version 3) within limits.

MedCom's interchanges are UNOC, which is ISO-8859-1. Separators are UNA's, or level A's where there is no UNA. A body is
parted into segments first, and each is read when it is asked for, so that one that is broken costs its own letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.medcom_edi.refusing import BODY_BYTES_MAX, letter_refusal
from connectors.strict_xml import BLANKS, PADDING, without_preamble

if TYPE_CHECKING:
    from schemas.refusals import RefusedError

SEGMENTS_MAX = 20_000
VALUES_MAX = 100_000
SEGMENT_CHARACTERS_MAX = 16_384
ELEMENTS_MAX = 99
COMPONENTS_MAX = 99
COMPONENT_CHARACTERS_MAX = 1_024
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
# A line that was broken in a text, and a tab, count as blanks.
_BLANK = re.compile(r"[\t\r\n]{1,9}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE_ENDS = "\r\n"
_BLANKS, _PADDING = BLANKS.decode(), PADDING.decode()
#: Signs that windows-1252 has where ISO-8859-1 has control characters, which no letter holds.
_SIGNS = {byte: bytes([byte]).decode("cp1252", "ignore") or None for byte in range(0x80, 0xA0)}
_WINDOWS_SIGNS = {byte: sign for byte, sign in _SIGNS.items() if sign is not None}


@dataclass(frozen=True, slots=True)
class EdifactSegment:
    """One segment: its tag and its elements, each of its components, with release characters taken out."""

    tag: str
    elements: tuple[tuple[str, ...], ...] = field(repr=False)

    def component(self, element: int, component: int = 1) -> str | None:
        """Returns a component, counted from 1 as in MedCom's lists; None where it is absent or empty."""
        if element > len(self.elements) or component > len(self.elements[element - 1]):
            return None
        return self.elements[element - 1][component - 1].strip() or None


@dataclass(frozen=True, slots=True)
class _Separators:
    """What parts an interchange; an empty ``release`` means that there is none, which UNA says by a blank."""

    component: str = ":"
    element: str = "+"
    release: str = "?"
    terminator: str = "'"


@dataclass(frozen=True, slots=True)
class RawSegment:
    """A segment as it stands between terminators: its number, counted from 1, and its text."""

    number: int
    text: str = field(repr=False)
    separators: _Separators

    @property
    def tag(self) -> str:
        """Returns its first three characters, which in a segment are its tag."""
        return self.text[:3]

    def read(self) -> EdifactSegment:
        """Returns the segment; raises RefusedError, its field the segment's number."""
        return _segment(self.text, self.separators, self.number)


@dataclass(frozen=True, slots=True)
class Parted:
    """An interchange's segments, UNA left out; the first alone where something is wrong with the whole."""

    segments: tuple[RawSegment, ...]
    fault: RefusedError | None = None


def parted(body: bytes) -> Parted:
    """Returns the segments of an interchange; raises RefusedError where not even the first can be told."""
    if len(body) > BODY_BYTES_MAX:
        raise letter_refusal("body_too_large", "interchange", f"an interchange has at most {BODY_BYTES_MAX} bytes")
    separators, text = _separated(without_preamble(body).decode("iso-8859-1").translate(_WINDOWS_SIGNS))
    fault = _fault(body, text, separators)
    if fault is not None:
        text = text[: SEGMENT_CHARACTERS_MAX + 1]
    pieces = _split(text, separators.terminator, separators.release)
    if pieces.pop().strip(_PADDING) and fault is None:
        rule = "every segment has its terminator"
        fault = letter_refusal("segment_unterminated", f"segment[{len(pieces) + 1}]", rule)
    if separators.terminator in _LINE_ENDS:
        pieces = [piece for piece in pieces if piece.strip(_BLANKS)]
    segments = tuple(
        RawSegment(number, piece.lstrip(_BLANKS), separators) for number, piece in enumerate(pieces, start=1)
    )
    return Parted(segments[:1], fault) if fault is not None else Parted(segments)


def read_edifact_segments(body: bytes) -> list[EdifactSegment]:
    """Returns an interchange's segments; raises RefusedError where the whole or one of them can't be read."""
    interchange = parted(body)
    if interchange.fault is not None:
        raise interchange.fault
    return [segment.read() for segment in interchange.segments]


def _fault(body: bytes, text: str, separators: _Separators) -> RefusedError | None:
    """Returns what is wrong with an interchange as a whole, told before it is parted."""
    if not without_preamble(body).isascii() and _is_utf8(
        body
    ):  # no text in ISO-8859-1 with Danish letters is valid UTF-8 by chance
        return letter_refusal(
            "wrong_encoding", "interchange", "an interchange is encoded in ISO-8859-1, as its UNOC says"
        )
    if text.count(separators.terminator) > SEGMENTS_MAX:
        return letter_refusal("too_many_segments", "interchange", f"an interchange has at most {SEGMENTS_MAX} segments")
    if text.count(separators.element) + text.count(separators.component) > VALUES_MAX:
        return letter_refusal("too_many_elements", "interchange", f"an interchange has at most {VALUES_MAX} elements")
    return None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _separated(text: str) -> tuple[_Separators, str]:
    if not text.startswith("UNA"):
        return _Separators(), text
    advice = text[3:9]
    wanted = "UNA has six characters, and its separators are different ones, none a letter or digit"
    if len(advice) < len(":+.? '"):
        raise letter_refusal("invalid_una", "UNA", wanted)
    told = _Separators(advice[0], advice[1], advice[3].strip(" "), advice[5])
    signs = [sign for sign in (told.component, told.element, told.release, told.terminator) if sign]
    if len(set(signs)) < len(signs) or any(_is_unfit(sign) for sign in signs):
        raise letter_refusal("invalid_una", "UNA", wanted)
    return told, text[9:]


def _is_unfit(separator: str) -> bool:
    return separator.isalnum() or (separator.isspace() and separator not in _LINE_ENDS)


def _segment(piece: str, separators: _Separators, number: int) -> EdifactSegment:
    field_name = f"segment[{number}]"
    if len(piece) > SEGMENT_CHARACTERS_MAX:
        raise letter_refusal(
            "segment_too_long", field_name, f"a segment has at most {SEGMENT_CHARACTERS_MAX} characters"
        )
    piece = _BLANK.sub(" ", piece)
    if _CONTROL.search(piece):
        raise letter_refusal(
            "control_character", field_name, "a segment holds printable characters of ISO-8859-1 alone"
        )
    elements = _split(piece, separators.element, separators.release)
    tag = elements.pop(0).rstrip(_BLANKS)
    if not _TAG.fullmatch(tag):
        raise letter_refusal("invalid_segment", field_name, "a segment begins with its tag of three capitals or digits")
    if len(elements) > ELEMENTS_MAX:
        raise letter_refusal("too_many_elements", field_name, f"a segment has at most {ELEMENTS_MAX} elements")
    return EdifactSegment(tag, tuple(_components(element, separators, f"{field_name}.{tag}") for element in elements))


def _components(element: str, separators: _Separators, field_name: str) -> tuple[str, ...]:
    components = _split(element, separators.component, separators.release)
    if len(components) > COMPONENTS_MAX:
        raise letter_refusal("too_many_components", field_name, f"an element has at most {COMPONENTS_MAX} components")
    return tuple(_unreleased(component, separators.release, field_name) for component in components)


def _unreleased(component: str, release: str, field_name: str) -> str:
    if len(component) > COMPONENT_CHARACTERS_MAX:
        rule = f"a component has at most {COMPONENT_CHARACTERS_MAX} characters"
        raise letter_refusal("component_too_long", field_name, rule)
    if not release or release not in component:
        return component
    text = re.sub(re.escape(release) + r"(.?)", _released, component, flags=re.DOTALL)
    if "\x00" in text:
        raise letter_refusal(
            "release_without_character", field_name, "a release character is followed by what it releases"
        )
    return text


def _released(match: re.Match[str]) -> str:
    return match[1] or "\x00"


def _split(text: str, separator: str, release: str) -> list[str]:
    """Returns the parts between separators that no release character stands before; takes linear time."""
    if not release or release not in text:
        return text.split(separator)
    parts, start = [], 0
    for match in re.finditer(f"{re.escape(release)}.|{re.escape(separator)}", text, re.DOTALL):
        if match[0] == separator:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]
