"""Stage 2: folds each young person's statements, fires deadlines in the log's own time, and says what follows."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog

from schemas.cloudevents import headers_of_raw
from schemas.codec import Codec, codec
from schemas.codes import NoticeKind
from schemas.identifiers import derived_id
from schemas.instants import moment_of
from schemas.internal import Intake, Tick, own_header
from schemas.pathway import (
    NEVER,
    Pathway,
    decode_pathway,
    due_of,
    encode_pathway,
)
from schemas.refusals import Refusal, RefusedError
from schemas.signals import PlacesTold, SlotGivenBack, SlotWanted, decode_signal
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS, entry_of, kafka_name
from streams.agents.audience import told_under
from streams.agents.room import require_room
from streams.agents.steering import Steering
from streams.domain.pathways import CONFLICTING, FOLDED, Transition, apply_event, fire_deadlines, quarantine
from streams.domain.work import SIGNALS, Emission
from streams.engine.outputs import Outgoing
from streams.engine.processor import TickRecord
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.vault.pseudonyms import Alias, Pseudonyms
    from streams.agents.dead_letters import DeadLetters
    from streams.agents.signals import Signals
    from streams.engine.processor import Record
    from streams.engine.state import PartitionState

STAGE = "join_pathways"
INTAKE = kafka_name("intake")
_HANDOVERS = "handovers."
_log = structlog.get_logger(__name__)
#: Who tells that time has passed.
_NOBODY: Mapping[str, Any] = {"source": ""}
_STATEMENTS = frozenset(entry_of(name).event for name in (*STATEMENT_TOPICS, *INTERNAL_STATEMENT_TOPICS))


@dataclass(slots=True)
class JoinPathways:
    """The processor of stage 2: ``streams.domain`` over a partition's state.

    Deadlines due at or before a record's time fire before it, in the order of (due, youth). The
    calendar runs one to one with the log unless a calendar record sets it (demo and scenarios).
    """

    pseudonyms: Pseudonyms
    dead_letters: DeadLetters
    signals: Signals
    steering: Steering = field(default_factory=Steering)
    _replied_under: str | None = None
    _shown: dict[str, str] = field(default_factory=dict)

    def fold(self, state: PartitionState, topic: str, records: Sequence[Record], start: int) -> int:
        """Folds records; ends early where the transaction is full."""
        self.steering.load(state)
        self._require_roots()
        for index in range(start, len(records)):
            if state.full:
                return index
            record = records[index]
            self.signals.sender_offset = record.offset
            state.advance(record.timestamp)
            if not self._fire(state):
                return index
            self.dead_letters.saw(1)
            try:
                whole = self._apply(state, record)
            except RefusedError as error:
                self.dead_letters.write(state, topic, record, error.refusal)
                whole = True
            if not whole:
                return index
        return len(records)

    def due(self, key: bytes, value: bytes) -> int | None:
        """Returns the earliest deadline of a pathway, on the calendar; None for what is no pathway."""
        return None if key[:1] == b"\x00" else due_of(value)

    def next_wake(self, state: PartitionState) -> int | None:
        """Returns the log time at which the next deadline is due."""
        self.steering.load(state)
        due = state.next_due()
        return None if due is None else due - self.steering.ahead

    def tick(self, state: PartitionState) -> TickRecord:
        """Returns a record that tells nothing but the time."""
        event_id = derived_id("tick", str(state.partition), str(state.log_time))
        event = Tick(**own_header(event_id, "tick", moment_of(state.log_time)))
        intake = Intake(origin_topic=INTAKE, origin_partition=state.partition, origin_offset=-1, body=event)
        return TickRecord(None, codec(Intake).encode(intake))

    def _require_roots(self) -> None:
        """Raises KeyFileError where the catalogue names a root that this worker lacks: it stops before it differs."""
        self.pseudonyms.require(self.steering.pseudonym_keys)

    def _fire(self, state: PartitionState) -> bool:
        """Fires what is due; False where the transaction is full before all has fired."""
        self._replied_under = None
        now = self.steering.now(state)
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
            self._keep(state, key, fire_deadlines(pathway, self.steering.catalogue(state), due))
        except Exception as error:  # noqa: BLE001 - the boundary where one whose deadline can't be folded is put aside
            _log_failure("deadline_failed", error)
            state.count("stuck", "deadline")
            self._keep(state, key, quarantine(pathway, self.steering.catalogue(state).operations, due))

    def _apply(self, state: PartitionState, record: Record) -> bool:
        """Folds a record; False where the transaction has to end inside it, and it is folded again for the rest."""
        name, event, self._replied_under = _content_of(record)
        if name in _STATEMENTS and event["youth_id"] is None:
            self.signals.tell_places(state, event)
            state.count("events", name, FOLDED)
        elif name == "Signal":
            self._take_signal(state, event)
        elif name in _STATEMENTS:
            self._take(state, name, event)
        elif name == "CatalogueVersion":
            self.steering.set_catalogue(state, event)
            self._require_roots()
        elif name == "CalendarSet":
            self.steering.set_calendar(state, event)
            return self._fire(state)
        return True

    def _take_signal(self, state: PartitionState, event: dict[str, Any]) -> None:
        content = decode_signal(event["content"])
        if isinstance(content, PlacesTold):
            self.steering.set_places(state, content)
        elif isinstance(content, SlotWanted | SlotGivenBack):
            self.signals.take_at_programme(state, content, self.steering.catalogue(state))
        else:
            self._take(state, "Signal", event)

    def _take(self, state: PartitionState, name: str, event: dict[str, Any]) -> None:
        key = event["youth_id"].encode()
        value = state.read(key)
        pathway = Pathway(event["youth_id"]) if value is None else decode_pathway(value)
        now, catalogue = self.steering.now(state), self.steering.catalogue(state)
        try:
            folded = apply_event(pathway, name, event, catalogue, now)
        except Exception as error:  # the one boundary where what a record says can't be folded
            _log_failure("fold_failed", error)
            refusal = Refusal("fold_failed", "value", "the statement can be folded", "report it with this dead letter")
            raise RefusedError(refusal) from error
        self._keep(state, key, folded, name, event)
        if name != "Signal":
            state.count("events", name, folded.outcome)
        if folded.outcome == CONFLICTING:
            raise RefusedError(
                Refusal(
                    CONFLICTING,
                    "event_id",
                    "an event id is used for one content only",
                    "send the correction as an event of its own id that `revises` the first",
                )
            )

    def _keep(
        self, state: PartitionState, key: bytes, folded: Transition, name: str = "", event: Mapping[str, Any] = _NOBODY
    ) -> None:
        """Stores a pathway with its deadline, and says what it says; a deadline has no name and no event."""
        pathway = folded.pathway
        value = encode_pathway(pathway)
        require_room(name, event, pathway, len(value))
        state.put(key, value)
        state.schedule(key, None if pathway.next_due == NEVER else pathway.next_due)
        self._shown.clear()
        # Programmes first: what is said of a grant names it as its programme knows it.
        for said in sorted(folded.said, key=lambda one: not one.topic.startswith(_HANDOVERS)):
            self._say(state, said)

    def _say(self, state: PartitionState, said: Emission) -> None:
        if said.topic == SIGNALS:
            fields = dict(said.fields)
            self.signals.post(state, fields.pop("to"), fields)
            return
        if said.topic.startswith(_HANDOVERS):
            self._tell(state, said)
            return
        fields = said.fields
        topic, writer = _destination(said.topic)
        youth_id = fields["youth_id"]
        if fields.get("kind") == NoticeKind.UNKNOWN_UNIT and fields["need_kind"] is None:
            self.steering.wait_for_unit(state, fields["subject"], youth_id)
        elif said.topic == "disclosures":
            grant_id = self._shown.get(fields["grant_id"], fields["grant_id"])
            key = self.pseudonyms.disclosures_key
            fields = self.steering.chain_disclosure(state, fields | {"grant_id": grant_id}, key)
        value = writer.encode_raw(fields)
        headers = headers_of_raw(fields, topic)
        state.emit(topic, state.partition, Outgoing(youth_id.encode(), value, state.log_time, headers))

    def _tell(self, state: PartitionState, said: Emission) -> None:
        """Tells a programme something under its own alias, in the partition where any producer would put that key."""
        topic, writer = _destination(said.topic)
        came_under = self._came_under(said.fields["programme"])
        alias = came_under if said.own_pseudonym is None and came_under else self._alias(state, said)
        fields = told_under(alias, said.fields, came_under)
        self._shown[said.fields["event_id"]] = fields["event_id"]
        key, headers = alias.pseudonym.encode(), headers_of_raw(fields, topic)
        message = Outgoing(key, writer.encode_raw(fields), alias.ids.earlier(state.log_time), headers)
        state.emit(topic, partition_of(key, self.signals.partitions), message)

    def _alias(self, state: PartitionState, said: Emission) -> Alias:
        """Returns whom a record is about, as its programme knows them.

        A handover keeps its name to its end: by what it was when it began, and by the root that was in force then.
        """
        fields, only = said.fields, said.fields["subject"] if said.own_pseudonym else None
        key_id = self.steering.catalogue(state).pseudonym_key_at(fields["programme_version"])
        key_id = key_id or self.pseudonyms.oldest_key_id
        return self.pseudonyms.alias_of(fields["programme"], fields["youth_id"], only, key_id)

    def _came_under(self, programme: str) -> Alias | None:
        """Returns the alias of the reply that is being folded: an answer names that reply as the programme does.

        What a reply said of no handover is answered under it.
        """
        under = self._replied_under
        return None if under is None else self.pseudonyms.alias_under(programme, under)


@cache
def _destination(topic: str) -> tuple[str, Codec]:
    """Returns a topic's name on the broker and what writes its records."""
    return kafka_name(topic), codec(entry_of(topic).model)


def _log_failure(what: str, error: Exception) -> None:
    """Logs where a fold failed, for who mends it; never the error's text, which may repeat what a record says."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    _log.error(what, error=type(error).__name__, file=frame.filename.rpartition("/")[2], line=frame.lineno)


def _content_of(record: Record) -> tuple[str, dict[str, Any], str | None]:
    """Returns the event's model, the event, and the pseudonym that it came under."""
    if record.value is None:
        raise RefusedError(
            Refusal("null_value", "value", "an intake record has a value", "report it: stage 1 writes none")
        )
    intake = codec(Intake).decode_raw(record.value)
    name, event = intake["body"]
    return name.rpartition(".")[2], event, intake["pseudonym"]
