"""What the doors for programmes take and show, as models: validation and OpenAPI come from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import Identity, NeedKind, Side
from schemas.events import Day, ReasonCode
from schemas.outputs import HandoverEvent

SECURED: dict[str, Any] = {"security": [{"token": []}]}


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class HandoverReply(BaseModel):
    """An answer to a handover. Everything else that a reply says is filled in from the handover."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    status: Literal[
        "accepted",
        "declined",
        "waitlisted",
        "first_contact",
        "no_show",
        "fulfilled",
        "ended",
        "recalled_and_deleted",
    ]
    side: Side | None = Field(default=None, description="whose wish a decline or an end was")
    reason_code: ReasonCode | None = None
    waitlisted_until: Day | None = Field(default=None, description="stands with waitlisted")


class HandoverRecord(_Shown):
    """One record of the programme's topic, as `brobygger subscribe --json` prints it."""

    topic: str
    partition: int
    offset: int
    timestamp: int = Field(description="milliseconds since 1970")
    key: str | None
    event: HandoverEvent


class HandoverPage(_Shown):
    """Records in order, and the cursor behind them: the one given where there are none."""

    records: tuple[HandoverRecord, ...]
    next: str


class HandoverState(_Shown):
    """A handover as it was last told of. ``reason_code`` says why it was withdrawn."""

    programme: str
    handover_id: str
    site: str | None
    youth_id: str | None
    need_kind: NeedKind
    identity: Identity
    state: str | None
    reason_code: str | None
    reply_by: datetime | None
    first_contact_by: datetime | None
    age_band: str | None
    municipality: str | None
    trigger: str | None
    occurred_on: date | None
    expected_week: str | None
    appointment_on: date | None
    offered_at: datetime
    updated_at: datetime


class HandoverHistoryBody(_Shown):
    """A handover as it is now, and all that was said about it, oldest first."""

    handover: HandoverState
    events: tuple[HandoverRecord, ...]


class ReplyOutcome(_Shown):
    """What became of a reply; ``waiting`` where its answer has not come yet."""

    event_id: str
    outcome: Literal["accepted", "refused", "granted", "waiting"]
    state: str | None = Field(default=None, description="the handover's state as the reply left it")
    reason_code: str | None = Field(default=None, description="why it was refused")
    answer: HandoverRecord | None = None


class RefusedForm(_Shown):
    """Why something was not taken."""

    code: str
    field: str
    rule: str
    help: str


class RefusedAnswer(_Shown):
    """The body of every refusal."""

    refused: RefusedForm


class RefusedReply(ReplyOutcome):
    """A reply that was refused, with the reason and the state."""

    refused: RefusedForm
