"""Which row of a sheet has the columns' names, and which column is which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.municipal.cells import as_word
from connectors.municipal.mapping import LINE_COLUMN, REASON_COLUMN
from connectors.municipal.sheets import HEADER_ROWS_MAX, text_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.municipal.mapping import Mapping
    from connectors.municipal.sheets import RawRow, Sheet

_HELP = "compare the list's first lines with the mapping's columns and [layout] header"


@dataclass(frozen=True, slots=True)
class Header:
    """Where the names stand. ``columns``: mapped column -> its place from 0; ``width`` is that of the names.

    ``lines`` is how many rows stand up to the names and with them; ``reason`` the place of the reasons why rows
    failed, in a file of those.
    """

    lines: int
    width: int
    columns: dict[str, int]
    reason: int | None


def header_of(sheet: Sheet, mapping: Mapping) -> Header:
    """Returns the header; raises RefusedError where a mapped column is missing or stands twice, or one is unknown."""
    if sheet.names is not None:
        return _header(sheet.names, 0, mapping)
    if mapping.layout.header:
        chosen = [row for row in sheet.rows if row.number in mapping.layout.header]
        return _header(joined(chosen), max(mapping.layout.header), mapping)
    searched = sheet.rows[:HEADER_ROWS_MAX]
    wanted = {as_word(column) for column in mapping.columns}
    # Where no row has all of the names, the one that has most of them says best which is missing.
    best = max(searched, key=lambda row: len(wanted & set(map(as_word, names_in(row)))), default=None)
    if best is None:
        raise RefusedError(Refusal("empty_file", "file", "a list has a header", _HELP))
    return _header(names_in(best), best.number, mapping)


def names_in(row: RawRow) -> tuple[str, ...]:
    """Returns the names in a row, without the empty ones at its end."""
    names = [text_of(cell) for cell in row.cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def joined(rows: Sequence[RawRow]) -> tuple[str, ...]:
    """Returns the names of several header rows put together, an upper row's empty cells continuing the one before."""
    lines = [names_in(row) for row in rows]
    width = max(map(len, lines), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for line, names in enumerate(lines):
        before = ""
        for place in range(width):
            name = names[place] if place < len(names) else ""
            before = name or (before if line < len(lines) - 1 else "")
            parts[place].append(before)
    return tuple(_one_name(part) for part in parts)


def _one_name(parts: Sequence[str]) -> str:
    # The columns that failed rows come back with stand beside the last group, and are none of it.
    return parts[-1] if parts[-1] in (REASON_COLUMN, LINE_COLUMN) else " ".join(filter(None, parts))


def _header(names: Sequence[str], lines: int, mapping: Mapping) -> Header:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(as_word(name), []).append(place)
    columns = {column: places.get(as_word(column), []) for column in (*mapping.columns, *mapping.statement)}
    for column, found in columns.items():
        if len(found) != 1:
            raise _refused(column, found)
    reason = places.get(as_word(REASON_COLUMN), [None])[0]
    _refuse_others(places, mapping)
    return Header(lines, len(names), {column: found[0] for column, found in columns.items()}, reason)


def _refuse_others(places: dict[str, list[int]], mapping: Mapping) -> None:
    if mapping.layout.other_columns == "ignore":
        return
    known = {as_word(name) for name in (*mapping.columns, *mapping.ignore, REASON_COLUMN, LINE_COLUMN)} | {""}
    unknown = [found[0] for name, found in places.items() if name not in known]
    if unknown:
        rule = "every column is one of the mapping's, or one that it ignores"
        advice = "map the column, name it in `ignore`, or set [layout] other_columns"
        raise RefusedError(Refusal("unknown_column", f"column {min(unknown) + 1}", rule, advice))


def _refused(column: str, found: Sequence[int]) -> RefusedError:
    if found:
        rule = "a column that is mapped stands once"
        advice = "rename one of them, or join two header lines ([layout] header)"
        return RefusedError(Refusal("duplicate_column", column, rule, advice))
    return RefusedError(Refusal("missing_column", column, "the list has every column that is mapped", _HELP))
