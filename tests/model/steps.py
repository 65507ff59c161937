"""What a history is made of: statements that come in, answers, persons' acts, catalogue changes, each at a log time.

A step names other steps by their names and handovers by programme ("the latest to headspace"), never by a derived id,
so that a history still makes sense where steps are taken out of it. Times are milliseconds; in a printed test they are
Danish local time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.codec import raw_of
from schemas.events import Consent, Correspondence, Discharge, Enrolment, Intervention, Person, Referral, Reply
from schemas.identifiers import derived_text
from schemas.instants import days_of, milliseconds_of
from schemas.internal import Signal

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SOURCE = "sor:900000000000001"
NUMBERS = tuple(str(number) * 32 for number in range(1, 4))
PSYCHIATRY, OTHER_PSYCHIATRY = "900000000001001", "900000000001004"
EMERGENCY, SOMATIC, UNKNOWN_UNIT = "900000000001002", "900000000001003", "900000000009999"
_TIMES = frozenset({"occurred_at", "sent_at", "recorded_at", "status_at", "planned_at", "lapses_at"})
_DAYS = frozenset({"birth_date", "started_on", "ended_on", "expected_end_on", "waitlisted_until"})
#: An answer in a mood below this is any reply to any handover, whether or not it fits.
MOOD_OF_ODD = 0.05
_NAMES = frozenset({"revises", "cancels"})


@dataclass(frozen=True, slots=True)
class Told:
    """A statement of a source about a number: ``fields`` are those in which it differs from the plainest one."""

    at: int
    model: str
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A programme's reply to the latest handover but ``back`` that it was told of, or to one told to ``about``.

    ``mood`` below 1 lets the run choose a reply that fits (low) or doesn't (high); a printed one names its status.
    """

    at: int
    name: str
    programme: str = ""
    status: str = ""
    back: int = 0
    about: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    mood: float = 1.0


@dataclass(frozen=True, slots=True)
class Act:
    """A person's decision about the latest need but ``back`` of a number."""

    at: int
    name: str
    action: str
    back: int = 0
    number: int = 0
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A new version of the catalogue: ``what`` is one of ``catalogues.CHANGES``, with the programme it is about."""

    at: int
    what: str
    programme: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """A programme's word on its free places."""

    at: int
    programme: str
    site: str | None
    free: int


Step = Told | Answer | Act | Change | Places


@dataclass(frozen=True, slots=True)
class History:
    """Steps in log order. Signals between keys take ``delays`` by turns; ``quiet_days`` pass after the last step."""

    steps: tuple[Step, ...]
    seed: int = -1
    delays: tuple[int, ...] = (0,)
    quiet_days: int = 40


def at(text: str) -> int:
    """Returns the milliseconds of a Danish local time, ``2026-02-02 10:00``, or of one with its offset."""
    moment = datetime.fromisoformat(text)
    return milliseconds_of(moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN))


def text_of(moment: int) -> str:
    """Returns a time as ``at`` reads it."""
    local = datetime.fromtimestamp(moment / 1000, COPENHAGEN)
    plain = local.replace(tzinfo=None)
    text = plain.isoformat(" ", "minutes" if plain.second == plain.microsecond == 0 else "milliseconds")
    return text if at(text) == moment else local.isoformat(" ")


def local_of(moment: int) -> datetime:
    """Returns a time in Copenhagen."""
    return datetime.fromtimestamp(moment / 1000, COPENHAGEN)


def day_of_moment(moment: int) -> int:
    """Returns the Danish day of a time, in days since 1970."""
    return days_of(local_of(moment).date())


def midnight_of(day: int) -> int:
    """Returns the Danish midnight that a day begins with."""
    moment = date.fromordinal(day + date(1970, 1, 1).toordinal())
    return milliseconds_of(datetime(moment.year, moment.month, moment.day, tzinfo=COPENHAGEN))


@cache
def id_of(name: str) -> str:
    """Returns the id of an event that is known by a name."""
    return derived_text("model", name)


def raw_event(step: Told) -> dict[str, Any]:
    """Returns a statement in its raw form."""
    return _filled(step.model, step.name, step.at, step.fields) | {"youth_id": NUMBERS[step.number]}


def raw_reply(step: Answer, handover_id: str, youth_id: str) -> dict[str, Any]:
    """Returns a programme's reply in its raw form."""
    own = {"programme": step.programme, "status": step.status, "source": step.programme, "subject": handover_id}
    return _filled("Reply", step.name, step.at, own | step.fields) | {"youth_id": youth_id}


def raw_act(step: Act, need_id: str) -> dict[str, Any]:
    """Returns a person's decision in its raw form."""
    own = {"action": step.action, "subject": need_id}
    return _filled("Intervention", step.name, step.at, own | step.fields) | {"youth_id": NUMBERS[step.number]}


def raw_signal(event_id: str, about: str, now: int, content: dict[str, Any]) -> dict[str, Any]:
    """Returns a signal of a programme's to a young person, in its raw form."""
    header = {"event_id": event_id, "source": "brobygger", "correlation_id": about, "subject": about}
    times = dict.fromkeys(("occurred_at", "sent_at", "recorded_at"), now)
    return _plainest("Signal") | header | times | content


def _filled(model: str, name: str, moment: int, fields: dict[str, Any]) -> dict[str, Any]:
    event = dict(_plainest(model))
    event["event_id"] = id_of(name)
    event["subject"] = name
    event["occurred_at"] = event["sent_at"] = event["recorded_at"] = moment
    if "status_at" in event:
        event["status_at"] = moment
    for key, value in fields.items():
        event[key] = _read(key, value)
    event["sent_at"] = max(event["sent_at"], event["occurred_at"])
    return event


def _read(key: str, value: Any) -> Any:
    if isinstance(value, str):
        if key in _TIMES:
            return at(value)
        if key in _DAYS:
            return days_of(date.fromisoformat(value))
        if key in _NAMES:
            return id_of(value)
    return list(value) if isinstance(value, tuple) else value


@cache
def _plainest(model: str) -> dict[str, Any]:
    """Returns the plainest statement of a model, raw; every other is it with changes."""
    moment = datetime.fromisoformat("2026-01-01T08:00:00+01:00")
    header = {
        "event_id": id_of("plainest"),
        "source": SOURCE,
        "correlation_id": id_of("correlation"),
        "occurred_at": moment,
        "sent_at": moment,
        "recorded_at": moment,
        "youth_id": NUMBERS[0],
        "subject": "plainest",
    }
    return raw_of(MODELS[model].model_validate(header | _LEAST[model]))


MODELS: dict[str, Any] = {
    one.__name__: one
    for one in (Consent, Correspondence, Discharge, Enrolment, Intervention, Signal, Person, Referral, Reply)
}
_LEAST: dict[str, dict[str, Any]] = {
    "Consent": {
        "decision": "given",
        "given_by": ("young_person",),
        "scope": "anonymous",
        "purpose": "aftercare",
        "evidence": "signed",
        "recorded_by": SOURCE,
    },
    "Correspondence": {"category": "regarding_referral"},
    "Discharge": {"episode_id": "e1", "status": "admitted", "stay_class": "inpatient", "unit": PSYCHIATRY},
    "Enrolment": {"programme": "stime", "status": "active", "status_at": "2026-01-01T08:00:00+01:00"},
    "Intervention": {"action": "assigned", "actor": "municipality-0217", "role": "owner"},
    "Signal": {"topic": "slot_answer", "content": "{}"},
    "Person": {},
    "Referral": {"referred_from": "municipality-0217", "status": "active", "status_at": "2026-01-01T08:00:00+01:00"},
    "Reply": {"programme": "headspace", "status": "accepted"},
}
