"""A list's mapping file: which column fills which field, and how the list writes what it means.

One TOML file a list; its name is the list's. ``brobygger lists guess`` proposes one from a file.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from connectors.municipal.cells import BadCellError, as_word, converted, parts_of
from connectors.municipal.fields import FIELDS, NUMBER_OF_PERSON, REQUIRED, FieldKind, ListEvent
from connectors.municipal.layout import Layout, MappingPart, Missing, Values, Words, as_list

if TYPE_CHECKING:
    from pathlib import Path

_Fields = Annotated[tuple[Words, ...], BeforeValidator(as_list), Field(min_length=1, max_length=4)]
# The column that a file of failed rows has more than the list: known again when the mended file comes.
REASON_COLUMN = "brobygger_reason"
# And the one that holds what stood in a line that could not be taken apart.
LINE_COLUMN = "brobygger_line"
_TIMES = frozenset({"occurred_at", "status_at"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NAME_RULE = "a list's name has small letters a-z, digits, - and _, 63 at most, and starts with a letter or a digit"


def is_list_name(name: str) -> bool:
    """Returns whether a list may be called so, and its file ``NAME.toml``.

    >>> is_list_name("helsingoer-forloeb"), is_list_name("forloeb?missing=believed"), is_list_name("../forloeb")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


class MappingError(Exception):
    """A mapping file is not as it must be; the text names file, field, rule and what to do."""


class ListMode(StrEnum):
    """Whether a list holds everything that stands, so that what is missing has ended, or changes alone."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"


class Mapping(MappingPart):
    """One list. ``columns``: column -> field or fields; ``codes``: column -> its word -> our code.

    ``statement`` are the columns that tell one statement from another, where none fills ``subject``. With
    ``steps`` a statement may stand in several rows, one for each status that it had. ``undated`` allows a list that
    does not tell when: a course's own start or end does, else the day on which a row first came as it is.
    """

    event: ListEvent
    mode: ListMode
    columns: dict[Words, _Fields]
    statement: tuple[Words, ...] = ()
    steps: bool = False
    undated: bool = False
    ignore: tuple[Words, ...] = ()
    constants: dict[Words, str | int | bool] = Field(default_factory=dict)
    codes: dict[Words, dict[str, str]] = Field(default_factory=dict)
    layout: Layout = Layout()
    values: Values = Values()
    missing: Missing | None = None

    @property
    def topic(self) -> str:
        """Returns the topic of its statements."""
        return self.event.topic

    @property
    def filled(self) -> frozenset[str]:
        """Returns the fields that columns and constants fill."""
        return frozenset(name for names in self.columns.values() for name in names) | self.constants.keys()

    @property
    def person_column(self) -> str:
        """Returns the column of the person's number."""
        return next(column for column, names in self.columns.items() if NUMBER_OF_PERSON in names)

    @cached_property
    def constant_values(self) -> dict[str, Any]:
        """Returns the values of the fields that are the same in every row."""
        known = FIELDS[self.event]
        return {name: converted(value, known[name], {}, self.values) for name, value in self.constants.items()}

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        """Returns for each column the list's words, as they are compared, and what stands in for each."""
        return {column: {as_word(word): code for word, code in words.items()} for column, words in self.codes.items()}

    def column_of(self, field: str) -> str | None:
        """Returns the column that fills a field, or None: a constant does, or nothing."""
        return next((column for column, names in self.columns.items() if field in names), None)

    @model_validator(mode="after")
    def _fits_its_event(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self


def mapping_from(text: str, name: str) -> Mapping:
    """Returns the mapping that a TOML text holds; raises MappingError, which says ``name`` for the file."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{name} is not TOML: {error}; correct the line") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        text = first["msg"].removeprefix("Value error, ")
        raise MappingError(f"{name}: {field}: {text}; see README, 'For a municipality'") from error


def load_mapping(path: Path) -> Mapping:
    """Returns the mapping of a file; raises MappingError."""
    try:
        return mapping_from(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as error:
        raise MappingError(
            f"{path} can't be read: it is not there; `brobygger lists guess FILE --save NAME` writes one"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} can't be read ({type(error).__name__}); is it there, in UTF-8?") from error


def _problems(mapping: Mapping) -> list[str]:
    """Returns what is wrong over several fields, in words for whoever writes the file; the first is told."""
    known = FIELDS[mapping.event]
    columns, given = set(mapping.columns), [name for names in mapping.columns.values() for name in names]
    twice = {name for name in given if given.count(name) > 1} | (set(given) & mapping.constants.keys())
    unknown = sorted(mapping.filled - known.keys())
    lacking = sorted(REQUIRED[mapping.event] - mapping.filled)
    by_itself = "subject" in mapping.filled
    stray = sorted((set(mapping.statement) - columns - set(mapping.ignore)) | (mapping.codes.keys() - columns))
    rules = [
        (unknown, f"no field of a list of {mapping.event}s: {', '.join(unknown)}; it has: {', '.join(sorted(known))}"),
        (twice, f"{sorted(twice)} are filled twice"),
        (lacking, f"nothing fills {', '.join(lacking)}: map a column to it, or say it once under [constants]"),
        (NUMBER_OF_PERSON in mapping.constants, "person.cpr comes from a column"),
        (not mapping.undated and not _TIMES & mapping.filled, f"one of {sorted(_TIMES)} is filled, or undated = true"),
        (by_itself is bool(mapping.statement), "statement names columns, or one fills subject: one of the two"),
        ("subject" in mapping.constants, "subject comes from a column"),
        (stray, f"statement and codes name columns that are mapped; {stray} are not"),
        (columns & set(mapping.ignore), "a column that is ignored fills no field"),
        (REASON_COLUMN in columns, f"{REASON_COLUMN} is the column of the reasons why rows failed"),
        (
            mapping.steps and mapping.mode is ListMode.SNAPSHOT,
            "a list of steps has mode changes: none of them vanishes",
        ),
        (mapping.missing and mapping.mode is ListMode.CHANGES, "only what is missing from a snapshot means anything"),
        (_unknown_ending(mapping), "[missing] status is a code of the event's status, reason_code its reason"),
        (_status_where_cancelled(mapping), "a planned discharge that is missing is cancelled"),
    ]
    found = [text for broken, text in rules if broken]
    return found or _bad_values(mapping)


def _bad_values(mapping: Mapping) -> list[str]:
    known = FIELDS[mapping.event]
    found = []
    for name, value in mapping.constants.items():
        try:
            converted(value, known[name], {}, mapping.values)
        except BadCellError as error:
            found.append(f"constants.{name}: {error.rule}")
    for column, words in mapping.codes.items():
        for name in mapping.columns[column]:
            codes = set(known[name].codes)
            if codes and not {part for word in words.values() for part in parts_of(word)} <= codes:
                found.append(f"codes.{column}: a word stands for one of {sorted(codes)}")
            if known[name].kind is FieldKind.PERSON_NUMBER:
                found.append("codes are for words, not for CPR numbers")
    return found


def _unknown_ending(mapping: Mapping) -> bool:
    if mapping.missing is None or mapping.missing.cancelled:
        return False
    known = FIELDS[mapping.event]
    status = known["decision" if mapping.event is ListEvent.CONSENT else "status"]
    return mapping.missing.status not in status.codes or (
        mapping.missing.reason_code is not None and "reason_code" not in known
    )


def _status_where_cancelled(mapping: Mapping) -> bool:
    return mapping.event is ListEvent.DISCHARGE and mapping.missing is not None and not mapping.missing.cancelled
