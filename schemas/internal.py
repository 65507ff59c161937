"""The intake log's records: every public event keyed by its young person, and what steers the fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import NeedKind
from schemas.events import (
    Consent,
    Correspondence,
    Count,
    Discharge,
    Enrolment,
    EventHeader,
    Intervention,
    Moment,
    Name,
    Person,
    PseudonymousId,
    Referral,
    Reply,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


#: What the service writes to itself as JSON: no longer than the largest record of the intake (``schemas/topics.toml``).
Content = Annotated[str, Field(max_length=4 << 20)]


def own_header(event_id: UUID, subject: str, at: datetime) -> dict[str, Any]:
    """Returns the header's fields of a record that the service writes about itself, correlated with itself."""
    return {
        "event_id": event_id,
        "source": "brobygger",
        "correlation_id": event_id,
        "occurred_at": at,
        "sent_at": at,
        "recorded_at": at,
        "subject": subject,
    }


class Tick(EventHeader):
    """Tells the time where the log is quiet and a deadline is due."""


class CatalogueVersion(EventHeader):
    """A version of programmes, holidays, owners and reference data, written to every partition at once.

    ``content`` is the compiled catalogue as JSON; versions grow by one.
    """

    version: Count
    content: Content


class CalendarSet(EventHeader):
    """Sets the calendar's time for demo and scenarios; refused in production."""

    calendar_at: Moment


class Release(EventHeader):
    """Marks a change of code: newer state refuses older code."""

    release: Name


class Signal(EventHeader):
    """What one key tells another, written inside the sender's transaction; its id is derived."""

    topic: Name
    need_kind: NeedKind | None = None
    content: Content


IntakeBody = (
    Referral
    | Discharge
    | Enrolment
    | Consent
    | Reply
    | Person
    | Intervention
    | Tick
    | CatalogueVersion
    | CalendarSet
    | Release
    | Signal
    | Correspondence
)


class Intake(BaseModel):
    """One record of the intake log: the statement, and the public record it came from.

    A signal comes from the intake record whose fold wrote it; ``origin_offset`` is -1 for ticks and versions. A reply
    has the ``pseudonym`` that it came under.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    origin_topic: Name
    origin_partition: Count
    origin_offset: Annotated[int, Field(ge=-1, le=2**63 - 1)]
    pseudonym: PseudonymousId | None = None
    body: IntakeBody
