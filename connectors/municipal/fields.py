"""Which fields a row may fill, by what the list tells, and what kind of value each takes.

The names are those of ``POST /events/{topic}``, which a row becomes; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from schemas.codes import (
    ConsentDecision,
    ConsentGiver,
    CourseStatus,
    Custody,
    Identity,
    NeedKind,
    ReferralStatus,
    Specialty,
    StayClass,
    StayStatus,
    VisitationDecision,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class ListEvent(StrEnum):
    """What each row of a list tells about."""

    REFERRAL = "referral"
    ENROLMENT = "enrolment"
    CONSENT = "consent"
    DISCHARGE = "discharge"

    @property
    def topic(self) -> str:
        """Returns the topic of its statements.

        >>> ListEvent.REFERRAL.topic
        'referrals'
        """
        return f"{self}s"


class FieldKind(Enum):
    """What a cell holds."""

    TEXT = "a text"
    CODE = "a code"
    CODES = "codes, with commas between them"
    REASON = "a reason code"
    DAY = "a date"
    MOMENT = "a date, with or without a time"
    FLAG = "yes or no"
    NUMBER = "a whole number"
    PERSON_NUMBER = "a CPR number or a replacement number"
    MUNICIPALITY = "a municipality's code"


@dataclass(frozen=True, slots=True)
class Field:
    """A field's kind, and its codes where it has any."""

    kind: FieldKind
    codes: tuple[str, ...] = ()


def _codes(kind: FieldKind, codes: type[StrEnum]) -> Field:
    return Field(kind, tuple(code.value for code in codes if code != "UNKNOWN"))


TEXT, REASON, DAY, MOMENT, FLAG, NUMBER = map(
    Field, (FieldKind.TEXT, FieldKind.REASON, FieldKind.DAY, FieldKind.MOMENT, FieldKind.FLAG, FieldKind.NUMBER)
)
PERSON = "person."
NUMBER_OF_PERSON = "person.cpr"
_PERSON = {
    NUMBER_OF_PERSON: Field(FieldKind.PERSON_NUMBER),
    "person.municipality": Field(FieldKind.MUNICIPALITY),
    "person.name": TEXT,
    "person.address": TEXT,
    "person.phone": TEXT,
    "person.protected": FLAG,
}
_EVERY = {"subject": TEXT, "occurred_at": MOMENT, "sent_at": MOMENT, "source_sequence": NUMBER} | _PERSON
_COURSE = {"programme": TEXT, "track": TEXT, "site": TEXT, "status_at": MOMENT, "reason_code": REASON}
FIELDS: Mapping[ListEvent, Mapping[str, Field]] = {
    ListEvent.REFERRAL: _EVERY
    | _COURSE
    | {
        "referred_from": TEXT,
        "referred_to": TEXT,
        "needs": _codes(FieldKind.CODES, NeedKind),
        "status": _codes(FieldKind.CODE, ReferralStatus),
        "decision": _codes(FieldKind.CODE, VisitationDecision),
        "bridging": FLAG,
    },
    ListEvent.ENROLMENT: _EVERY
    | _COURSE
    | {
        "status": _codes(FieldKind.CODE, CourseStatus),
        "started_on": DAY,
        "ended_on": DAY,
        "expected_end_on": DAY,
    },
    ListEvent.CONSENT: _EVERY
    | {
        "decision": _codes(FieldKind.CODE, ConsentDecision),
        "given_by": _codes(FieldKind.CODES, ConsentGiver),
        "custody": _codes(FieldKind.CODE, Custody),
        "youth_unable": FLAG,
        "scope": _codes(FieldKind.CODE, Identity),
        "receiver": TEXT,
        "purpose": _codes(FieldKind.CODE, NeedKind),
        "evidence": REASON,
        "recorded_by": TEXT,
        "lapses_at": MOMENT,
    },
    ListEvent.DISCHARGE: _EVERY
    | {
        "episode_id": TEXT,
        "status": _codes(FieldKind.CODE, StayStatus),
        "stay_class": _codes(FieldKind.CODE, StayClass),
        "unit": TEXT,
        "specialty": _codes(FieldKind.CODE, Specialty),
        "planned_at": MOMENT,
    },
}
# What a statement can't do without; ids and the times are made up for where a list has none (see ``mapping``).
REQUIRED: Mapping[ListEvent, frozenset[str]] = {
    ListEvent.REFERRAL: frozenset({NUMBER_OF_PERSON, "referred_from", "status"}),
    ListEvent.ENROLMENT: frozenset({NUMBER_OF_PERSON, "programme", "status"}),
    ListEvent.CONSENT: frozenset({NUMBER_OF_PERSON, "decision", "given_by", "scope", "evidence", "recorded_by"}),
    ListEvent.DISCHARGE: frozenset({NUMBER_OF_PERSON, "status", "unit"}),
}
