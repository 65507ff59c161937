"""Lists as JSON (an array of flat objects) or NDJSON (one a line): keys are the columns' names."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from connectors.municipal.encodings import decoded
from connectors.municipal.sheets import (
    CELL_CHARACTERS_MAX,
    CELLS_MAX,
    COLUMNS_MAX,
    FileKind,
    RawRow,
    Sheet,
    Size,
    refuse_too_many,
    too_many_rows,
)
from connectors.strict_json import refuse_oversized
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NESTING_MAX = 64
# As many as a list of all rows and many columns has.
_SIGNS_MAX = 3_000_000
# What is counted before a text is taken apart stands in texts too, where it is no value.
_VALUES_MAX = 4 * CELLS_MAX
_LINES_MAX = 100_000
_NOT_JSON = Refusal("not_json", "row", "a row is one JSON object (RFC 8259)", "check the line with a JSON tool")


class _BrokenRuleError(ValueError):
    """Raised inside the JSON reader, which only knows ValueError, with the refusal of a row."""

    def __init__(self, code: str, rule: str, advice: str) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, "row", rule, advice)


def json_sheet(content: bytes, rows_max: int) -> Sheet:
    """Returns the sheet that JSON or NDJSON holds; a line that is no object is a refused row, the rest goes on.

    Raises RefusedError where the whole can't be read.
    """
    text, _ = decoded(content, "utf-8")
    if sum(map(text.count, "[{,")) > _VALUES_MAX:
        rule = f"a list has at most {CELLS_MAX} cells"
        raise RefusedError(Refusal("file_too_large", "file", rule, "split the list, or leave columns out"))
    if text.lstrip().startswith("["):
        return _sheet(FileKind.JSON, _elements(text), rows_max)
    if text.count("\n") > _LINES_MAX:
        raise too_many_rows(rows_max)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    refuse_too_many(len(lines), rows_max)
    return _sheet(FileKind.NDJSON, [(number, *_parsed(line)) for number, line in lines], rows_max)


_Read = tuple[int, Any, Refusal | None, str]


def _elements(text: str) -> list[_Read]:
    try:
        refuse_oversized(text.encode(), _NESTING_MAX, _SIGNS_MAX)
    except RefusedError as error:
        raise RefusedError(replace(error.refusal, field="file")) from error
    value, refusal, _ = _parsed(text)
    if refusal is not None or not isinstance(value, list):
        broken = refusal or _NOT_JSON
        raise RefusedError(Refusal(broken.code, "file", "a JSON list is one array of objects", broken.help))
    return [(number, element, None, "") for number, element in enumerate(value, 1)]


def _parsed(text: str) -> tuple[Any, Refusal | None, str]:
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_number, parse_float=_finite)
    except _BrokenRuleError as error:
        return None, error.refusal, text
    except (ValueError, RecursionError):
        return None, _NOT_JSON, text
    return value, None, text


def _sheet(kind: FileKind, read: Sequence[_Read], rows_max: int) -> Sheet:
    refuse_too_many(len(read), rows_max)
    names: dict[str, int] = {}
    for _, value, refusal, _ in read:
        if refusal is None and isinstance(value, dict):
            for name in value:
                names.setdefault(name, len(names))
    if len(names) > COLUMNS_MAX:
        rule = f"a list has at most {COLUMNS_MAX} columns"
        raise RefusedError(Refusal("row_too_large", "file", rule, "keys are columns' names: the same in every object"))
    size = Size()
    rows = []
    for one in read:
        rows.append(_row(one, names))
        size.add(*rows[-1].cells)
    return Sheet(kind, tuple(rows), tuple(names))


def _row(read: _Read, names: dict[str, int]) -> RawRow:
    number, value, refusal, line = read
    if refusal is None:
        refusal = _unfit(value)
    if refusal is not None:
        return RawRow(number, (), refusal, line or _told(value))
    cells = [None] * len(names)
    for name, cell in value.items():
        cells[names[name]] = cell
    return RawRow(number, tuple(cells))


def _unfit(value: Any) -> Refusal | None:
    if not isinstance(value, dict):
        return Refusal("not_an_object", "row", "a row is one JSON object", "write {...} with the columns as keys")
    for cell in value.values():
        if isinstance(cell, dict | list):
            return Refusal("nested_value", "row", "a cell is a text, a number, true, false or null", "flatten the row")
        if isinstance(cell, str) and len(cell) > CELL_CHARACTERS_MAX:
            return Refusal("row_too_large", "row", f"a cell has at most {CELL_CHARACTERS_MAX} characters", "shorten it")
    return None


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _BrokenRuleError("duplicate_key", "a key stands once in an object", "leave out one of the two")
    return value


def _refuse_number(_name: str) -> NoReturn:
    raise _BrokenRuleError("not_a_number", "a number is finite; JSON has neither NaN nor Infinity", "leave it out")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)
