"""Replays a snapshot: folds every partition of the intake log again and compares all that came of it."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

from connectors.vault.pairwise import EARLIER_MAX_MS
from schemas.codec import codec
from schemas.codes import NoticeKind
from schemas.instants import milliseconds_of
from schemas.outputs import Notice
from schemas.refusals import RefusedError
from schemas.topics import entry_of, kafka_name, short_name
from streams.agents.join_pathways import INTAKE, STAGE
from streams.engine.meta import ENGINE_PREFIX
from streams.log.comparison import Finding, PartitionExtent, compare_latest, compare_outputs, compare_states, ordered
from streams.log.refold import IntakeStatement, RefoldResult, fold_partition, intake_statement_of
from streams.log.signals import SignalsSeen, compare_signals
from streams.log.snapshot import Snapshot, partitions_of, topics_of
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.vault.keys import PseudonymRoot
    from streams.engine.processor import StoredRecord
    from streams.log.refold import Written

DEAD_LETTERS = kafka_name("dead-letters")
_PATHWAYS, _STATES = kafka_name("pathways"), kafka_name("pathway-state")
_NOTICES = kafka_name("notices")
_HANDOVERS = "handovers."
_OF_SOURCES = (NoticeKind.SILENT_SOURCE.value, NoticeKind.SOURCE_BACK.value)
_T = TypeVar("_T")
#: Starting processes takes about as long as folding so many records.
_SHARED_RECORDS_MIN = 10_000


@dataclass(slots=True)
class Replayed:
    """What came of one partition. ``outputs`` are (found, refolded) by topic; ``dead_letters`` intake offsets."""

    partition: int
    records: int
    outputs: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    under_way: Counter[tuple[str, str]] = field(default_factory=Counter)
    statements: list[IntakeStatement] = field(default_factory=list)
    dead_letters: dict[int, int] = field(default_factory=dict)
    needs_opened: int = 0
    needs_by_state: Counter[str] = field(default_factory=Counter)
    needs_by_reason: Counter[str] = field(default_factory=Counter)
    signals: SignalsSeen = field(default_factory=SignalsSeen)
    told: dict[tuple[str, int], list[Written]] = field(default_factory=dict)


def replay_snapshot(
    snapshot: Snapshot, roots: Sequence[PseudonymRoot], progressed: Callable[[], None] = lambda: None
) -> list[Replayed]:
    """Replays every partition, side by side where that is worth it, and compares over all of them what has to be.

    That are signals, and what programmes were told: both lie in the partitions of whom they are for.
    """
    replayed = over_partitions(partial(replay_partition, snapshot, roots), snapshot, progressed)
    folded = {
        one.partition: snapshot.extent.folded(snapshot.extent.after, STAGE, (INTAKE, one.partition)) for one in replayed
    }
    replayed[0].findings += compare_signals([one.signals for one in replayed], folded)
    _compare_told(snapshot, replayed)
    return replayed


def over_partitions(work: Callable[[int], _T], snapshot: Snapshot, progressed: Callable[[], None]) -> list[_T]:
    """Returns what work gives for each partition of the intake log, in order; ``progressed`` is called after each.

    A long log is shared among a process a core; ``work`` must be picklable. Blocks; a failure in any partition is
    raised and the others are given up.
    """
    partitions = partitions_of(snapshot, INTAKE)
    cores = min(os.cpu_count() or 1, len(partitions))
    if cores <= 1 or snapshot.extent.intake_records < _SHARED_RECORDS_MIN:
        return [_done(work(number), progressed) for number in partitions]
    # Processes are spawned: a fork would copy the locks of threads that are not there.
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        running = {pool.submit(work, number): number for number in partitions}
        results = {running[future]: _done(future.result(), progressed) for future in as_completed(running)}
    return [results[number] for number in partitions]


def replay_partition(snapshot: Snapshot, roots: Sequence[PseudonymRoot], partition: int) -> Replayed:
    """Folds a partition up to where stage 2 had come, and compares each topic that it alone writes to there."""
    extent = snapshot.extent
    settled = extent.folded(extent.before, STAGE, (INTAKE, partition))
    upto = extent.folded(extent.after, STAGE, (INTAKE, partition))
    findings: list[Finding] = []
    place = PartitionExtent(INTAKE, partition, extent.begins[INTAKE][partition], settled)
    log = ordered(place, snapshot.records(INTAKE, partition), findings)
    if place.begin > 0:
        findings.append(place.finding("cut_off", place.begin, "the intake log no longer has its beginning"))
    partitions = len(partitions_of(snapshot, INTAKE))
    findings += _misplaced(place, log, partitions)
    folded = fold_partition([record for record in log if record.offset < upto], (partition, partitions), roots, settled)
    replayed = Replayed(
        partition,
        folded.records,
        findings=findings,
        outcomes=folded.outcomes,
        statements=folded.statements,
        needs_opened=len(folded.needs_opened),
        needs_by_state=folded.needs_by_state(),
        needs_by_reason=folded.needs_by_reason(),
    )
    replayed.signals.note_found(log)
    _note_under_way(replayed, [record for record in log if record.offset >= upto])
    _compare_topics(snapshot, folded, settled, replayed)
    return replayed


def _done(result: _T, progressed: Callable[[], None]) -> _T:
    progressed()
    return result


def _misplaced(place: PartitionExtent, log: Sequence[StoredRecord], partitions: int) -> Iterator[Finding]:
    for record in log:
        if record.key is not None and partition_of(record.key, partitions) != place.partition:
            yield place.finding("misplaced", record.offset, "its key belongs to another partition")


def _note_under_way(replayed: Replayed, later: Sequence[StoredRecord]) -> None:
    for record in later:
        statement = intake_statement_of(record)
        replayed.statements.append(statement)
        if statement.is_of_public_record:
            replayed.under_way[statement.source, statement.day] += 1


def _compare_topics(snapshot: Snapshot, folded: RefoldResult, settled: int, replayed: Replayed) -> None:
    begins = snapshot.extent.begins
    said = ("notices", "pathways", "disclosures")
    held = [topic for name in said for topic in topics_of(snapshot, name)]
    for topic in dict.fromkeys([*held, *folded.outputs]):
        written = folded.outputs.get(topic, [])
        if topic == INTAKE:
            replayed.signals.note_written(written)
            continue
        if short_name(topic).startswith(_HANDOVERS):
            for one in written:
                replayed.told.setdefault((topic, one.partition), []).append(one)
            continue
        if topic == DEAD_LETTERS:
            replayed.dead_letters = {one.intake_offset: one.message.timestamp_ms for one in written}
            continue
        place = PartitionExtent(
            topic, folded.partition, begins[topic][folded.partition] if topic in begins else 0, settled
        )
        found = ordered(place, snapshot.records(topic, folded.partition), replayed.findings)
        if topic == _NOTICES:
            found = [one for one in found if not _is_of_sources(one)]
        compare = compare_latest if topic == _PATHWAYS else compare_outputs
        replayed.findings += compare(place, written, found)
        if topic != _PATHWAYS:
            replayed.outputs[topic] = (len(found), len(written))
    if _STATES in begins:
        place = PartitionExtent(_STATES, folded.partition, 0, settled)
        own = [one for one in snapshot.records(_STATES, folded.partition) if not _is_engines(one)]
        replayed.findings += compare_states(place, folded.states, own)


def _compare_told(snapshot: Snapshot, replayed: Sequence[Replayed]) -> None:
    """Compares what programmes were told: in each partition of their topics by the folds of all the intake log's."""
    begins, held = snapshot.extent.begins, topics_of(snapshot, "handovers")
    told: dict[tuple[str, int], list[Written]] = {(topic, n): [] for topic in held for n in range(len(begins[topic]))}
    for one in replayed:
        for where, written in one.told.items():
            told.setdefault(where, []).extend(written)
    for (topic, number), written in sorted(told.items(), key=lambda item: item[0]):
        book = replayed[min(number, len(replayed) - 1)]
        place = PartitionExtent(topic, number, begins[topic][number] if topic in begins else 0, 0)
        found = ordered(place, snapshot.records(topic, number), book.findings)
        place = replace(place, expired_by=_expired_by(snapshot, found))
        book.findings += compare_outputs(place, written, found)
        book.outputs[topic] = (len(found), len(written))


def _expired_by(snapshot: Snapshot, found: Sequence[StoredRecord]) -> int:
    """Returns the time of the youngest record that may have expired where many wrote, each as far as it had come."""
    kept = timedelta(days=entry_of("handovers").retention_days or 0)
    oldest = found[0].timestamp + EARLIER_MAX_MS if found else 0
    return max(oldest, milliseconds_of(snapshot.extent.taken_at - kept))


def _is_of_sources(record: StoredRecord) -> bool:
    """Returns whether a notice tells of a source: a monitor outside the log wrote it, by the time of its own clock."""
    try:
        return codec(Notice).decode_raw(record.value or b"")["kind"] in _OF_SOURCES
    except RefusedError:
        return False  # what can't be read is compared, and found


def _is_engines(record: StoredRecord) -> bool:
    return (record.key or b"").startswith(ENGINE_PREFIX)
