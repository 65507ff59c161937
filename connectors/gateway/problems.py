"""Turns what pydantic found wrong into a refusal: a path, a rule, what to do, and no value of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gateway.json_reader import shown_name
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

_HELP = "see /docs for the form of this topic's statements"
_TIME = "a time is ISO 8601 with its offset from UTC, such as 2026-01-10T09:30:00+01:00"
_DATE = "a date exists and is written YYYY-MM-DD"
_RULES = {
    "missing": ("missing_field", "the field is required"),
    "extra_forbidden": ("unknown_field", "only fields of this topic's form are taken"),
    "enum": ("unknown_code", "the code is one of: {expected}"),
    "uuid_parsing": ("wrong_form", "an id is a UUID"),
    "uuid_type": ("wrong_form", "an id is a UUID"),
    "datetime_type": ("wrong_form", _TIME),
    "datetime_parsing": ("impossible_time", _TIME),
    "datetime_from_date_parsing": ("impossible_time", _TIME),
    "date_type": ("wrong_form", _DATE),
    "date_parsing": ("impossible_date", _DATE),
    "date_from_datetime_parsing": ("impossible_date", _DATE),
    "date_from_datetime_inexact": ("impossible_date", _DATE),
    "string_type": ("wrong_form", "the field is a text"),
    "string_too_short": ("wrong_form", "the text has at least {min_length} characters"),
    "string_too_long": ("wrong_form", "the text has at most {max_length} characters"),
    "string_pattern_mismatch": ("wrong_form", "the text matches {pattern}"),
    "bool_type": ("wrong_form", "the field is true or false"),
    "int_type": ("wrong_form", "the field is a whole number"),
    "greater_than_equal": ("wrong_form", "the number is at least {ge}"),
    "less_than_equal": ("wrong_form", "the number is at most {le}"),
    "value_error": ("wrong_form", "{error}"),
    "unspecific_consent": ("unspecific_consent", "a consent names its receiver or its purpose, or both"),
}
_OTHERWISE = ("wrong_form", "the field has the form that /docs describes")


def refusal_of(error: ValidationError) -> Refusal:
    """Returns the first problem as a refusal.

    ``value_error`` texts are this project's own and hold no input; pydantic's messages may, and are not used.
    """
    problem: Mapping[str, Any] = error.errors(include_input=False, include_url=False)[0]
    code, rule = _RULES.get(problem["type"], _OTHERWISE)
    return Refusal(code, _path(problem["loc"]), rule.format(**problem.get("ctx", {})), _HELP)


def _path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{shown_name(part)}" for part in location]
    return "".join(parts).removeprefix(".") or "body"
