"""Lists with any part dropped, swapped, repeated, cut off or re-encoded: right rows, or refused; never a traceback."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.municipal.failed import failed_rows
from connectors.municipal.fields import FIELDS
from connectors.municipal.guess import guessed
from connectors.municipal.mapping import load_mapping
from connectors.municipal.reading import FILE_BYTES_MAX
from connectors.municipal.rows import ReadList, Row, read_list
from schemas.refusals import Refusal
from tests.unit.municipal.builders import LISTS, ODD, ROW, ROWS_MAX, a_csv, a_mapping, a_workbook, with_part

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


def check_row(row: Row, mapping: Mapping) -> None:
    assert (row.form is None) is bool(row.problems)
    for problem in row.problems:
        assert problem.column is None or problem.column in mapping.columns
        assert problem.refusal.code
        assert problem.refusal.rule
        assert problem.refusal.help
    if row.form is not None:
        own = {*row.form} - {"person"} | {f"person.{name}" for name in row.form["person"]}
        assert own <= FIELDS[mapping.event].keys()


@given(mutations())
def test_a_mutated_list_gives_right_rows_or_is_refused_with_row_column_and_rule(mutated: tuple[bytes, Mapping]) -> None:
    content, mapping = mutated
    found = read_list(content, mapping, ROWS_MAX)

    if isinstance(found, Refusal):
        assert all(found.as_dict().values())
        return
    for row in found.rows:
        check_row(row, mapping)


@given(mutations())
def test_whatever_failed_comes_back_and_is_read_again_as_a_part(mutated: tuple[bytes, Mapping]) -> None:
    content, mapping = mutated
    found = read_list(content, mapping, ROWS_MAX)
    if isinstance(found, Refusal) or not found.rows:
        return
    reasons = {row.number: "why" for row in found.rows}

    again = read_list(failed_rows(found, reasons)[1], mapping, ROWS_MAX)

    assert isinstance(again, Refusal) or again.is_part
    if isinstance(again, ReadList):
        assert len(again.rows) <= len(found.rows)


@given(mutations())
def test_a_proposal_for_a_mutated_list_is_a_text_or_a_refusal(mutated: tuple[bytes, Mapping]) -> None:
    found = guessed(mutated[0], {"programme": "stime"})

    assert isinstance(found, Refusal) or found.startswith("# Proposed")


@given(mutations(SHEET), st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"]))
def test_a_workbook_whose_parts_are_mutated_gives_rows_or_is_refused(mutated: tuple[bytes, Mapping], name: str) -> None:
    found = read_list(with_part(WORKBOOK, name, mutated[0]), a_mapping(), ROWS_MAX)

    if isinstance(found, ReadList):
        for row in found.rows:
            check_row(row, a_mapping())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused(content: bytes) -> None:
    assert read_list(content, a_mapping(), ROWS_MAX) is not None


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"[", b"{", b"\xff\xfe", b"CPR;Sag;Status;Dato\n"])
def test_a_hundred_megabytes_of_anything_are_refused_unread(start: bytes) -> None:
    found = read_list(start + b"x;" * (50 * 1024 * 1024), a_mapping(), ROWS_MAX)

    assert isinstance(found, Refusal)
    assert found.code == "file_too_large"


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"[", b"{", b"\xff\xfe", b"CPR;Sag;Status;Dato\n"])
@pytest.mark.parametrize("filling", [b"x;", b"[", b'"', b"1\n", b'{"a":', b"\x00"])
def test_as_many_bytes_as_a_list_may_have_are_refused_within_limits(start: bytes, filling: bytes) -> None:
    found = read_list((start + filling * FILE_BYTES_MAX)[:FILE_BYTES_MAX], a_mapping(), ROWS_MAX)

    assert isinstance(found, Refusal)
