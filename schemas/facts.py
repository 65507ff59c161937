"""Facts: what a pathway remembers of an event. Times are milliseconds since 1970, dates days.

A fact keeps what the domain decides from and nothing else. ``occurred_on`` is the Danish day where the source named
no time, or midnight: ``occurred_at`` is then its start, and the fact may have happened at any time of it. ``parked``
tells that it holds a code this release doesn't know: it neither routes nor takes anything back. ``digest`` is of the
whole statement, so that a second event with the same id and other content is recognised. ``logged_at`` is the
calendar's time of the record that brought it and never part of a digest or an id.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from schemas.events import Consent, Correspondence, Discharge, Enrolment, Intervention, Person, Referral, Reply
from schemas.instants import whole_day_of
from schemas.internal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

#: What a code reads as that is newer than this release.
UNKNOWN = "UNKNOWN"
_NOT_CONTENT = ("sent_at", "recorded_at", "source_sequence", "correlation_id", "causation_id")
_encode = msgspec.msgpack.Encoder().encode


class _Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    event_id: str
    source: str
    digest: int
    logged_at: int
    occurred_at: int
    sent_at: int
    subject: str
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
    occurred_on: int | None = None
    said_alive: bool = False
    parked: bool = False


class CourseFact(_Fact, frozen=True, array_like=True, gc=False, tag="c"):
    """What an enrolment said about a course."""

    programme: str
    track: str | None
    status: str
    status_at: int
    started_on: int | None
    expected_end_on: int | None
    reason_code: str | None
    occurred_on: int | None = None
    parked: bool = False


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
    occurred_on: int | None = None
    parked: bool = False


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
    occurred_on: int | None = None
    parked: bool = False


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
    parked: bool = False


Fact = StayFact | CourseFact | ReferralFact | ConsentFact | PersonFact | CorrespondenceFact
_MODELS: dict[str, tuple[type[BaseModel], type[Fact]]] = {
    "Discharge": (Discharge, StayFact),
    "Enrolment": (Enrolment, CourseFact),
    "Referral": (Referral, ReferralFact),
    "Consent": (Consent, ConsentFact),
    "Person": (Person, PersonFact),
    "Correspondence": (Correspondence, CorrespondenceFact),
}
_EVENTS: tuple[type[BaseModel], ...] = (*(model for model, _ in _MODELS.values()), Reply, Intervention, Signal)
_HEADER = itemgetter("occurred_at", "sent_at", "subject", "correlation_id", "revises", "cancels")
_OWN = {
    name: itemgetter(*(field for field in fact.__struct_fields__[len(_Fact.__struct_fields__) :] if field != "parked"))
    for name, (_, fact) in _MODELS.items()
}
_CONTENT = {
    model.__name__: itemgetter(*(field for field in model.model_fields if field not in _NOT_CONTENT))
    for model in _EVENTS
}


_BY_DAY = frozenset(name for name, (_, fact) in _MODELS.items() if "occurred_on" in fact.__struct_fields__)


def digest64(values: Any) -> int:
    """Returns a 64-bit digest of values, equal for equal ones."""
    return int.from_bytes(blake2b(_encode(values), digest_size=8).digest())


def event_digest(name: str, event: dict[str, Any]) -> int:
    """Returns the digest of a raw event's content: everything but when it was sent, recorded and by which path."""
    return digest64(_CONTENT[name](event))


#: The models whose statements are kept as facts; replies, acts and signals are done once.
FACT_NAMES = frozenset(_MODELS)


def fact_of(name: str, event: dict[str, Any], logged_at: int) -> Fact:
    """Returns the fact of a raw event (``codec.raw_of`` or ``decode_raw``) of the model ``name``."""
    if name == "Consent":
        event = event | {"given_by": tuple(event["given_by"])}
    make: Callable[..., Fact] = _MODELS[name][1]
    digest = event_digest(name, event)
    if name in _BY_DAY and event["occurred_on"] is None:
        event = event | {"occurred_on": whole_day_of(event["occurred_at"])}
    fact = make(event["event_id"], event["source"], digest, logged_at, *_HEADER(event), *_OWN[name](event))
    return fact if unknown_code_of(fact) is None else msgspec.structs.replace(fact, parked=True)


def unknown_code_of(fact: Fact) -> str | None:
    """Returns the name of the field that holds a code this release doesn't know, or None.

    An unknown custody is a statement too, and is no such code.
    """
    match fact:
        case StayFact() | CourseFact():
            return "status" if fact.status == UNKNOWN else None
        case ReferralFact():
            return _first_unknown(status=fact.status, decision=fact.decision)
        case ConsentFact():
            givers = UNKNOWN if UNKNOWN in fact.given_by else None
            return _first_unknown(decision=fact.decision, scope=fact.scope, purpose=fact.purpose, given_by=givers)
        case _:
            return None


def _first_unknown(**codes: str | None) -> str | None:
    return next((name for name, code in codes.items() if code == UNKNOWN), None)
