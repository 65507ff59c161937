"""From a topic's record to what it changes in the read model. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from connectors.read_model.answers import TopicRecord
from connectors.read_model.feed import INTERVENTIONS, PATHWAYS, programme_of
from schemas.codec import codec
from schemas.codes import HandoverEventType, InterventionAction
from schemas.events import Intervention
from schemas.outputs import HandoverEvent, Notice, PathwayView

if TYPE_CHECKING:
    from connectors.read_model.feed import FetchedRecord

Row: TypeAlias = dict[str, Any]
# A refused reply changes nothing, and may be about a handover that is not this programme's; what an unknown
# statement changes is not known.
_CHANGES_NOTHING = frozenset({HandoverEventType.REPLY_REFUSED, HandoverEventType.UNKNOWN})


@dataclass(frozen=True, slots=True)
class HandoverChange:
    """A programme was told something; ``handover`` is the handover as it is from then on, where that changed."""

    event: Row
    handover: Row | None

    @property
    def record(self) -> TopicRecord:
        """Returns the record as it is handed on."""
        row = self.event
        return TopicRecord(row["programme"], row["partition"], row["offset"], row["record"])


@dataclass(frozen=True, slots=True)
class PathwayChange:
    """A pathway was shown: these are all its needs."""

    youth_id: str
    needs: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """A source or a person was told something."""

    notice: Row


@dataclass(frozen=True, slots=True)
class Decided:
    """A person decided something about a need."""

    intervention: Row


@dataclass(frozen=True, slots=True)
class PathwayErasure:
    """A young person was erased: what people decided about their needs before goes."""

    youth_id: str


Change: TypeAlias = HandoverChange | PathwayChange | NoticeChange | Decided | PathwayErasure


def change_of(record: FetchedRecord) -> Change:
    """Returns what a record changes; raises RefusedError where it can't be read or breaks a rule of its model."""
    programme = programme_of(record.topic)
    if programme is not None:
        return _told(programme, record)
    if record.topic == PATHWAYS:
        return _viewed(record)
    if record.topic == INTERVENTIONS:
        return _decided(record)
    return _noticed(record)


def _told(programme: str, record: FetchedRecord) -> HandoverChange:
    said = cast("HandoverEvent", codec(HandoverEvent).decode(record.value or b""))
    event = {
        "programme": programme,
        "partition": record.partition,
        "offset": record.offset,
        "handover_id": said.subject,
        "site": said.site,
        "need_id": str(said.correlation_id),
        "youth_id": said.youth_id,
        "event_id": str(said.event_id),
        "causation_id": None if said.causation_id is None else str(said.causation_id),
        "type": said.type.value,
        "said_at": said.occurred_at,
        "record": _public(record, said),
    }
    return HandoverChange(event, None if said.type in _CHANGES_NOTHING else _handover(programme, said))


def _public(record: FetchedRecord, said: HandoverEvent) -> Row:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": None if record.key is None else record.key.decode("utf-8", "replace"),
        "event": said.model_dump(mode="json"),
    }


def _handover(programme: str, said: HandoverEvent) -> Row:
    return {
        "programme": programme,
        "handover_id": said.subject,
        "need_id": str(said.correlation_id),
        "site": said.site,
        "youth_id": said.youth_id,
        "need_kind": said.need_kind.value,
        "identity": said.identity.value,
        "state": said.state,
        # The code of an accepted reply is the reply's own status.
        "reason_code": said.reason_code if said.type == HandoverEventType.WITHDRAWN else None,
        "reply_by": said.reply_by,
        "first_contact_by": said.first_contact_by,
        "age_band": said.age_band,
        "municipality": said.municipality,
        "trigger": said.trigger,
        "occurred_on": said.occurred_on,
        "expected_week": said.expected_week,
        "appointment_on": said.appointment_on,
        "updated_at": said.occurred_at,
    }


def _viewed(record: FetchedRecord) -> PathwayChange:
    youth_id = (record.key or b"").decode("utf-8", "replace")
    if record.value is None:
        return PathwayChange(youth_id, ())
    view = cast("PathwayView", codec(PathwayView).decode(record.value))
    needs = tuple(
        {
            "youth_id": youth_id,
            "need_id": str(need.need_id),
            "kind": need.kind.value,
            "trigger": need.trigger,
            "state": need.state,
            "owner": need.owner,
            "programme": need.programme,
            "clock_at": need.clock_at,
            "reason_code": need.reason_code,
            "options": [one.model_dump(mode="json") for one in need.options],
            "age_band": view.age_band,
            "municipality": view.municipality,
            "since": need.since,
            "updated_at": view.occurred_at,
        }
        for need in view.needs
    )
    return PathwayChange(youth_id, needs)


def _noticed(record: FetchedRecord) -> NoticeChange:
    notice = cast("Notice", codec(Notice).decode(record.value or b""))
    return NoticeChange(
        {
            "event_id": str(notice.event_id),
            "partition": record.partition,
            "offset": record.offset,
            "kind": notice.kind.value,
            "recipient": notice.recipient,
            "subject": notice.subject,
            "youth_id": notice.youth_id,
            "need_kind": None if notice.need_kind is None else notice.need_kind.value,
            "due_at": notice.due_at,
            "reason_code": notice.reason_code,
            "options": [one.model_dump(mode="json") for one in notice.options],
            "said_at": notice.occurred_at,
        }
    )


def _decided(record: FetchedRecord) -> Decided | PathwayErasure:
    decision = cast("Intervention", codec(Intervention).decode(record.value or b""))
    if decision.action is InterventionAction.ERASED:
        return PathwayErasure(decision.youth_id or "")
    return Decided(
        {
            "event_id": str(decision.event_id),
            "need_id": decision.subject,
            "youth_id": decision.youth_id,
            "action": decision.action.value,
            "actor": decision.actor,
            "role": decision.role,
            "programme": decision.programme,
            "reason_code": decision.reason_code,
            "said_at": decision.occurred_at,
        }
    )
