"""Lists with any part dropped, swapped, repeated, cut off or re-encoded: right rows, or refused; never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.municipal.failed import failed_rows
from connectors.municipal.fields import FIELDS
from connectors.municipal.guess import guessed
from connectors.municipal.reading import FILE_BYTES_MAX
from connectors.municipal.rows import ListRow, ReadList, read_list
from schemas.refusals import Refusal
from tests.unit.municipal.builders import ROWS_MAX, a_mapping, with_part
from tests.unit.municipal.mutating import SHEET, WORKBOOK, mutations

if TYPE_CHECKING:
    from connectors.municipal.mapping import Mapping

pytestmark = pytest.mark.long


def check_row(row: ListRow, mapping: Mapping) -> None:
    assert (row.form is None) is bool(row.problems)
    for problem in row.problems:
        assert problem.column is None or problem.column in mapping.columns
        assert problem.refusal.code
        assert problem.refusal.rule
        assert problem.refusal.help
    if row.form is not None:
        own = {*row.form} - {"person", "occurred_on"} | {f"person.{name}" for name in row.form["person"]}
        assert own <= FIELDS[mapping.event].keys()


@settings(max_examples=settings().max_examples * 10)
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


@pytest.mark.long
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
