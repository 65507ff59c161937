"""Builds what a person decided about a need: one event, whether it comes from the page or the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from schemas.codes import InterventionAction
from schemas.events import Intervention, Name, ReasonCode

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class Decision(BaseModel):
    """What was decided, by whom, in what role; ``programme`` stands on an offer, ``reason_code`` wherever given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    action: InterventionAction
    actor: Name
    role: Name
    programme: Name | None = None
    reason_code: ReasonCode | None = None


def intervention_of(
    decision: Decision, youth_id: str | None, need_id: UUID, event_id: UUID, at: datetime
) -> Intervention:
    """Returns the event of a decision about a young person's need; the same event id stands for one decision."""
    return Intervention(
        event_id=event_id,
        correlation_id=event_id,
        source=decision.actor,
        occurred_at=at,
        sent_at=at,
        recorded_at=at,
        youth_id=youth_id,
        subject=str(need_id),
        **decision.model_dump(),
    )
