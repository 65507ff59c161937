"""What a programme was told, as its coordinator works with it: read from the read model, its own rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator
from sqlalchemy import select

from connectors.gateway.doors.handover_forms import HandoverState
from connectors.read_model.tables import HANDOVER_EVENTS, HANDOVERS, reading
from schemas.outputs import ANSWERS

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from connectors.read_model.handovers import Scope

_STEPS_MAX = 100


class WorklistItem(HandoverState):
    """One handover as its programme knows it; ``youth_id`` is the programme's own pseudonym."""

    state: Annotated[str, BeforeValidator(lambda state: state or "UNKNOWN")]

    @property
    def due_at(self) -> datetime | None:
        """Returns by when something is expected of the programme."""
        match self.state:
            case "offered" | "withdrawn":
                return self.reply_by
            case "accepted":
                return self.first_contact_by
            case _:
                return None


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One thing that was said about a handover."""

    type: str
    said_at: datetime
    reason_code: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class ReplyResult:
    """What a reply was answered."""

    accepted: bool
    reason_code: str | None
    state: str | None


class Worklist:
    """Reads the read model for one programme, or one site of it; calls block and raise ReadModelUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the read model's database."""
        self._engine = engine

    def case(self, reach: Scope, handover_id: str) -> WorklistItem | None:
        """Returns a handover within reach, or None where there is none."""
        found = self._cases(self._of(reach).where(HANDOVERS.c.handover_id == handover_id))
        return found[0] if found else None

    def steps(self, programme: str, handover_id: str) -> tuple[HistoryStep, ...]:
        """Returns what was said about a programme's handover, in its order."""
        events = HANDOVER_EVENTS.c
        wanted = (
            select(events.type, events.said_at, events.record)
            .where(events.programme == programme, events.handover_id == handover_id)
            .order_by(events.partition, events.offset)
            .limit(_STEPS_MAX)
        )
        rows = reading(self._engine, lambda connection: connection.execute(wanted).all())
        return tuple(HistoryStep(row.type, row.said_at, *_reason_and_state(row.record)) for row in rows)

    def answer(self, programme: str, event_id: UUID) -> ReplyResult | None:
        """Returns what a programme's reply was answered, or None where there is no answer yet."""
        events = HANDOVER_EVENTS.c
        wanted = select(events.type, events.record).where(
            events.programme == programme,
            events.causation_id == str(event_id),
            events.type.in_(sorted(ANSWERS)),
        )
        row = reading(self._engine, lambda connection: connection.execute(wanted.limit(1)).one_or_none())
        return None if row is None else ReplyResult(row.type != "reply_refused", *_reason_and_state(row.record))

    @staticmethod
    def _of(reach: Scope) -> Any:
        return select(HANDOVERS).where(reach.of(HANDOVERS))

    def _cases(self, wanted: Any) -> tuple[WorklistItem, ...]:
        rows = reading(self._engine, lambda connection: connection.execute(wanted).all())
        return tuple(WorklistItem.model_validate(row) for row in rows)


def _reason_and_state(record: dict[str, Any]) -> tuple[str | None, str | None]:
    return record["event"].get("reason_code"), record["event"].get("state")
