"""Facts: what a pathway remembers of an event. Times are milliseconds since 1970, dates days.

A fact keeps what the domain decides from and nothing else; ``digest`` is of the whole statement, so that
a second event with the same id and other content is recognised. ``logged_at`` is the calendar's time of the
record that brought it and never part of a digest or an id.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from schemas.codes import ConsentDecision, StayStatus
from schemas.events import Consent, Correspondence, Discharge, Enrolment, Intervention, Person, Referral, Reply
from schemas.internal import Letter

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

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
    said_alive: bool = False


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
    linked_to: str | None = None
    unlinked_from: str | None = None


class CorrespondenceFact(_Fact, frozen=True, array_like=True, gc=False, tag="l"):
    """A letter in free text that somebody has to read."""

    category: str
    form: str
    episode_id: str | None


Fact = StayFact | CourseFact | ReferralFact | ConsentFact | PersonFact | CorrespondenceFact
_MODELS: dict[str, tuple[type[BaseModel], type[Fact]]] = {
    "Discharge": (Discharge, StayFact),
    "Enrolment": (Enrolment, CourseFact),
    "Referral": (Referral, ReferralFact),
    "Consent": (Consent, ConsentFact),
    "Person": (Person, PersonFact),
    "Correspondence": (Correspondence, CorrespondenceFact),
}
_EVENTS: tuple[type[BaseModel], ...] = (*(model for model, _ in _MODELS.values()), Reply, Intervention, Letter)
_ENVELOPE = itemgetter("occurred_at", "sent_at", "statement_id", "correlation_id", "revises", "cancels")
_OWN = {
    name: itemgetter(*fact.__struct_fields__[len(_Fact.__struct_fields__) :]) for name, (_, fact) in _MODELS.items()
}
_CONTENT = {
    model.__name__: itemgetter(*(field for field in model.model_fields if field not in _NOT_CONTENT))
    for model in _EVENTS
}


def digest_of(values: Any) -> int:
    """Returns a 64-bit digest of values, equal for equal ones."""
    return int.from_bytes(blake2b(_encode(values), digest_size=8).digest())


def content_digest(name: str, event: dict[str, Any]) -> int:
    """Returns the digest of a raw event's content: everything but when it was sent, recorded and by which path."""
    return digest_of(_CONTENT[name](event))


def fact_of(name: str, event: dict[str, Any], logged_at: int) -> Fact:
    """Returns the fact of a raw event (``codec.raw_of`` or ``decode_raw``) of the model ``name``."""
    if name == "Consent":
        event = event | {"given_by": tuple(event["given_by"])}
    make: Callable[..., Fact] = _MODELS[name][1]
    digest = content_digest(name, event)
    return make(event["event_id"], event["source"], digest, logged_at, *_ENVELOPE(event), *_OWN[name](event))


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
