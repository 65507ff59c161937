"""Stage 2: folds each young person's statements, fires deadlines in the log's own time, and says what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.cloudevents import headers_of_raw
from schemas.codec import codec
from schemas.identifiers import derived_id
from schemas.instants import moment_of
from schemas.internal import Intake
from schemas.internal import Tick as TickEvent
from schemas.pathway import (
    NEVER,
    PATHWAY_BYTES_MAX,
    Pathway,
    decode_pathway,
    due_of,
    encode_pathway,
    with_due,
)
from schemas.programmes import Catalogue, decode_catalogue
from schemas.refusals import Refusal, RefusedError
from schemas.topics import entry_of, kafka_name
from streams.domain.pathways import CONFLICTING, FOLDED, Folded, pass_time, put_aside, take
from streams.engine.outputs import Outgoing
from streams.engine.processor import Tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.vault.pseudonyms import Pseudonyms
    from streams.agents.dead_letters import DeadLetters
    from streams.domain.work import Said
    from streams.engine.processor import Record
    from streams.engine.state import PartitionState

STAGE = "join_pathways"
INTAKE = kafka_name("intake")
CATALOGUE_KEY = b"\x00catalogue"
CALENDAR_KEY = b"\x00calendar"
_WAITING_KEY = b"\x00waiting/"
_PATHWAY_FULL = Refusal(
    "pathway_full", "value", "a pathway holds at most 512 KiB of facts", "ask operations to look at this young person"
)
_CALENDAR_REFUSED = Refusal(
    "calendar_refused", "calendar_at", "only a demo or scenario sets the calendar", "write none in production"
)
_STATEMENTS = frozenset({"Referral", "Discharge", "Enrolment", "Consent", "Reply", "Person", "Intervention"})


class CatalogueMissingError(Exception):
    """The intake log has no catalogue version before its first statement."""


@dataclass(slots=True)
class JoinPathways:
    """The processor of stage 2: ``streams.domain`` over a partition's state.

    Deadlines due at or before a record's time fire before it, in the order of (due, youth). The
    calendar runs one to one with the log unless a calendar record sets it (demo and scenarios).
    """

    pseudonyms: Pseudonyms
    dead_letters: DeadLetters
    _restarts: int = -1
    _catalogue: Catalogue | None = None
    _ahead: int = 0

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Folds records; ends early where the transaction is full."""
        if self._restarts != state.restarts:
            self._reload(state)
        for index in range(start, len(records)):
            if state.full:
                return index
            record = records[index]
            state.advance(record.timestamp)
            if not self._fire(state):
                return index
            self.dead_letters.saw(1)
            try:
                self._apply(state, record)
            except RefusedError as error:
                self.dead_letters.write(state, topic, record, error.refusal)
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:
        """Returns the earliest deadline of a pathway, on the calendar; None for what is no pathway."""
        return None if key[:1] == b"\x00" else due_of(value)

    def next_wake(self, state: PartitionState) -> int | None:
        """Returns the log time at which the next deadline is due."""
        if self._restarts != state.restarts:
            self._reload(state)
        due = state.next_due()
        return None if due is None else due - self._ahead

    def tick(self, state: PartitionState) -> Tick:
        """Returns a record that tells nothing but the time."""
        event_id = derived_id("tick", str(state.partition), str(state.log_time))
        now = moment_of(state.log_time)
        event = TickEvent(
            event_id=event_id,
            source="brobygger",
            correlation_id=event_id,
            occurred_at=now,
            sent_at=now,
            recorded_at=now,
            statement_id="tick",
        )
        intake = Intake(origin_topic=INTAKE, origin_partition=state.partition, origin_offset=-1, body=event)
        return Tick(None, codec(Intake).encode(intake))

    def _fire(self, state: PartitionState) -> bool:
        """Fires what is due; False where the transaction is full before all has fired."""
        now = state.log_time + self._ahead
        while (entry := state.pop_due(now)) is not None:
            due, key = entry
            self._let_time_pass(state, key, due)
            if state.full:
                return False
        return True

    def _let_time_pass(self, state: PartitionState, key: bytes, due: int) -> None:
        value = state.read(key)
        if value is None:
            return
        pathway = decode_pathway(value)
        try:
            folded = pass_time(pathway, self._catalogue_of(state), due)
        except Exception:  # noqa: BLE001 - the boundary where one whose deadline can't be folded is put aside
            folded = put_aside(pathway, self._catalogue_of(state).operations, due)
            state.count("stuck", "deadline")
        self._keep(state, key, folded)

    def _apply(self, state: PartitionState, record: Record) -> None:
        name, event = _body_of(record)
        if name in _STATEMENTS and event["youth_id"] is None:
            state.count("events", name, FOLDED)  # free capacity: the log keeps it for the programmes' own fold
        elif name in _STATEMENTS:
            self._take(state, name, event)
        elif name == "CatalogueVersion":
            self._set_catalogue(state, event)
        elif name == "CalendarSet":
            self._set_calendar(state, event)

    def _take(self, state: PartitionState, name: str, event: dict[str, Any]) -> None:
        key = event["youth_id"].encode()
        value = state.read(key)
        pathway = Pathway(event["youth_id"]) if value is None else decode_pathway(value)
        now = state.log_time + self._ahead
        catalogue = self._catalogue_of(state)
        try:
            folded = take(pathway, name, event, catalogue, now)
        except Exception as error:  # the one boundary where what a record says can't be folded
            refusal = Refusal("fold_failed", "value", "the statement can be folded", "report it with this dead letter")
            raise RefusedError(refusal) from error
        state.count("events", name, folded.outcome)
        self._keep(state, key, folded)
        if folded.outcome == CONFLICTING:
            raise RefusedError(
                Refusal(
                    CONFLICTING,
                    "event_id",
                    "an event id is used for one content only",
                    "send the correction as an event of its own id that `revises` the first",
                )
            )

    def _keep(self, state: PartitionState, key: bytes, folded: Folded) -> None:
        """Stores a pathway with its deadline, and says what it says."""
        pathway = folded.pathway
        value = encode_pathway(pathway)
        if len(value) > PATHWAY_BYTES_MAX:
            raise RefusedError(_PATHWAY_FULL)
        state.put(key, value)
        state.schedule(key, None if pathway.next_due == NEVER else pathway.next_due)
        for said in folded.said:
            self._say(state, said)

    def _say(self, state: PartitionState, said: Said) -> None:
        topic, fields = kafka_name(said.topic), said.fields
        youth_id = fields["youth_id"]
        if said.topic.startswith("handovers."):
            youth_id = self.pseudonyms.pseudonym_of(fields["programme"], youth_id)
            fields = fields | {"youth_id": youth_id}
        elif fields.get("kind") == "unknown_unit":
            self._wait_for_unit(state, fields["statement_id"], youth_id)
        value = codec(entry_of(said.topic).model).encode_raw(fields)
        headers = headers_of_raw(fields, topic)
        state.emit(topic, state.partition, Outgoing(youth_id.encode(), value, state.log_time, headers))

    def _reload(self, state: PartitionState) -> None:
        """Reads what steers the fold: it is kept between records, because reading it costs as much as a pathway."""
        content, ahead = state.read(CATALOGUE_KEY), state.read(CALENDAR_KEY)
        self._catalogue = None if content is None else decode_catalogue(content)
        self._ahead = 0 if ahead is None else int.from_bytes(ahead, signed=True)
        self._restarts = state.restarts

    def _catalogue_of(self, state: PartitionState) -> Catalogue:
        if self._catalogue is None:
            raise CatalogueMissingError(
                f"partition {state.partition} of the intake log has statements before any catalogue version; "
                "run `brobygger programmes apply` before the first worker"
            )
        return self._catalogue

    def _set_catalogue(self, state: PartitionState, event: dict[str, Any]) -> None:
        """Takes a version, and wakes those who wait for a unit that it names."""
        if self._catalogue is not None and self._catalogue.version >= event["version"]:
            return
        state.put(CATALOGUE_KEY, event["content"].encode())
        self._catalogue = decode_catalogue(event["content"])
        now = state.log_time + self._ahead
        for unit in self._catalogue.units:
            waiting = state.read(_WAITING_KEY + unit.encode())
            for youth_id in waiting.split(b",") if waiting else ():
                _wake(state, youth_id, now)
            if waiting:
                state.delete(_WAITING_KEY + unit.encode())

    def _wait_for_unit(self, state: PartitionState, unit: str, youth_id: str) -> None:
        key = _WAITING_KEY + unit.encode()
        waiting = set((state.read(key) or b"").split(b",")) - {b""} | {youth_id.encode()}
        state.put(key, b",".join(sorted(waiting)))

    def _set_calendar(self, state: PartitionState, event: dict[str, Any]) -> None:
        if not self._catalogue_of(state).calendar_allowed:
            raise RefusedError(_CALENDAR_REFUSED)
        ahead = event["calendar_at"] - state.log_time
        if ahead <= self._ahead:
            return
        state.put(CALENDAR_KEY, ahead.to_bytes(8, signed=True))
        self._ahead = ahead
        self._fire(state)


def _wake(state: PartitionState, key: bytes, now: int) -> None:
    value = state.read(key)
    if value is not None:
        state.put(key, with_due(value, now))
        state.schedule(key, now)


def _body_of(record: Record) -> tuple[str, dict[str, Any]]:
    if record.value is None:
        raise RefusedError(
            Refusal("null_value", "value", "an intake record has a value", "report it: stage 1 writes none")
        )
    name, event = codec(Intake).decode_raw(record.value)["body"]
    return name.rpartition(".")[2], event
