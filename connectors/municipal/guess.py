"""Proposes a mapping file from a list's names and first rows. A proposal: whoever knows the list reads it.

What is recognised is in ``synonyms``; everything else is named in the proposal as not recognised, never guessed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from connectors.municipal.cells import as_word, parts_of
from connectors.municipal.fields import FIELDS, NUMBER_OF_PERSON, REQUIRED, FieldKind, ListEvent
from connectors.municipal.headers import joined, names_in
from connectors.municipal.layout import Layout
from connectors.municipal.mapping import LINE_COLUMN, REASON_COLUMN
from connectors.municipal.reading import sheet_of
from connectors.municipal.sheets import HEADER_ROWS_MAX, FileKind, cell_text, filled
from connectors.municipal.synonyms import CODES, COLUMNS, COLUMNS_OF_CONSENTS, comparable, marks
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.municipal.sheets import RawRow, Sheet

_KNOWN = frozenset[str]().union(*COLUMNS.values(), *COLUMNS_OF_CONSENTS.values())
_WORDS_MAX = 12
_WORD_CHARACTERS_MAX = 40
_ROWS_MAX = 10_000
_KINDS_OF_WORDS = (FieldKind.CODE, FieldKind.CODES, FieldKind.REASON)
_PROGRAMMES = ("programme", "receiver")
_PROGRAMME_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_UNDATED = (
    "undated = true        # no column tells when: a course's own dates do, else the day on which a row first came"
)
_NO_HEADER = Refusal(
    "no_header", "file", "one of the first 20 rows has the columns' names", "name them in a mapping by hand (README)"
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was recognised in a list: where its names stand, its event, and each column's field."""

    sheet: Sheet
    header: tuple[int, ...]
    names: tuple[str, ...]
    event: ListEvent
    fields: dict[str, str]
    constants: Mapping[str, str]
    rows: list[RawRow] = field(repr=False)

    def texts(self, column: str) -> list[str]:
        """Returns what stands in a column, without empty cells."""
        place = self.names.index(column)
        cells = [row.cells[place] for row in self.rows if place < len(row.cells)]
        return [cell_text(cell) for cell in cells if filled(cell)]

    @property
    def lacking(self) -> list[str]:
        """Returns the fields that a statement can't do without and nothing fills."""
        return sorted(REQUIRED[self.event] - set(self.fields.values()) - self.constants.keys())


def guessed(content: bytes, constants: Mapping[str, str], event: ListEvent | None = None) -> str | Refusal:
    """Returns a proposal for a list's mapping, as TOML; or why the file can't be read.

    ``constants`` are fields that are the same in every row, as whoever asks has said. Statuses and reasons are
    repeated in the proposal, which therefore goes to nobody but who has the list.
    """
    try:
        sheet = sheet_of(content, Layout(), _KNOWN, _ROWS_MAX)
        return "\n".join(_lines(_found(sheet, constants, event))) + "\n"
    except RefusedError as error:
        return error.refusal


def _found(sheet: Sheet, constants: Mapping[str, str], wanted: ListEvent | None) -> _Found:
    lines, names, also = _header(sheet)
    events = [wanted] if wanted else list(ListEvent)
    every = " ".join(names).casefold()
    event = max(events, key=lambda one: (marks(one, every), len(_fields(one, names, also, constants))))
    header = lines[-1] if lines else 0
    rows = [row for row in sheet.rows if row.number > header and row.refusal is None and not row.is_empty]
    return _Found(sheet, lines, names, event, _fields(event, names, also, constants), constants, rows)


def _header(sheet: Sheet) -> tuple[tuple[int, ...], tuple[str, ...], tuple[str, ...]]:
    """Returns the lines with the names, the names, and what each is also known by.

    Where those of one line stand twice, they are put together with the line above, and known by the lower one too.
    """
    if sheet.names is not None:
        return (), sheet.names, sheet.names
    searched = sheet.rows[:HEADER_ROWS_MAX]
    scores = [len(_KNOWN & set(map(comparable, names_in(row)))) for row in searched]
    if not any(scores):
        raise RefusedError(_NO_HEADER)
    place = scores.index(max(scores))
    names = names_in(searched[place])
    given = [name for name in names if name]
    if place and len(set(given)) < len(given):
        both = searched[place - 1], searched[place]
        return tuple(row.number for row in both), joined(both), names
    return (searched[place].number,), names, names


def _fields(
    event: ListEvent, names: Sequence[str], also: Sequence[str], constants: Mapping[str, str]
) -> dict[str, str]:
    """Returns column -> field, each field once."""
    fields: dict[str, str] = {}
    columns = {**COLUMNS, **(COLUMNS_OF_CONSENTS if event is ListEvent.CONSENT else {})}
    for name, other in zip_longest(names, also, fillvalue=""):
        words = {comparable(name), comparable(other)}
        for candidate, known in columns.items():
            free = candidate not in fields.values() and candidate not in constants
            if candidate in FIELDS[event] and free and name not in fields and words & known:
                fields[name] = candidate
    return fields


def _lines(found: _Found) -> list[str]:
    times = {"occurred_at", "status_at"} & set(found.fields.values())
    return [
        "# Proposed from the list's own names. Read every line: what is not recognised is marked with a # at its side.",
        f'event = "{found.event}"        # one of: {", ".join(ListEvent)}',
        'mode = "changes"        # or "snapshot": the list always holds everything that stands',
        *_statement(found),
        *([] if times else [_UNDATED]),
        *_ignored(found),
        "",
        "[layout]",
        *_layout(found),
        "",
        "[values]",
        *_values(found),
        "",
        f"[columns]        # a column may fill any of: {', '.join(sorted(FIELDS[found.event]))}",
        *(f"{_toml(column)} = {_toml(name)}" for column, name in found.fields.items()),
        *_constants(found),
        *(line for column, name in found.fields.items() for line in _codes(found, column, name)),
    ]


def _statement(found: _Found) -> list[str]:
    if "subject" in found.fields.values():
        return []
    telling = [NUMBER_OF_PERSON, "programme", "started_on", "unit", "receiver", "purpose"]
    if found.event is ListEvent.REFERRAL and {"occurred_at", "status_at"} <= set(found.fields.values()):
        telling.append("occurred_at")  # the day of the referral stays, that of its status moves on
    columns = [column for name in telling for column, filled_by in found.fields.items() if filled_by == name]
    return [f"statement = {_list(columns)}        # the columns that tell one statement from another"]


def _ignored(found: _Found) -> list[str]:
    kept = {"", REASON_COLUMN, LINE_COLUMN, *found.fields}
    ignored = [name for name in dict.fromkeys(found.names) if name not in kept]
    return (
        [f"ignore = {_list(ignored)}        # not recognised; map them below where they tell something"]
        if ignored
        else []
    )


def _layout(found: _Found) -> list[str]:
    """Returns how the file is written, as a remark: the next one may be written otherwise, and is looked at anew."""
    if found.sheet.names is not None:
        return []
    if len(found.header) > 1:
        return [f"header = {list(found.header)}        # names are put together from these lines"]
    told: dict[str, str | int] = {"header": found.header[0]}
    if found.sheet.kind is FileKind.CSV:
        encoding = {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(found.sheet.encoding, found.sheet.encoding)
        told |= {"encoding": encoding, "delimiter": found.sheet.delimiter}
    remark = "        # found; set it where it is found wrong"
    return [f"# {name} = {_toml(value) if isinstance(value, str) else value}{remark}" for name, value in told.items()]


def _values(found: _Found) -> list[str]:
    number = next((column for column, name in found.fields.items() if name == NUMBER_OF_PERSON), None)
    # Excel keeps what has a hyphen as a text, with its zero.
    digits = [] if number is None else [text for text in found.texts(number) if text.isdigit()]
    lengths = Counter(map(len, digits))
    # Where one zero was kept, none was eaten: a number of nine digits then lacks any digit.
    lost = lengths[9] > 0 and lengths[10] > 0 and not any(text.startswith("0") for text in digits)
    return ["zero_lost = true        # numbers of nine digits have lost their leading zero in Excel"] if lost else []


def _constants(found: _Found) -> list[str]:
    lacking = [
        f'# {_toml(name)} = "..."        # nothing fills it: map a column, or say here {_sayable(found.event, name)}'
        for name in found.lacking
    ]
    return [
        "",
        "[constants]",
        *(f"{_toml(name)} = {_toml(value)}" for name, value in found.constants.items()),
        *lacking,
    ]


def _sayable(event: ListEvent, name: str) -> str:
    codes = FIELDS[event][name].codes
    return f"one of: {', '.join(codes)}" if codes else "what is the same in every row"


def _codes(found: _Found, column: str, name: str) -> list[str]:
    known = FIELDS[found.event][name]
    if known.kind not in _KINDS_OF_WORDS and name not in _PROGRAMMES:
        return []
    several = parts_of if known.kind is FieldKind.CODES else _whole
    words = list(dict.fromkeys(as_word(part) for text in found.texts(column) for part in several(text)))
    words = [word for word in words if len(word) <= _WORD_CHARACTERS_MAX and word not in known.codes][:_WORDS_MAX]
    if not words:
        return []
    return ["", f"[codes.{_toml(column)}]", *(_word(word, name, known.codes) for word in words)]


def _whole(text: str) -> list[str]:
    return [text]


def _word(word: str, name: str, codes: Sequence[str]) -> str:
    if name in _PROGRAMMES and _PROGRAMME_ID.fullmatch(word):
        return f"{_toml(word)} = {_toml(word)}        # as the programme files name it"
    code = next((code for code in codes if comparable(word) in CODES.get(code, ())), None)
    if code is not None:
        return f"{_toml(word)} = {_toml(code)}"
    return f"# {_toml(word)} = ...        # {'one of: ' + ', '.join(codes) if codes else 'a code of small letters'}"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_toml, names))}]"


def _toml(text: str) -> str:
    """Returns a TOML basic string; its escapes are among those of JSON."""
    return json.dumps(text.encode(errors="replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
