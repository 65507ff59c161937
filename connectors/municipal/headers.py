"""Which row of a sheet has the columns' names, and which column is which.

A name is found as the mapping writes it, else by its letters and digits alone: a header is broken over lines where the
column is narrow, and hyphenated there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.municipal.cells import as_word
from connectors.municipal.mapping import LINE_COLUMN, REASON_COLUMN
from connectors.municipal.sheets import HEADER_ROWS_MAX, cell_text
from connectors.municipal.synonyms import comparable
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
    # Where no row has all of the names, the one that has most of them says best which is missing.
    best = max(sheet.rows[:HEADER_ROWS_MAX], key=lambda row: _named(row, mapping), default=None)
    if best is None:
        raise RefusedError(Refusal("empty_file", "file", "a list has a header", _HELP))
    if any(_named(row, mapping) == len(mapping.columns) for start in sheet.other_starts for row in start):
        rule = "one sheet has the list's columns, or the mapping names the one that is meant ([layout] sheet)"
        raise RefusedError(Refusal("several_sheets", "file", rule, "name the sheet in the mapping, or send it alone"))
    return _header(names_in(best), best.number, mapping)


def repeats_names(row: RawRow, header: Header) -> bool:
    """Tells whether a row has the columns' names again, as on every page of a report that was printed."""
    texts = {column: cell_text(row.cells[place]) for column, place in header.columns.items() if place < len(row.cells)}
    return len(texts) == len(header.columns) and all(_is(text, column) for column, text in texts.items())


def _named(row: RawRow, mapping: Mapping) -> int:
    """Returns how many of the mapping's columns a row names."""
    names = _Names(names_in(row))
    return sum(bool(names.places_of(column)) for column in mapping.columns)


def _is(name: str, column: str) -> bool:
    return as_word(name) == as_word(column) or comparable(name) == comparable(column) != ""


class _Names:
    """The names of a row, and where each stands."""

    def __init__(self, names: Sequence[str]) -> None:
        self.by_word: dict[str, list[int]] = {}
        self._by_letters: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            self.by_word.setdefault(as_word(name), []).append(place)
            self._by_letters.setdefault(comparable(name), []).append(place)

    def places_of(self, column: str) -> list[int]:
        """Returns where a column's name stands."""
        letters = comparable(column)
        return self.by_word.get(as_word(column)) or (self._by_letters.get(letters, []) if letters else [])


def names_in(row: RawRow) -> tuple[str, ...]:
    """Returns the names in a row, without the empty ones at its end."""
    names = [cell_text(cell) for cell in row.cells]
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
    stand = _Names(names)
    columns = {column: stand.places_of(column) for column in (*mapping.columns, *mapping.statement)}
    for column, found in columns.items():
        if len(found) != 1:
            raise _refused(column, found)
    reason = next(iter(stand.by_word.get(as_word(REASON_COLUMN), [])), None)
    _refuse_others(stand, mapping)
    return Header(lines, len(names), {column: found[0] for column, found in columns.items()}, reason)


def _refuse_others(stand: _Names, mapping: Mapping) -> None:
    if mapping.layout.other_columns == "ignore":
        return
    names = (*mapping.columns, *mapping.statement, *mapping.ignore, REASON_COLUMN, LINE_COLUMN)
    known = {place for name in names for place in stand.places_of(name)} | set(stand.by_word.get("", []))
    unknown = [place for found in stand.by_word.values() for place in found if place not in known]
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
