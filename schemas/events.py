"""The public events: statements about referrals, stays, courses, consents and handovers.

Every model is frozen and refuses unknown fields. Times are aware; they are kept in UTC with
millisecond precision, because that is what the log's own timestamps have.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, LiteralString, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.codes import (
    ConsentDecision,
    ConsentGiver,
    CorrespondenceForm,
    CourseStatus,
    Custody,
    Identity,
    InterventionAction,
    NeedKind,
    ReferralStatus,
    Remark,
    ReplyStatus,
    Side,
    Specialty,
    StayClass,
    StayStatus,
    VisitationDecision,
)
from schemas.instants import is_possible_date, is_possible_time

_Code = TypeVar("_Code", bound=StrEnum)


def _in_utc_milliseconds(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset from UTC, e.g. 2026-01-10T09:30:00+01:00")
    if not is_possible_time(moment):
        raise PydanticCustomError("impossible_time", "a time lies in the years 1900 to 2199, in UTC")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _each_once(codes: tuple[_Code, ...]) -> tuple[_Code, ...]:
    known = [code for code in codes if code != "UNKNOWN"]
    if len(set(known)) < len(known):
        raise PydanticCustomError("repeated_code", "a list holds each code once")
    return codes


def _in_calendar(day: date) -> date:
    if not is_possible_date(day):
        raise PydanticCustomError("impossible_date", "a date lies in the years 1850 to 2199")
    return day


def _written_out(kind: LiteralString, told: Any) -> Any:
    """Returns the time or date that a text tells; what is no text is left to the field's own type.

    A text of digits is a count since 1970 to pydantic, in strict JSON too: ``20260110`` would be in August 1970.
    """
    if not isinstance(told, str):
        return told
    form, adapter = _WRITTEN[kind]
    try:
        if form.match(told):
            return adapter.validate_python(told)
    except ValidationError:
        pass  # its own error holds what was told
    raise PydanticCustomError(f"{kind}_parsing", "a date is written YYYY-MM-DD")


_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_WRITTEN: dict[str, tuple[re.Pattern[str], TypeAdapter[Any]]] = {
    "datetime": (re.compile(_DAY), TypeAdapter(datetime)),
    "date": (re.compile(rf"{_DAY}\Z"), TypeAdapter(date)),
}
Moment = Annotated[datetime, BeforeValidator(partial(_written_out, "datetime")), AfterValidator(_in_utc_milliseconds)]
Day = Annotated[date, BeforeValidator(partial(_written_out, "date")), AfterValidator(_in_calendar)]
#: Each code once. A later release may have more of them than this one knows, which all are UNKNOWN here.
_Codes = Annotated[
    tuple[_Code, ...], Field(max_length=16, json_schema_extra={"uniqueItems": True}), AfterValidator(_each_once)
]
Needs = _Codes[NeedKind]
Remarks = _Codes[Remark]
Givers = _Codes[ConsentGiver]
#: Control characters, C1's too, and signs that turn the direction of a text or begin a line: no name has them.
UNFIT_SIGNS = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
PLAIN_TEXT = rf"^[^{UNFIT_SIGNS}]+$"
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN_TEXT)]
#: A number that a log, a source or a version counts up; Avro's long holds no more.
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
ReasonCode = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
Municipality = Annotated[str, Field(pattern=r"^0[0-9]{3}$")]
OccurredOn = Annotated[
    Day | None,
    Field(description="the Danish day, where the source named no time; occurred_at is then the start of that day"),
]
PseudonymousId = Annotated[str, Field(min_length=8, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


#: The ``episode_id`` of a step whose sender names no episode of care, as letters before FHIR often don't.
UNNUMBERED = "unnumbered"


class EventHeader(BaseModel):
    """What every record starts with, whatever it is about.

    ``youth_id`` is the record's key: the vault's random id, on handovers and replies the programme's
    own pseudonym, absent where no young person is meant. ``subject`` names the referral, stay,
    course, consent or handover; ``revises`` and ``cancels`` name earlier events of the same chain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    event_id: UUID
    source: Name
    source_sequence: Count | None = None
    correlation_id: UUID
    causation_id: UUID | None = None
    occurred_at: Moment
    sent_at: Moment
    recorded_at: Moment
    youth_id: PseudonymousId | None = None
    subject: Name
    revises: UUID | None = None
    cancels: UUID | None = None


class Referral(EventHeader):
    """A referral, its visitation decision, or a programme's wish to bridge a young person upward."""

    referred_from: Name
    referred_to: Name | None = None
    programme: Name | None = None
    track: Name | None = None
    site: Name | None = None
    needs: Needs = ()
    status: ReferralStatus
    status_at: Moment
    decision: VisitationDecision | None = None
    reason_code: ReasonCode | None = None
    bridging: bool = False
    bridged_from: UUID | None = Field(
        default=None, description="the handover that this bridging goes on from, as its programme knows it"
    )
    occurred_on: OccurredOn = None


class Discharge(EventHeader):
    """One step of a stay: HospitalNotification 3.0, or an older letter's, a list's or JSON's statement of the same.

    ``subject`` is the sender's letter; ``episode_id`` the episode of care, ``unnumbered`` where the sender names
    none: the stay at that time, whatever its id. A step with ``cancels`` names in ``status`` what the cancelled step
    said. ``planned_at`` stands on a planned discharge alone.
    """

    episode_id: Name
    status: StayStatus
    stay_class: StayClass = StayClass.UNKNOWN
    unit: Name
    specialty: Specialty = Specialty.UNKNOWN
    notification: Name | None = Field(default=None, description="MedCom's code, e.g. AN_SLHJ")
    planned_at: Moment | None = None
    remarks: Remarks = ()
    occurred_on: OccurredOn = None
    said_alive: bool = Field(
        default=False,
        description="the sender says that the patient lives: undoes a death that it told of this episode before, and "
        "nothing else, since systems say so by default",
    )


class Enrolment(EventHeader):
    """A young person's course in a programme; ``subject`` is the course."""

    programme: Name
    track: Name | None = None
    site: Name | None = None
    status: CourseStatus
    status_at: Moment
    started_on: Day | None = None
    ended_on: Day | None = None
    expected_end_on: Day | None = None
    reason_code: ReasonCode | None = None
    occurred_on: OccurredOn = None


def names_other_of_sole(custody: Custody, givers: tuple[ConsentGiver, ...]) -> bool:
    """Tells whether a consent contradicts itself: of a sole custody there is no other holder."""
    return custody == Custody.SOLE and ConsentGiver.OTHER_CUSTODY_HOLDER in givers


class Consent(EventHeader):
    """A consent given, refused or withdrawn; lapses a year after ``occurred_at`` (Sundhedsloven §44).

    ``receiver`` is a programme, ``purpose`` a kind of need; one of them at least is named
    (Forvaltningsloven §28: specific). ``anonymous`` covers an offer without identity only.
    """

    decision: ConsentDecision
    given_by: Givers
    custody: Custody = Custody.UNKNOWN
    youth_unable: bool = Field(default=False, description="a professional found that a 15-17-year-old cannot judge")
    scope: Identity
    receiver: Name | None = None
    purpose: NeedKind | None = None
    evidence: ReasonCode
    recorded_by: Name
    lapses_at: Moment | None = None
    occurred_on: OccurredOn = None

    @model_validator(mode="after")
    def _names_whom_or_what_for(self) -> Self:
        if self.decision == ConsentDecision.GIVEN and self.receiver is None and self.purpose is None:
            raise PydanticCustomError("unspecific_consent", "a consent names its receiver or its purpose")
        return self

    @model_validator(mode="after")
    def _knows_as_many_holders_as_there_are(self) -> Self:
        if names_other_of_sole(self.custody, self.given_by):
            raise PydanticCustomError("contradicting_custody", "of a sole custody there is no other holder")
        return self


class Correspondence(EventHeader):
    """A letter in free text, of which nothing but its kind is known here: somebody has to read it in their mailbox.

    ``category`` is the sender's code with underscores (CareCommunication's ``regarding_referral``), or the letter's
    type where it has none (``dis91``). Neither text, heading nor attachment is ever published.
    """

    category: ReasonCode
    form: CorrespondenceForm = CorrespondenceForm.NEW
    episode_id: Name | None = None


class Reply(EventHeader):
    """A programme's answer; ``subject`` is the handover, ``youth_id`` the programme's pseudonym."""

    programme: Name
    status: ReplyStatus
    side: Side | None = None
    reason_code: ReasonCode | None = None
    waitlisted_until: Day | None = None
    free_places: Annotated[int, Field(ge=0, le=100_000)] | None = None
    site: Name | None = None


class Person(EventHeader):
    """What is known of a young person for routing. Internal: never on a public topic.

    A birth date that is absent is unknown (replacement numbers), and a person decides. A number that was replaced by
    another is told of under the youth id of the replaced one: ``linked_to`` is the youth id of the number that stands
    for the same person from now on, ``unlinked_from`` of the one that it turns out not to belong to. Youth ids stay.
    """

    birth_date: Day | None = None
    municipality: Municipality | None = None
    protected: bool = False
    linked_to: PseudonymousId | None = None
    unlinked_from: PseudonymousId | None = None

    @model_validator(mode="after")
    def _links_one_other(self) -> Self:
        others = [other for other in (self.linked_to, self.unlinked_from) if other is not None]
        if len(others) > 1 or (others and self.youth_id in {None, *others}):
            raise PydanticCustomError("impossible_link", "a link names one young person, and one other")
        return self


class Intervention(EventHeader):
    """What a person decided about a need; ``subject`` is the need."""

    action: InterventionAction
    actor: Name
    role: Name
    programme: Name | None = None
    reason_code: ReasonCode | None = None
