"""What stage 2 publishes: handovers to programmes, notices to people, and the public view of a pathway."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import Disclosed, HandoverEventType, Identity, NeedKind, NoticeKind
from schemas.events import Count, EventHeader, Moment, Municipality, Name, ReasonCode

#: What answers a programme's reply.
ANSWERS = frozenset(
    {HandoverEventType.REPLY_ACCEPTED, HandoverEventType.REPLY_REFUSED, HandoverEventType.IDENTITY_GRANTED}
)


class HandoverEvent(EventHeader):
    """What a programme is told about one handover; ``youth_id`` is the programme's own pseudonym.

    An anonymous handover has a pseudonym of its own. Ids and times are the pseudonym's: under another the same have
    others. Times are 30 to 90 seconds early, so that a deadline is never shown too late.

    ``subject`` is the handover. A heads-up (announced) carries week, age band and municipality
    and neither unit nor course. ``reason_code`` says why it was withdrawn or a reply was refused, and never
    more than the programme needs: a death is only ``withdrawn``. The answer to a reply names it in
    ``causation_id``, where no other cause is named; ``identity_granted`` is such an answer, its ``event_id`` the grant.
    """

    type: HandoverEventType
    programme: Name
    programme_version: Count
    site: Name | None = None
    need_kind: NeedKind
    identity: Identity
    age_band: Name | None = None
    municipality: Municipality | None = None
    trigger: ReasonCode | None = None
    expected_week: Name | None = None
    appointment_on: date | None = None
    occurred_on: date | None = None
    reply_by: Moment | None = None
    first_contact_by: Moment | None = None
    reason_code: ReasonCode | None = None
    state: ReasonCode | None = None


class OptionView(BaseModel):
    """One programme that a decision looked at, and why it lost; ``offered`` where it won."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    programme: Name
    outcome: ReasonCode


class Notice(EventHeader):
    """What a source or a person must do; ``subject`` is the need or the stay it is about."""

    kind: NoticeKind
    recipient: Name
    need_kind: NeedKind | None = None
    due_at: Moment | None = None
    reason_code: ReasonCode | None = None
    options: tuple[OptionView, ...] = ()
    trigger_reason: ReasonCode | None = Field(default=None, description="why the trigger came, as its source told it")


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Disclosure(EventHeader):
    """Who was told what about a young person, when and why; ``subject`` is the handover.

    Each partition's disclosures are a chain from ``position`` 1: ``digest`` is the HMAC-SHA-256 of ``previous`` (64
    zeros before the first) and of what this one says, so that none can be altered or left out unseen.
    """

    receiver: Name
    disclosed: Disclosed
    purpose: NeedKind
    consent_id: Name | None = Field(default=None, description="the consent statement that it rests on")
    grant_id: UUID | None = Field(default=None, description="the grant, by the id that the receiver knows it by")
    position: Count
    previous: Digest
    digest: Digest


class StayView(BaseModel):
    """A stay as the public view shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    started_at: Moment | None
    ended_at: Moment | None
    state: ReasonCode


class HandoverView(BaseModel):
    """A handover as the public view shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    handover_id: UUID
    programme: Name
    site: Name | None
    programme_version: Count
    state: ReasonCode
    reason_code: ReasonCode | None
    identity: Identity


class NeedView(BaseModel):
    """A need with its state, owner and clock, and the record of its last decision.

    ``programme`` has an offer of it under way; ``since`` is when that left, else when the need was opened or its
    consent was asked for. At ``clock_at`` something happens if nobody acts: while an offer waits for its answer the
    offer ends, once it is accepted a first contact is overdue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    need_id: UUID
    kind: NeedKind
    trigger: ReasonCode
    state: ReasonCode
    since: Moment
    owner: Name | None
    programme: Name | None
    clock_at: Moment | None
    reason_code: ReasonCode | None
    options: tuple[OptionView, ...] = ()
    trigger_reason: ReasonCode | None = Field(default=None, description="why the trigger came, as its source told it")


class PathwayView(EventHeader):
    """The slim, compacted view of one young person's pathway."""

    age_band: Name | None = None
    municipality: Municipality | None = None
    stays: tuple[StayView, ...] = ()
    needs: tuple[NeedView, ...] = ()
    handovers: tuple[HandoverView, ...] = ()
