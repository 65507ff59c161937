"""Lists with any part dropped, repeated, turned, replaced, cut off or encoded anew."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile

from hypothesis import strategies as st

from connectors.municipal.mapping import load_mapping
from tests.unit.municipal.builders import LISTS, ODD, ROW, a_csv, a_mapping, a_workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.municipal.mapping import Mapping

ODD_LIST = (LISTS / f"{ODD}.csv").read_bytes()
ODD_MAPPING = load_mapping(LISTS / f"{ODD}.toml")
OBJECTS = b'[{"CPR": "0105109996", "Sag": 1, "Status": "active", "Dato": "2026-11-01"}, {"CPR": null}]'
LINES = b'{"CPR": "0105109996", "Sag": 1, "Status": "active", "Dato": "2026-11-01"}\n{"CPR": "x"}\n'
WORKBOOK = a_workbook(ROW, (2509479989, 17, "active", "=1"))
LISTS_AND_MAPPINGS: list[tuple[bytes, Mapping]] = [
    (ODD_LIST, ODD_MAPPING),
    (a_csv(ROW, ROW), a_mapping()),
    (WORKBOOK, a_mapping()),
    (OBJECTS, a_mapping()),
    (LINES, a_mapping()),
]
SHEET = [(ZipFile(BytesIO(WORKBOOK)).read("xl/worksheets/sheet1.xml"), a_mapping())]
ODD_BYTES = st.one_of(
    st.binary(min_size=0, max_size=6),
    st.sampled_from(
        [b'"', b";", b"\n", b"\x00", b"=", b"1E5", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"{", b"[", b"NaN"]
    ),
)


def dropped(content: bytes, start: int, end: int, _odd: bytes) -> bytes:
    return content[:start] + content[end:]


def repeated(content: bytes, start: int, end: int, _odd: bytes) -> bytes:
    return content[:end] + content[start:end] + content[end:]


def turned(content: bytes, start: int, end: int, _odd: bytes) -> bytes:
    return content[:start] + content[start:end][::-1] + content[end:]


def replaced(content: bytes, start: int, end: int, odd: bytes) -> bytes:
    return content[:start] + odd + content[end:]


def cut_off(content: bytes, _start: int, end: int, _odd: bytes) -> bytes:
    return content[:end]


def encoded_anew(content: bytes, start: int, _end: int, _odd: bytes) -> bytes:
    return content.decode("cp1252", "replace").encode(("utf-8", "utf-16", "cp850")[start % 3], "replace")


CHANGES = (dropped, repeated, turned, replaced, cut_off, encoded_anew)


@st.composite
def mutations(
    draw: st.DrawFn, of: Sequence[tuple[bytes, Mapping]] = tuple(LISTS_AND_MAPPINGS)
) -> tuple[bytes, Mapping]:
    """Draws a list with up to four parts changed in one of these ways, and its mapping."""
    content, mapping = draw(st.sampled_from(of))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 40)))
        content = draw(st.sampled_from(CHANGES))(content, start, end, draw(ODD_BYTES))
    return content, mapping
