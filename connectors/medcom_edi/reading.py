"""Single fields, checked: texts, codes, times and ids, the same for both syntaxes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from connectors.local_times import HOUR_EXISTS, danish_moments
from connectors.medcom_edi.codes import LetterType
from connectors.medcom_edi.refusing import letter_refusal
from connectors.sender_ids import normalised
from schemas.instants import is_possible_time

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.medcom_edi.fields import FieldValue

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
REFERENCE = re.compile(r"[!-~]([ -~]{0,33}[!-~])?")
PARTY = re.compile(r"[0-9A-Za-z]{1,35}")
_EPISODE = re.compile(r"[!-~]{1,35}")
_Code = TypeVar("_Code", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class LetterTime:
    """A time that a letter tells, aware, and where it stands."""

    at: datetime
    path: str


def required(said: FieldValue) -> str:
    """Returns a field's text; raises RefusedError where it is absent."""
    if said.text is None:
        raise letter_refusal("element_missing", said.path, "the element is required")
    return said.text


def taken_type(said: FieldValue) -> LetterType:
    """Returns the type of a letter; raises RefusedError where it is none that is taken."""
    if said.text in set(LetterType):
        return LetterType(said.text)
    rule = f"the letter is one of {', '.join(LetterType)}; its name, type and version agree"
    raise letter_refusal("message_type_not_taken", said.path, rule, "send it to the person it concerns")


def coded(said: FieldValue, codes: Collection[_Code]) -> _Code:
    """Returns the code that a field's text is; raises RefusedError where it is absent or none of these."""
    text = required(said)
    for code in codes:
        if code.value == text:
            return code
    raise letter_refusal(
        "unknown_code", said.path, f"the code is one of: {', '.join(sorted(codes))}, in the letter's syntax"
    )


def letter_time_of(said: FieldValue, not_before: LetterTime | None = None) -> LetterTime:
    """Returns a required time, told as Danish local time; where clocks go back, of the two hours the first.

    ``not_before`` is what happened earlier: then the first of the hours that is no earlier than it, else the last.
    Raises RefusedError where it is no time, or one that clocks pass over.
    """
    moments = _moments_of(said)
    if not_before is None:
        return LetterTime(moments[0], said.path)
    return LetterTime(next((moment for moment in moments if moment >= not_before.at), moments[-1]), said.path)


def end_of(said: FieldValue, told: FieldValue) -> LetterTime:
    """Returns when something ended: of two hours the last that lies before it was told, for it began before.

    A notice of a discharge doesn't say when somebody came, and may have come in the first of the hours.
    """
    latest = _moments_of(told)[-1]
    moments = _moments_of(said)
    return LetterTime(next((moment for moment in reversed(moments) if moment <= latest), moments[0]), said.path)


def _moments_of(said: FieldValue) -> tuple[datetime, ...]:
    text = required(said)
    try:
        local = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        local = None
    if local is None:
        raise letter_refusal(
            "invalid_time", said.path, "the time is a day and an hour that exist, in the syntax's format"
        )
    if not is_possible_time(local.replace(tzinfo=UTC)):
        raise letter_refusal("invalid_time", said.path, "the year is 1900 to 2199")
    moments = danish_moments(local)
    if not moments:
        raise letter_refusal("invalid_time", said.path, HOUR_EXISTS)
    if not all(map(is_possible_time, moments)):
        raise letter_refusal("invalid_time", said.path, "the year is 1900 to 2199")
    return moments


def reference_of(said: FieldValue, form: re.Pattern[str] = REFERENCE) -> str:
    """Returns a number as sent, of a letter or envelope, or with ``PARTY`` who sends or receives one.

    Raises RefusedError where it is absent or not of its form.
    """
    text = required(said)
    if not form.fullmatch(text):
        raise letter_refusal("wrong_form", said.path, "the element has 1 to 35 letters, digits and signs of ASCII")
    return text


def episode_of_field(said: FieldValue) -> str | None:
    """Returns an episode of care's id as all connectors have it (``sender_ids``); None where absent."""
    if said.text is None:
        return None
    episode = normalised(said.text)
    if not _EPISODE.fullmatch(episode):
        raise letter_refusal(
            "wrong_form", said.path, "an episode's id has 1 to 35 printable characters of ASCII, no blanks"
        )
    return episode
