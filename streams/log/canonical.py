"""Reads events in canonical form (the models' own JSON, one a line), all of them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from schemas.rules import refusals_of
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS, entry_of, short_name
from streams.log.following import TopicError
from streams.log.writing import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.events import EventHeader

_TOPICS = (*STATEMENT_TOPICS, *INTERNAL_STATEMENT_TOPICS)


class LineProblem(NamedTuple):
    """What is wrong with a line: its number from 1, the field, and the rule. Never a value of the input."""

    line: int
    field: str
    rule: str


def read_events(topic: str, lines: Iterable[bytes]) -> tuple[list[EventHeader], list[LineProblem]]:
    """Returns the events of the lines that are not blank, and every problem found.

    Raises TopicError where the topic takes no statements.
    """
    short = short_name(topic)
    if short not in _TOPICS:
        raise TopicError(f"{short} takes no statements; these do: {', '.join(_TOPICS)}")
    model: Any = entry_of(short).model
    events: list[EventHeader] = []
    problems: list[LineProblem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event: EventHeader = model.model_validate_json(line)
        except ValidationError as error:
            problems += [LineProblem(number, one.field, one.rule) for one in refusals_of(error, "correct the line")]
            continue
        if key_of(event) is None:
            problems.append(LineProblem(number, "youth_id", "a statement is keyed by its youth_id"))
        events.append(event)
    return events, problems
