"""What a broken rule of a model is called at every door: the same code and field, and no value of the input."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.instants import danish_day
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

# No clock that times a message is a day off, and a day forgives whoever names the evening of a day that goes on.
CLOCK_SKEW_MAX = timedelta(hours=24)
_YEAR = 366


class DateLimit(NamedTuple):
    """How far from the day of its receipt a date or a time may lie, in days, both ends included.

    ``from_days`` below 0 lie before it. What is told as past has the limit of ``refuse_untimely`` too.
    """

    from_days: int
    to_days: int


#: Nobody is older than 30 whom a programme serves, so nothing that is told of them is.
LIFE_DAYS = 31 * _YEAR
#: A programme's waiting list: from tomorrow, and for a year. Also asked where a reply comes past the gateway.
WAITLISTED_UNTIL = DateLimit(1, _YEAR)
#: Why a need waits where a consent would let it go on: who owns it may ask for one again.
CONSENT_REASONS = frozenset(
    {
        "consent_missing",
        "consent_wanted",
        "named_consent_wanted",
        "own_consent_wanted",
        "custody_holders_wanted",
        "custody_unknown",
    }
)
DATE_LIMITS: Mapping[str, DateLimit] = {
    # A consent may begin to count later on; everything else has happened.
    "occurred_at": DateLimit(-LIFE_DAYS, _YEAR),
    "sent_at": DateLimit(-LIFE_DAYS, 1),
    "status_at": DateLimit(-LIFE_DAYS, 1),
    "planned_at": DateLimit(-_YEAR, 2 * _YEAR),
    "started_on": DateLimit(-LIFE_DAYS, 2 * _YEAR),
    "ended_on": DateLimit(-LIFE_DAYS, 1),
    # Courses last ten years at most (``course_months``).
    "expected_end_on": DateLimit(-LIFE_DAYS, 10 * _YEAR),
    # A consent lapses a year after it was given at the latest (Sundhedsloven §44), which may lie a year ahead.
    "lapses_at": DateLimit(-LIFE_DAYS, 2 * _YEAR),
    "waitlisted_until": WAITLISTED_UNTIL,
}
# From the end of the day after the receipt, which no clock's skew passes, and a day more for the calendar's.
_LIFE = timedelta(days=LIFE_DAYS + 2)
_FIELD_NAME = re.compile(r"^[A-Za-z_]{1,40}$")
_TIME = "a time is ISO 8601 with its offset from UTC, such as 2026-01-10T09:30:00+01:00"
_DATE = "a date exists and is written YYYY-MM-DD"
_RULES = {
    "json_invalid": ("not_json", "the text is one JSON object"),
    "missing": ("missing_field", "the field is required"),
    "extra_forbidden": ("unknown_field", "only fields of this topic's form are taken"),
    "enum": ("unknown_code", "the code is one of: {expected}"),
    "literal_error": ("unknown_code", "the code is one of: {expected}"),
    "uuid_parsing": ("wrong_form", "an id is a UUID"),
    "uuid_type": ("wrong_form", "an id is a UUID"),
    "datetime_type": ("wrong_form", _TIME),
    "datetime_parsing": ("impossible_time", _TIME),
    "datetime_from_date_parsing": ("impossible_time", _TIME),
    "impossible_time": ("impossible_time", "a time lies in the years 1900 to 2199, in UTC"),
    "time_ahead": ("time_ahead", "what has happened lies no later than its receipt; clocks may differ by 24 hours"),
    "time_long_ago": ("time_long_ago", f"what has happened lies at most {LIFE_DAYS} days before its receipt"),
    "date_type": ("wrong_form", _DATE),
    "date_parsing": ("impossible_date", _DATE),
    "date_from_datetime_parsing": ("impossible_date", _DATE),
    "date_from_datetime_inexact": ("impossible_date", _DATE),
    "impossible_date": ("impossible_date", "a date lies in the years 1850 to 2199"),
    "string_type": ("wrong_form", "the field is a text"),
    "string_too_short": ("wrong_form", "the text has at least {min_length} characters"),
    "string_too_long": ("wrong_form", "the text has at most {max_length} characters"),
    "string_pattern_mismatch": ("wrong_form", "the text matches {pattern}"),
    "too_long": ("too_many", "the list has at most {max_length} entries"),
    "repeated_code": ("repeated_code", "the list holds each code once"),
    "bool_type": ("wrong_form", "the field is true or false"),
    "int_type": ("wrong_form", "the field is a whole number"),
    "greater_than_equal": ("wrong_form", "the number is at least {ge}"),
    "less_than_equal": ("wrong_form", "the number is at most {le}"),
    "value_error": ("wrong_form", "{error}"),
    "unspecific_consent": ("unspecific_consent", "a consent names its receiver or its purpose, or both"),
    "contradicting_custody": ("contradicting_custody", "of a sole custody there is one holder, custody_holder, alone"),
    "impossible_link": ("impossible_link", "a link or its undoing names one young person, and one other"),
}
_OTHERWISE = ("wrong_form", "the field has the form that the gateway's /docs describes")


def first_refusal_of(error: ValidationError, help_text: str) -> Refusal:
    """Returns the first broken rule as a refusal."""
    return refusals_of(error, help_text)[0]


def refusals_of(error: ValidationError, help_text: str) -> tuple[Refusal, ...]:
    """Returns every broken rule as a refusal.

    ``value_error`` texts are this project's own and hold no input; pydantic's messages may, and are not used.
    """
    return tuple(_refusal(one, help_text) for one in error.errors(include_input=False, include_url=False))


def refusal_for(kind: str, field: str, help_text: str) -> Refusal:
    """Returns the refusal of a field for a kind of broken rule that has no values in its text."""
    code, rule = _RULES[kind]
    return Refusal(code, field, rule, help_text)


def refuse_untimely(happened: Mapping[str, datetime | None], latest: datetime, help_text: str) -> None:
    """Raises RefusedError for the first field whose time is told as past and lies after ``latest``, or a life before.

    Doors ask it as of their receipt, and the fold never does: there the newest statement stands, and one from a year
    that has not come would stand until then. Plans, ends of periods and what begins to count later are not its matter.
    """
    for field, moment in happened.items():
        if moment is not None and moment > latest:
            raise RefusedError(refusal_for("time_ahead", field, help_text))
        if moment is not None and moment < latest - _LIFE:
            raise RefusedError(refusal_for("time_long_ago", field, help_text))


def refuse_outside(dates: Mapping[str, date | datetime | None], received_at: datetime, help_text: str) -> None:
    """Raises RefusedError for the first date or time that lies outside its field's limit (``DATE_LIMITS``)."""
    today = danish_day(received_at)
    for field, told in dates.items():
        if told is not None:
            day = danish_day(told) if isinstance(told, datetime) else told
            limit = DATE_LIMITS[field]
            if not limit.from_days <= (day - today).days <= limit.to_days:
                raise RefusedError(Refusal("date_out_of_bounds", field, _rule_of(limit), help_text))


def _rule_of(limit: DateLimit) -> str:
    if limit.from_days < 0:
        return f"a date lies at most {-limit.from_days} days before the day of its receipt, {limit.to_days} after it"
    return f"a date lies {limit.from_days} to {limit.to_days} days after the day of its receipt"


def shown_name(name: str) -> str:
    """Returns a key of the input where it looks like a field's name, else words in its place.

    A key can hold anything, a person's name too, and no answer or log repeats what may be personal.

    >>> shown_name("statu"), shown_name("Jens Hansen")
    ('statu', '(another name)')
    """
    return name if _FIELD_NAME.fullmatch(name) else "(another name)"


def _refusal(problem: Mapping[str, Any], help_text: str) -> Refusal:
    code, rule = _RULES.get(problem["type"], _OTHERWISE)
    return Refusal(code, _path(problem["loc"]), rule.format(**problem.get("ctx", {})), help_text)


def _path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{shown_name(part)}" for part in location]
    return "".join(parts).removeprefix(".") or "body"
