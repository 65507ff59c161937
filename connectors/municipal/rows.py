"""From a list to statements: bytes and mapping in; forms of ``POST /events/{topic}``, or what is wrong, out.

Pure: the same bytes and mapping give the same rows. No text repeats a value of the list; columns are named as the
mapping names them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from connectors.municipal.cells import BadCellError, as_word, converted
from connectors.municipal.fields import FIELDS, NUMBER_OF_PERSON, PERSON, ListEvent
from connectors.municipal.headers import Header, header_of, repeats_names
from connectors.municipal.reading import sheet_of
from connectors.municipal.sheets import RawRow, Sheet, cell_text, filled, too_many_rows
from connectors.municipal.synonyms import comparable
from schemas.instants import start_of_day
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.municipal.mapping import Mapping

_UNREADABLE = object()
# A replacement number has seven digits; what has fewer beside a total's word is a count.
_PERSON_DIGITS_MIN = 7
_PERSON = re.compile(r"[0-9]{6}[- ]?[0-9A-Z]{4}")
_ABOVE_NAMES = Refusal(
    "row_above_names",
    "row",
    "rows of a list stand below the columns' names",
    "where the names stand again further down, delete that line; else put the row below them",
)
_HIDDEN = Refusal(
    "hidden_row", "row", "a row can be seen in the sheet", "show it (clear the filter), or delete it, and send again"
)
_DAY_CHARACTERS = len("2026-12-24")
_OTHER_TIMES = ("status_at", "sent_at", "planned_at", "lapses_at")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row, and in which column where it is one's."""

    column: str | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row that is a statement, or should be.

    ``key`` tells which row of the list it is, whenever it comes; None where that can't be read. ``statement`` are
    the parts of it that name the statement, for lists without ids. ``form`` is None where there are problems.
    """

    number: int
    key: tuple[str, ...] | None = field(repr=False)
    statement: tuple[str, ...] | None = field(repr=False)
    form: dict[str, Any] | None = field(repr=False)
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list's rows. ``ignored`` are totals, empty rows and names that stand again; ``above`` those above the names.

    ``is_part`` tells a file of rows that failed.
    """

    sheet: Sheet
    header: Header
    rows: tuple[ListRow, ...]
    ignored: int
    is_part: bool
    above: int = 0


def read_list(content: bytes, mapping: Mapping, rows_max: int) -> ReadList | Refusal:
    """Returns the rows of a list, or why none of it can be read. Memory and time are bounded by the readers' limits."""
    try:
        sheet = sheet_of(content, mapping.layout, set(map(comparable, mapping.columns)), rows_max)
        header = header_of(sheet, mapping)
        above, data = _parted(sheet, header)
        stated = [row for row in data if row.refusal is not None or not _is_other(row, header, mapping)]
        if len(stated) > rows_max:
            raise too_many_rows(rows_max)
    except RefusedError as error:
        return error.refusal
    rows = tuple(_row(raw, header, mapping) for raw in stated)
    lost = tuple(_unread(row, _ABOVE_NAMES) for row in above if _tells_person(row))
    ignored, titles = len(data) - len(rows), len(above) - len(lost)
    return ReadList(sheet, header, lost + rows, ignored, header.reason is not None, titles)


def _parted(sheet: Sheet, header: Header) -> tuple[list[RawRow], list[RawRow]]:
    """Returns the rows that stand above the line with the names and have anything in them, and those below."""
    if sheet.names is not None:
        return [], list(sheet.rows)
    above = [row for row in sheet.rows if row.number < header.lines and not row.is_empty]
    return above, [row for row in sheet.rows if row.number > header.lines]


def _tells_person(row: RawRow) -> bool:
    """Tells whether a row above the names is no title, since a person's number stands in it."""
    return any(_PERSON.fullmatch(cell_text(cell)) for cell in row.cells)


def _is_other(row: RawRow, header: Header, mapping: Mapping) -> bool:
    """Tells whether a row is empty, has the names again, or is a total.

    A total's first word says so, and it has no person's number.
    """
    named = [cell for place, cell in enumerate(row.cells) if place != header.reason and filled(cell)]
    if not named or (header.lines and repeats_names(row, header)):
        return True
    place = header.columns[mapping.person_column]
    word = as_word(cell_text(named[0]))
    is_total = any(_begins(word, total) for total in map(as_word, mapping.layout.totals))
    number = cell_text(row.cells[place]) if place < len(row.cells) else ""
    return is_total and sum(mark.isdigit() for mark in number) < _PERSON_DIGITS_MIN


def _begins(word: str, total: str) -> bool:
    return word.startswith(total) and not word[len(total) : len(total) + 1].isalpha()


def _row(raw: RawRow, header: Header, mapping: Mapping) -> ListRow:
    if raw.refusal is not None:
        return _unread(raw, raw.refusal)
    if any(filled(cell) for cell in raw.cells[header.width :]):
        rule = "a row has no more cells than the header has names"
        advice = "look for a delimiter inside a cell, and put such a cell in quotation marks"
        return _unread(raw, Refusal("row_too_long", "row", rule, advice))
    cells = {column: raw.cells[place] if place < len(raw.cells) else None for column, place in header.columns.items()}
    values = dict(mapping.constant_values)
    problems = [RowProblem(None, _HIDDEN)] if raw.hidden else []
    problems += _fill(values, cells, mapping)
    _same_time(values, mapping)
    _by_day(values)
    statement = _statement_of(values, cells, mapping)
    key = _key_of(statement, values, mapping)
    problems += _lacking(values, problems, mapping)
    told = {name: value for name, value in values.items() if value is not None and value is not _UNREADABLE}
    return ListRow(raw.number, key, statement, None if problems else _form(told), tuple(problems))


def _unread(raw: RawRow, refusal: Refusal) -> ListRow:
    """Returns a row of which nobody knows what it is about."""
    return ListRow(raw.number, None, None, None, (RowProblem(None, refusal),))


def _fill(values: dict[str, Any], cells: dict[str, Any], mapping: Mapping) -> Iterator[RowProblem]:
    """Puts every field's value into ``values``; yields what is wrong with those that can't be read."""
    known = FIELDS[mapping.event]
    for column, names in mapping.columns.items():
        for name in names:
            try:
                values[name] = converted(cells[column], known[name], mapping.words.get(column, {}), mapping.values)
            except BadCellError as error:
                values[name] = _UNREADABLE
                yield RowProblem(column, Refusal(error.code, name, error.rule, error.advice))


def _same_time(values: dict[str, Any], mapping: Mapping) -> None:
    """Lets the time of the status and the time at which it was told stand in for each other."""
    told = values.get("occurred_at") or values.get("status_at") or _own_time(values, mapping)
    for name in ("occurred_at", "status_at"):
        if name in FIELDS[mapping.event] and values.get(name) is None:
            values[name] = told


def _own_time(values: dict[str, Any], mapping: Mapping) -> str | None:
    """Returns when a course began or ended, for a list that tells nothing else of when; None where that is unknown."""
    status = values.get("status")
    if mapping.event is not ListEvent.ENROLMENT or not mapping.undated or not isinstance(status, str):
        return None
    told = values.get({"waiting": "", "active": "started_on"}.get(status, "ended_on"))
    return told if isinstance(told, str) else None


def _by_day(values: dict[str, Any]) -> None:
    """Puts the start of its day into every time that is told by a day alone, and says so of when it happened."""
    for name in ("occurred_at", *_OTHER_TIMES):
        told = values.get(name)
        if isinstance(told, str) and len(told) == _DAY_CHARACTERS:
            values[name] = start_of_day(date.fromisoformat(told)).isoformat()
            if name == "occurred_at":
                values["occurred_on"] = told


def _statement_of(values: dict[str, Any], cells: dict[str, Any], mapping: Mapping) -> tuple[str, ...] | None:
    """Returns what tells the row's statement from others, the person's number first where it has no id of its own.

    None where the number or the id is missing, or a part can't be read: the foot of a printed page is about nobody.
    """
    if not mapping.statement:
        return _texts([values.get("subject")])
    number = values.get(NUMBER_OF_PERSON)
    parts: list[Any] = [number if isinstance(number, str) and _PERSON.fullmatch(number.upper()) else _UNREADABLE]
    for column in mapping.statement:
        names = mapping.columns.get(column)
        parts.append(cell_text(cells[column]) if names is None else values[names[0]])
    return _texts(parts, or_empty=True)


def _key_of(statement: tuple[str, ...] | None, values: dict[str, Any], mapping: Mapping) -> tuple[str, ...] | None:
    if statement is None or not mapping.steps:
        return statement
    step = _texts([values.get(name) for name in ("status", "decision", "occurred_at")], or_empty=True)
    return None if step is None else (*statement, *step)


def _texts(parts: list[Any], *, or_empty: bool = False) -> tuple[str, ...] | None:
    if any(part is _UNREADABLE or (part is None and not or_empty) for part in parts):
        return None
    return tuple("" if part is None else str(part) for part in parts)


def _lacking(values: dict[str, Any], problems: list[RowProblem], mapping: Mapping) -> Iterator[RowProblem]:
    """Yields the fields that every row fills and this one doesn't, by column."""
    said = {problem.refusal.field for problem in problems}
    wanted = [NUMBER_OF_PERSON, "subject"] if not mapping.statement else [NUMBER_OF_PERSON]
    if not mapping.undated and not said & {"occurred_at", "status_at"}:
        wanted.append("occurred_at")
    for name in wanted:
        if name not in said and values.get(name) is None:
            column = mapping.column_of(name) or mapping.column_of("status_at")
            yield RowProblem(column, Refusal("missing_field", name, "the cell is filled in every row", "fill it in"))


def _form(values: dict[str, Any]) -> dict[str, Any]:
    person = {name.removeprefix(PERSON): value for name, value in values.items() if name.startswith(PERSON)}
    own = {name: value for name, value in values.items() if not name.startswith(PERSON)}
    return own | {"person": person}
