"""From a cell to the value of a field, by the list's own words; nothing that could mean two things is taken."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from connectors.municipal.dates import DateForm, NoDateError, day_in, in_denmark, moment_in
from connectors.municipal.fields import Field, FieldKind
from connectors.municipal.sheets import Cell, Unfit, cell_text, plain
from schemas.instants import is_possible_date, is_possible_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.municipal.layout import Values

_CPR_DIGITS = 10
_MUNICIPALITY_DIGITS = 4
# Excel keeps 15 digits of a number and puts zeros in place of the rest.
_WHOLE_NUMBER_BEFORE = 10**15
_SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+")
_QUOTES = "'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00b4`"
_QUOTED_NUMBER = re.compile(rf"[{_QUOTES}]{{1,2}}([0-9][^{_QUOTES}]*)[{_QUOTES}]{{0,2}}")
_REASON = re.compile(r"[a-z0-9_]{1,64}")
_BETWEEN_CODES = re.compile(r"[,;/+]|\bog\b|\band\b")
_AS_TEXT = "in Excel, format the column as text and write the value again"
_IN_MAPPING = "correct the word, or say in the mapping what it stands for ([codes])"


class BadCellError(Exception):
    """A cell breaks a rule. None of the texts repeats what stands in it."""

    def __init__(self, code: str, rule: str, advice: str) -> None:
        """Takes the refusal's code and texts; who reads the row adds where it is."""
        super().__init__(code)
        self.code = code
        self.rule = rule
        self.advice = advice


def as_word(text: str) -> str:
    """Returns a word of the list as words are compared: whatever its capitals, blanks and last full stop.

    >>> as_word("  I  Gang. ")
    'i gang'
    """
    return " ".join(plain(text).split()).casefold().rstrip(".")


def parts_of(text: str) -> list[str]:
    """Returns the parts of a cell that holds several codes or words.

    >>> parts_of("mor og far, den unge")
    ['mor', 'far', 'den unge']
    """
    return [part.strip() for part in _BETWEEN_CODES.split(text) if part.strip()]


def converted(cell: Cell, field: Field, words: Mapping[str, str], values: Values) -> Any:
    """Returns the value, in the form that JSON statements have, or None for an empty cell; raises BadCellError.

    ``words`` are the column's own, as ``as_word`` writes them; an empty cell may be one of them, and where a cell
    holds several codes, all of it or any part.
    """
    if isinstance(cell, Unfit):
        rule = "a cell holds a value, no formula and no error"
        raise BadCellError(f"{cell}_cell", rule, "in Excel, copy the column and paste it as values")
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _WHOLE_NUMBER_BEFORE:
        raise BadCellError("number_too_long", "Excel keeps no more than 15 digits of a number", _AS_TEXT)
    text = _as_meant(cell_text(cell))
    stands_for = words.get(as_word(text))
    if stands_for is not None:
        cell = text = stands_for
    elif field.kind is FieldKind.CODES:
        cell = text = ", ".join(words.get(as_word(part), part) for part in parts_of(text))
    if not text:
        return None
    if text.startswith("=") and isinstance(cell, str):
        advice = "write the value itself, without = and quotation marks; a column that is formatted as text keeps zeros"
        raise BadCellError("formula_cell", "a cell holds a value, no formula and no error", advice)
    return _READERS[field.kind](cell, text, field, values)


def _as_meant(text: str) -> str:
    """Returns a cell's text without what Excel's users put around a number so that it keeps its zeros.

    >>> _as_meant("'0105109996"), _as_meant("'s-Hertogenbosch")
    ('0105109996', "'s-Hertogenbosch")
    """
    match = _QUOTED_NUMBER.fullmatch(text)
    return match[1].strip() if match else text


def _text(_cell: Cell, text: str, _field: Field, _values: Values) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise BadCellError("number_too_long", "a number stands with all its digits, not as 1,2E+09", _AS_TEXT)
    return text


def _code(_cell: Cell, text: str, field: Field, _values: Values) -> str:
    if text not in field.codes:
        raise BadCellError("unknown_code", f"the code is one of: {', '.join(field.codes)}", _IN_MAPPING)
    return text


def _codes(cell: Cell, text: str, field: Field, values: Values) -> list[str] | None:
    """Returns each code once: a mapping may have several words for one, and a cell all of them."""
    return list(dict.fromkeys(_code(cell, part, field, values) for part in parts_of(text))) or None


def _reason(_cell: Cell, text: str, _field: Field, _values: Values) -> str:
    if not _REASON.fullmatch(text):
        rule = "a reason is a code of small letters, digits and underscores, 64 at most"
        raise BadCellError("unknown_code", rule, _IN_MAPPING)
    return text


def _day(cell: Cell, text: str, _field: Field, values: Values) -> str:
    if isinstance(cell, datetime):
        return _possible(cell.date()).isoformat()
    if isinstance(cell, date):
        return _possible(cell).isoformat()
    try:
        return _possible(day_in(_no_number(cell, text, values), values.date_forms)).isoformat()
    except NoDateError as error:
        raise _no_date(values) from error


def _moment(cell: Cell, text: str, _field: Field, values: Values) -> str:
    """Returns the moment, or the day alone where the cell names no time."""
    moment: date
    try:
        if isinstance(cell, datetime) and cell.tzinfo is not None:
            moment = cell.astimezone(UTC)
        elif isinstance(cell, datetime):
            # Excel keeps a date without a time as the date at midnight.
            moment = cell.date() if cell.time() == time() else in_denmark(cell.date(), cell.time())
        elif isinstance(cell, date):
            moment = cell
        else:
            moment = moment_in(_no_number(cell, text, values), values.date_forms)
    except NoDateError as error:
        raise _no_date(values) from error
    if not is_possible_time(moment if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)):
        raise BadCellError("impossible_time", "a time lies in the years 1900 to 2199, in UTC", "correct the date")
    return moment.isoformat()


def _no_number(cell: Cell, text: str, values: Values) -> str:
    if isinstance(cell, int | float) and DateForm.COMPACT not in values.date_forms:
        rule = "a date is a date: Excel shows a number where its format was lost"
        raise BadCellError("impossible_date", rule, "in Excel, format the column as date")
    return text


def _possible(day: date) -> date:
    if not is_possible_date(day):
        raise BadCellError("impossible_date", "a date lies in the years 1850 to 2199", "correct the date")
    return day


def _no_date(values: Values) -> BadCellError:
    forms = " or ".join(values.date_forms)
    rule = f"a date exists and is written like {forms}"
    return BadCellError("impossible_date", rule, "correct it, or say in the mapping how the list writes dates")


def _flag(cell: Cell, text: str, _field: Field, values: Values) -> bool:
    if isinstance(cell, bool):
        return cell
    word = as_word(text)
    if word in map(as_word, values.yes):
        return True
    if word in map(as_word, values.no):
        return False
    raise BadCellError("unknown_code", "the word is one for yes or no that the mapping has", _IN_MAPPING)


def _number(_cell: Cell, text: str, _field: Field, values: Values) -> int:
    groups = "." if values.decimal == "," else ","
    plain = text.replace(groups, "") if re.fullmatch(rf"[0-9]{{1,3}}(\{groups}[0-9]{{3}})+.*", text) else text
    whole = re.fullmatch(rf"(-?[0-9]{{1,15}})(?:\{values.decimal}0*)?", plain)
    if whole is None:
        raise BadCellError("wrong_form", "the field is a whole number", "correct it, or the mapping's decimal sign")
    return int(whole[1])


def _person_number(_cell: Cell, text: str, _field: Field, values: Values) -> str:
    """Returns the number without separators; whether it is one, the door that knows the systems says.

    Nine digits may be a number whose zero Excel has eaten, or one in which any other digit is missing, and then it
    would be somebody else's: only where the mapping says that zeros were lost are they given back.
    """
    number = re.sub(r"[\s-]", "", _text(None, text, _field, values))
    if len(number) == _CPR_DIGITS - 1 and number.isascii() and number.isdigit():
        if not values.zero_lost:
            rule = "a CPR number has ten digits; where Excel has eaten a leading zero, the mapping says so"
            advice = "format the column as text, or set [values] zero_lost = true where no digit but a zero is missing"
            raise BadCellError("invalid_cpr", rule, advice)
        return f"0{number}"
    return number


def _municipality(_cell: Cell, text: str, _field: Field, _values: Values) -> str:
    """Returns the code with its leading zero, which every municipality's has."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MUNICIPALITY_DIGITS):
        rule = "a municipality is its code, such as 0217"
        raise BadCellError("unknown_code", rule, _IN_MAPPING)
    return text.zfill(_MUNICIPALITY_DIGITS)


_READERS: Mapping[FieldKind, Callable[[Cell, str, Field, Values], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.CODE: _code,
    FieldKind.CODES: _codes,
    FieldKind.REASON: _reason,
    FieldKind.DAY: _day,
    FieldKind.MOMENT: _moment,
    FieldKind.FLAG: _flag,
    FieldKind.NUMBER: _number,
    FieldKind.PERSON_NUMBER: _person_number,
    FieldKind.MUNICIPALITY: _municipality,
}
