"""Folds one partition of the intake log again, a record at a time, and keeps what it wrote."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.instants import moment_of
from schemas.internal import Intake
from schemas.pathway import decode_pathway
from schemas.refusals import RefusedError
from streams.agents.dead_letters import DeadLetters
from streams.agents.join_pathways import INTAKE, STAGE, JoinPathways
from streams.agents.signals import Signals
from streams.domain.work import CLOSED
from streams.engine.meta import ENGINE_PREFIX
from streams.engine.offline import OfflineTask
from streams.engine.store import RocksStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from connectors.vault.keys import PseudonymRoot
    from schemas.pathway import Need
    from streams.engine.outputs import Outgoing
    from streams.engine.processor import StoredRecord
    from streams.engine.state import Changes
    from streams.engine.store import Store

STEERING = "steering"
DEAD_LETTER = "dead_letter"
UNREADABLE = "unreadable"
FORGOTTEN = "forgotten"
#: Names the dead letter that a record was before `dead-letters retry` put it back.
RETRY_HEADER = "brobygger-retry-of"
#: A refold must come as far as the workers came, whatever their limit was then.
_DEAD_LETTERS_MAX = 1 << 62


class Origin(NamedTuple):
    """The public record that an intake record came from, and the intake record's own offset."""

    topic: str
    partition: int
    offset: int
    intake_offset: int


class Written(NamedTuple):
    """One message that the fold wrote to a partition, when it folded the record at ``intake_offset``.

    ``settled``: the workers had committed that fold for sure, so the message must be there.
    """

    message: Outgoing
    partition: int
    intake_offset: int
    settled: bool


class IntakeStatement(NamedTuple):
    """What accounting needs of an intake record; ``source`` is "unreadable" where its bytes are.

    A ``retried`` record was a dead letter before, and stands a second time for the same public record.
    """

    origin: Origin
    source: str
    day: str
    event_name: str
    event_id: str
    retried: bool = False

    @property
    def is_of_public_record(self) -> bool:
        """Tells whether stage 1 wrote it: ticks, versions and signals it did not."""
        return self.origin.offset >= 0 and self.origin.topic != INTAKE


@dataclass(slots=True)
class RefoldResult:
    """All that folding one partition gave.

    ``outputs`` are by topic, in order; ``states`` each key's values with the offset that made them, the oldest
    first; ``outcomes`` are counted by (source, day, outcome); ``needs_opened`` are all needs ever seen, each with
    the state that it was last seen in.
    """

    partition: int
    records: int = 0
    outputs: dict[str, list[Written]] = field(default_factory=dict)
    states: dict[bytes, list[tuple[bytes | None, int]]] = field(default_factory=dict)
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    statements: list[IntakeStatement] = field(default_factory=list)
    needs_opened: dict[tuple[bytes, str], str] = field(default_factory=dict)

    def note(self, record: StoredRecord, changes: Sequence[Changes], keep_after: int) -> None:
        """Adds what the fold of one record gave."""
        counts: Counter[tuple[str, ...]] = Counter()
        for change in changes:
            counts.update(change.counts)
            for (topic, partition), messages in change.outputs.items():
                settled = record.offset < keep_after
                written = (Written(one, partition, record.offset, settled) for one in messages)
                self.outputs.setdefault(topic, []).extend(written)
            for key, value in change.states.items():
                self._note_state(key, value, record.offset, keep_after)
        statement = intake_statement_of(record)
        outcome = _outcome_of(counts)
        if outcome != STEERING:
            self.outcomes[statement.source, statement.day, outcome] += 1
        self.statements.append(statement)

    def needs_by_state(self) -> Counter[str]:
        """Returns how many needs the last states hold, by the need's state, and how many were closed and forgotten.

        One that has gone without having been closed is in none of them.
        """
        held = {(key, need.need_id): need.state for key, need in self._needs_held()}
        gone = [state for need, state in self.needs_opened.items() if need not in held]
        return Counter(held.values()) + Counter({FORGOTTEN: gone.count(CLOSED)})

    def needs_by_reason(self) -> Counter[str]:
        """Returns how many needs the last states hold, by why they came."""
        return Counter(need.why or need.trigger for _, need in self._needs_held())

    def _needs_held(self) -> Iterator[tuple[bytes, Need]]:
        for key, kept in self.states.items():
            value = kept[-1][0]
            if value is not None and not key.startswith(b"\x00"):
                yield from ((key, need) for need in decode_pathway(value).needs)

    def _note_state(self, key: bytes, value: bytes | None, offset: int, keep_after: int) -> None:
        if key.startswith(ENGINE_PREFIX):
            return
        kept = self.states.setdefault(key, [])
        if kept and offset < keep_after:
            kept.clear()
        kept.append((value, offset))
        if value is not None and not key.startswith(b"\x00"):
            self.needs_opened |= {(key, need.need_id): need.state for need in decode_pathway(value).needs}


def fold_partition(
    records: Iterable[StoredRecord], place: tuple[int, int], roots: Sequence[PseudonymRoot], keep_after: int = 1 << 62
) -> RefoldResult:
    """Folds a partition's records from the start of its log, and returns what that gave.

    ``place`` is the partition's number and how many there are. Of each key's states only the last is kept, and
    those after offset ``keep_after``. A store of its own is made and removed. Raises what a worker would end with
    (CatalogueMissingError).
    """
    folded = RefoldResult(place[0])
    with tempfile.TemporaryDirectory(prefix="brobygger-refold-") as folder:
        store = RocksStore(Path(folder) / "state")
        try:
            for record, changes in _steps(records, place, roots, store):
                folded.records += 1
                folded.note(record, changes, keep_after)
        finally:
            store.close()
    return folded


def intake_statement_of(record: StoredRecord) -> IntakeStatement:
    """Returns what accounting needs of an intake record, readable or not."""
    day = moment_of(record.timestamp).date().isoformat()
    try:
        fields = codec(Intake).decode_raw(record.value or b"")
    except RefusedError:
        return IntakeStatement(Origin("", -1, -1, record.offset), UNREADABLE, day, "", "")
    name, event = fields["body"]
    origin = Origin(fields["origin_topic"], fields["origin_partition"], fields["origin_offset"], record.offset)
    retried = any(header == RETRY_HEADER for header, _ in record.headers)
    return IntakeStatement(
        origin, event["source"], recorded_day_of(event), name.rpartition(".")[2], event["event_id"], retried
    )


def recorded_day_of(event: dict[str, Any]) -> str:
    """Returns the day (UTC) on which a raw event was recorded."""
    return moment_of(event["recorded_at"]).date().isoformat()


def _outcome_of(counts: Counter[tuple[str, ...]]) -> str:
    """Returns the one outcome of a record: a dead letter, whatever else was counted before it was found to be one."""
    if any(name == "dead_letters" for name, *_ in counts):
        return DEAD_LETTER
    return next((labels[2] for labels in counts if labels[0] == "events"), STEERING)


def _steps(
    records: Iterable[StoredRecord], place: tuple[int, int], roots: Sequence[PseudonymRoot], store: Store
) -> Iterator[tuple[StoredRecord, list[Changes]]]:
    # Dead letters are sealed to a key that nobody keeps: what they hold was read from the log just now.
    dead_letters = DeadLetters(STAGE, X25519PrivateKey.generate().public_key(), count_max=_DEAD_LETTERS_MAX)
    number, partitions = place
    task = OfflineTask(JoinPathways(Pseudonyms(roots), dead_letters, Signals(partitions)), number, store)
    for record in records:
        yield record, list(task.fold(INTAKE, [record]))
