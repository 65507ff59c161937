"""Facts: what a pathway remembers of an event. Times are milliseconds since 1970, dates days.

A fact keeps what the domain decides from and nothing else; ``digest`` is of the whole statement, so that
a second event with the same id and other content is recognised. ``logged_at`` is the calendar's time of the
record that brought it and never part of a digest or an id.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from schemas.codes import ConsentDecision, StayStatus

_NOT_CONTENT = ("sent_at", "recorded_at", "source_sequence", "correlation_id", "causation_id")
_encode = msgspec.msgpack.Encoder().encode


class _Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    event_id: str
    source: str
    digest: int
    logged_at: int
    occurred_at: int
    sent_at: int
    statement_id: str
    correlation_id: str
    revises: str | None
    cancels: str | None


class StayFact(_Fact, frozen=True, array_like=True, gc=False, tag="s"):
    """One step of a stay."""

    episode_id: str
    status: str
    stay_class: str
    unit: str
    specialty: str
    planned_at: int | None


class CourseFact(_Fact, frozen=True, array_like=True, gc=False, tag="c"):
    """What an enrolment said about a course."""

    programme: str
    track: str | None
    status: str
    status_at: int
    started_on: int | None
    expected_end_on: int | None
    reason_code: str | None


class ReferralFact(_Fact, frozen=True, array_like=True, gc=False, tag="r"):
    """What a referral said, its visitation decision among it."""

    referred_from: str
    programme: str | None
    site: str | None
    status: str
    status_at: int
    decision: str | None
    reason_code: str | None
    bridging: bool
    bridged_from: str | None


class ConsentFact(_Fact, frozen=True, array_like=True, gc=False, tag="k"):
    """A consent given, refused or withdrawn."""

    decision: str
    given_by: tuple[str, ...]
    custody: str
    youth_unable: bool
    scope: str
    receiver: str | None
    purpose: str | None
    recorded_by: str
    lapses_at: int | None


class PersonFact(_Fact, frozen=True, array_like=True, gc=False, tag="p"):
    """Birth date and home municipality as one source states them."""

    birth_date: int | None
    municipality: str | None


Fact = StayFact | CourseFact | ReferralFact | ConsentFact | PersonFact
_FACTS: dict[str, type[Fact]] = {
    "Discharge": StayFact,
    "Enrolment": CourseFact,
    "Referral": ReferralFact,
    "Consent": ConsentFact,
    "Person": PersonFact,
}
_OWN_FIELDS = {name: fact.__struct_fields__[len(_Fact.__struct_fields__) :] for name, fact in _FACTS.items()}


def digest_of(event: dict[str, Any]) -> int:
    """Returns a 64-bit digest of an event's content: everything but when it was sent, recorded and by which path."""
    content = [value for name, value in event.items() if name not in _NOT_CONTENT]
    return int.from_bytes(blake2b(_encode(content), digest_size=8).digest())


def fact_of(name: str, event: dict[str, Any], logged_at: int) -> Fact:
    """Returns the fact of a raw event (``codec.raw_of`` or ``decode_raw``) of the model ``name``."""
    own = _OWN_FIELDS[name]
    values: list[Any] = [tuple(value) if isinstance(value := event[field], list) else value for field in own]
    return _FACTS[name](
        event["event_id"],
        event["source"],
        digest_of(event),
        logged_at,
        event["occurred_at"],
        event["sent_at"],
        event["statement_id"],
        event["correlation_id"],
        event["revises"],
        event["cancels"],
        *values,
    )


def unknown_code_of(fact: Fact) -> str | None:
    """Returns the name of the field that holds a code this release doesn't know, or None."""
    match fact:
        case StayFact(status=StayStatus.UNKNOWN):
            return "status"
        case CourseFact(status="UNKNOWN") | ReferralFact(status="UNKNOWN"):
            return "status"
        case ReferralFact(decision="UNKNOWN"):
            return "decision"
        case ConsentFact(decision=ConsentDecision.UNKNOWN):
            return "decision"
        case ConsentFact(scope="UNKNOWN"):
            return "scope"
        case _:
            return None
