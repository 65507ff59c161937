"""Replays the log as if other programmes had been in force, and tells which handovers would differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.instants import moment_of
from schemas.internal import Intake
from schemas.outputs import HandoverEvent
from schemas.programmes import ProgrammeFile, decode_catalogue, encode_catalogue
from schemas.refusals import RefusedError
from schemas.topics import short_name
from streams.agents.audience import traced_back
from streams.agents.join_pathways import INTAKE, STAGE
from streams.catalogue import Rules, compile_catalogue
from streams.log.refold import RefoldResult, fold_partition
from streams.log.replaying import over_partitions
from streams.log.snapshot import partitions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.vault.keys import PseudonymRoot
    from schemas.reference import Reference
    from streams.engine.processor import StoredRecord
    from streams.log.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class OtherProgrammes:
    """Programme files to put in the place of each version's own; the rest of each version stays as it was."""

    files: tuple[ProgrammeFile, ...]
    reference: Reference
    rules: Rules

    def in_force(self, record: StoredRecord) -> StoredRecord:
        """Returns a record of the intake log with its programmes replaced, where it is a catalogue version."""
        if record.key is not None or record.value is None:
            return record
        try:
            fields = codec(Intake).decode_raw(record.value)
        except RefusedError:
            return record
        name, event = fields["body"]
        if not name.endswith(".CatalogueVersion"):
            return record
        logged = decode_catalogue(event["content"])
        day = moment_of(record.timestamp).date()
        other = compile_catalogue(logged.version, self.files, self.reference, day, self.rules)
        content = encode_catalogue(msgspec.structs.replace(logged, programmes=other.programmes))
        return record._replace(value=codec(Intake).encode_raw(fields | {"body": (name, event | {"content": content})}))


class ProgrammeDifference(NamedTuple):
    """One need's handover statements as the log decides them, and as they would be."""

    need_id: str
    in_log: list[str]
    under_other: list[str]


def differing_handovers(
    snapshot: Snapshot,
    roots: Sequence[PseudonymRoot],
    other: OtherProgrammes,
    progressed: Callable[[], None] = lambda: None,
) -> list[ProgrammeDifference]:
    """Returns the needs whose handovers would differ, by need id. Folds every partition twice; blocks."""
    work = partial(_differing_in, snapshot, roots, other)
    found = over_partitions(work, snapshot, progressed)
    return sorted(one for differences in found for one in differences)


def _differing_in(
    snapshot: Snapshot, roots: Sequence[PseudonymRoot], other: OtherProgrammes, partition: int
) -> list[ProgrammeDifference]:
    upto = snapshot.extent.folded(snapshot.extent.after, STAGE, (INTAKE, partition))
    log = [record for record in snapshot.records(INTAKE, partition) if record.offset < upto]
    place = (partition, len(partitions_of(snapshot, INTAKE)))
    pseudonyms = Pseudonyms(roots)
    in_log = _by_need(fold_partition(log, place, roots), pseudonyms)
    under_other = _by_need(fold_partition(map(other.in_force, log), place, roots), pseudonyms)
    return [
        ProgrammeDifference(need, in_log.get(need, []), under_other.get(need, []))
        for need in in_log | under_other
        if in_log.get(need) != under_other.get(need)
    ]


def _by_need(folded: RefoldResult, pseudonyms: Pseudonyms) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for need, text in _statements(folded, pseudonyms):
        said.setdefault(need, []).append(text)
    return {need: sorted(texts) for need, texts in said.items()}


def _statements(folded: RefoldResult, pseudonyms: Pseudonyms) -> Iterator[tuple[str, str]]:
    for topic, written in folded.outputs.items():
        if not short_name(topic).startswith("handovers."):
            continue
        for one in written:
            fields: dict[str, Any] = codec(HandoverEvent).decode_raw(one.message.value or b"")
            reason = f" ({fields['reason_code']})" if fields["reason_code"] else ""
            when = moment_of(fields["occurred_at"]).isoformat(timespec="seconds")
            need_id = (traced_back(pseudonyms, fields) or fields)["correlation_id"]
            yield need_id, f"{when} {fields['programme']} {fields['type']}{reason}"
