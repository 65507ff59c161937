"""What a row says now beside what it said before: a first word, a next step, a correction, an end, a return.

A row whose status changed and whose time went on is a *step*: a statement of its own about the same thing, which
settles by itself; so is a consent of a later day. Any other change *revises* what was said before. A row that vanished
from a snapshot has ended as its mapping says; one that is back takes the end back. A row that turns out to be about
somebody else takes back what was said of the first.

Every event's id goes out from its own content and from the event before it, so that the same lists in the same order
give the same ids, however often each is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from connectors.gateway.statements.forms import MODELS
from connectors.gateway.statements.reading import Submission
from schemas.codec import codec
from schemas.codes import ConsentDecision, CourseStatus, ReferralStatus, StayStatus
from schemas.events import Consent, Discharge, Enrolment, EventHeader, Referral
from schemas.identifiers import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gateway.lists.rows import KnownRow
    from connectors.municipal.layout import Missing

# Nothing goes through more steps than this in its time on a list.
_STEPS_MAX = 50
_DENMARK = ZoneInfo("Europe/Copenhagen")
_OVER: frozenset[str] = frozenset(
    {
        *(CourseStatus.COMPLETED, CourseStatus.DROPPED_OUT, CourseStatus.REFERRED_ELSEWHERE),
        *(ReferralStatus.REVOKED, ReferralStatus.COMPLETED),
        *(ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN),
        *(StayStatus.DISCHARGED_HOME, StayStatus.DECEASED),
    }
)


def event_of(topic: str, value: bytes) -> Any:
    """Returns the event that was kept of a row."""
    return codec(MODELS[topic]).decode(value)


def row_content_of(event: EventHeader) -> bytes:
    """Returns an event as it is kept of a row."""
    return codec(type(event)).encode(event)


@dataclass(frozen=True, slots=True)
class RowChange:
    """What is to be published of a row, its own statement last, and the steps before that one which stand."""

    statements: list[Submission]
    earlier: tuple[str, ...] = ()


def row_change_of(topic: str, statement: Submission, known: KnownRow) -> RowChange:
    """Returns what is to be said of a row that is new or has changed."""
    if known.event is None:
        return RowChange([statement])
    last = event_of(topic, known.event)
    if last.youth_id != statement.event.youth_id:
        undone = [*_taken_back(topic, known), *_undone(topic, last, known.earlier, "other_person")]
        return RowChange([*undone, _after(statement, last.event_id)])
    if not can_resume(topic, known):
        return RowChange([_after(statement, event_of(topic, known.ended or b"").event_id)])
    if _is_step(last, statement.event):
        earlier = (*known.earlier, str(last.event_id))[-_STEPS_MAX:]
        return RowChange([*_taken_back(topic, known), _after(statement, last.event_id)], earlier)
    return RowChange([*_taken_back(topic, known), _after(statement, last.event_id, last.event_id)], known.earlier)


def can_resume(topic: str, known: KnownRow) -> bool:
    """Tells whether what a row said stands again as soon as its end is taken back: not where it was cancelled."""
    return known.ended is None or event_of(topic, known.ended).cancels is None


def unchanged(topic: str, known: KnownRow) -> RowChange:
    """Returns what is to be said of a row that says what it said before: nothing, or that it has not ended."""
    return RowChange(_taken_back(topic, known), known.earlier)


def said_of_missing(topic: str, known: KnownRow, missing: Missing, since: datetime) -> RowChange:
    """Returns what a row's vanishing says: nothing where it had ended before."""
    last = event_of(topic, known.event or b"")
    if has_ended(last):
        return RowChange([])
    if missing.cancelled:
        return RowChange(_undone(topic, last, known.earlier, f"missing {since.isoformat()}"))
    event_id = derived_id("missing", str(last.event_id), since.isoformat())
    own: dict[str, Any] = {"event_id": event_id, "occurred_at": since, "occurred_on": None}
    own |= {"revises": None, "cancels": None}
    if isinstance(last, Consent):
        return _alone(topic, last, own | {"decision": ConsentDecision(missing.status or "")})
    own |= {"status_at": since, "reason_code": missing.reason_code}
    if isinstance(last, Enrolment):
        day = since.astimezone(_DENMARK).date()
        return _alone(topic, last, own | {"status": CourseStatus(missing.status or ""), "ended_on": day})
    return _alone(topic, last, own | {"status": ReferralStatus(missing.status or "")})


def has_ended(event: Any) -> bool:
    """Tells whether what an event is about is over, so that its vanishing from a list says nothing."""
    return _status(event)[0] in _OVER


def _status(event: Any) -> tuple[str, ...]:
    """Returns what an event says of how far a thing has come."""
    match event:
        case Consent():
            return (event.decision,)
        case Referral():
            return (event.status, event.decision or "")
        case Enrolment() | Discharge():
            return (event.status,)
        case _:
            return ("",)


def _is_step(last: Any, now: Any) -> bool:
    # A consent with a later day was given anew: revised, it would leave what went out under the first without any.
    went_on = isinstance(now, Consent) or _status(last) != _status(now)
    return went_on and _time(now) > _time(last)


def _time(event: Any) -> datetime:
    told: datetime = getattr(event, "status_at", event.occurred_at)
    return told


def _after(statement: Submission, before: UUID, revised: UUID | None = None) -> Submission:
    """Returns a statement that follows an event: under an id of its own, and revising it where that is named."""
    event_id = derived_id("list row", str(statement.event_id), str(before))
    event = statement.event.model_copy(update={"event_id": event_id, "revises": revised})
    person = statement.person and statement.person.model_copy(
        update={"event_id": derived_id("person", str(event_id)), "causation_id": event_id}
    )
    return replace(statement, event=event, person=person)


def _taken_back(topic: str, known: KnownRow) -> list[Submission]:
    if known.ended is None or not can_resume(topic, known):
        return []
    ended = event_of(topic, known.ended)
    return [_cancelled(topic, ended, ended.event_id, "back")]


def _undone(topic: str, last: EventHeader, earlier: tuple[str, ...], why: str) -> list[Submission]:
    """Returns the cancels of every step that was said of a row, that of the last one last."""
    return [_cancelled(topic, last, event_id, why) for event_id in (*map(UUID, earlier), last.event_id)]


def _cancelled(topic: str, like: EventHeader, event_id: UUID, why: str) -> Submission:
    own = {"event_id": derived_id("cancelled", str(event_id), why), "revises": None, "cancels": event_id}
    return _alone(topic, like, own).statements[0]


def _alone(topic: str, like: EventHeader, own: dict[str, Any]) -> RowChange:
    return RowChange([Submission(topic, like.model_copy(update=own), None, sent_at_given=False)])
