"""``make bench-pathways``: the real job of stage 2 on one core, at 10,000 and at 1,000,000 young people.

Decode, fold, derive, decide and emit, over a RocksDB store, without a broker: what is measured is what a
core spends on events. Prints events/s for each size, and their ratio.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rich.console import Console
from rich.progress import track

from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.events import Consent, Discharge, Person
from schemas.instants import days_of, milliseconds_of
from schemas.internal import CatalogueVersion, Intake
from schemas.programmes import encode_catalogue, load_programmes
from schemas.reference import load_reference
from schemas.topics import kafka_name
from streams.agents.dead_letters import DeadLetters
from streams.agents.join_pathways import INTAKE, STAGE, JoinPathways
from streams.agents.signals import Signals
from streams.catalogue import Rules, compile_catalogue
from streams.engine.offline import OfflineTask
from streams.engine.processor import StoredRecord
from streams.engine.store import RocksStore

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
_START = datetime(2026, 2, 2, 8, tzinfo=UTC)
_BATCH = 5_000
_UNIT = "9991084000016101"
_MODELS = {one.__name__: one for one in (CatalogueVersion, Consent, Discharge, Person)}
_EVENTS_PER_SECOND_OF_LOG = 50


def main() -> None:
    """Measures both sizes and prints them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=200_000, help="events folded at each size")
    arguments.add_argument("--youths", type=int, nargs="*", default=[10_000, 1_000_000])
    options = arguments.parse_args()
    console = Console()
    rates = [fold_measured(youths, options.events, console) for youths in options.youths]
    if len(rates) > 1:
        console.print(f"{options.youths[-1]:,} against {options.youths[0]:,} youths: {rates[-1] / rates[0]:.2f}")


def fold_measured(youths: int, events: int, console: Console) -> float:
    """Folds every youth's person record first, unmeasured, so that the state has its size; then the events."""
    with tempfile.TemporaryDirectory() as folder:
        processor = JoinPathways(
            Pseudonyms([PseudonymRoot("k001", bytes(32))]),
            DeadLetters(STAGE, X25519PrivateKey.generate().public_key()),
            Signals(partitions=1),
        )
        task = OfflineTask(processor, 0, RocksStore(Path(folder)))
        for batch in track(_batches(_beginnings(youths)), "state", youths // _BATCH + 1, transient=True):
            _fold(task, batch)
        batches = list(_batches(_traffic(youths, events)))
        began = time.process_time()
        written = sum(_fold(task, batch) for batch in batches)
        rate = events / (time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"{youths:>9,} youths: {rate:,.0f} events/s a core, {written:,} records out, peak {peak:,.0f} MiB")
    return rate


def _fold(task: OfflineTask, batch: list[StoredRecord]) -> int:
    return sum(len(messages) for changes in task.fold(INTAKE, batch) for messages in changes.outputs.values())


def _batches(records: Iterator[StoredRecord]) -> Iterator[list[StoredRecord]]:
    batch: list[StoredRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _beginnings(youths: int) -> Iterator[StoredRecord]:
    yield _version()
    for number in range(youths):
        body = _envelope(number, "person") | {
            "birth_date": days_of(date(2010, 5, 1)),
            "municipality": ("0217", "0101", "0751")[number % 3],
            "protected": False,
            "linked_to": None,
            "unlinked_from": None,
        }
        yield _record(number + 1, _START, "Person", body)


def _traffic(youths: int, events: int) -> Iterator[StoredRecord]:
    """Yields admissions, consents and discharges of random young people, at a steady pace of the log."""
    chance = random.Random(1)
    for number in range(events):
        youth, kind = chance.randrange(youths), number % 3
        at = _START + timedelta(seconds=60 + number / _EVENTS_PER_SECOND_OF_LOG)
        offset = youths + 1 + number
        if kind == 1:
            yield _record(offset, at, "Consent", _consent(youth, number))
        else:
            yield _record(offset, at, "Discharge", _step(youth, number, kind, at))


def _step(youth: int, number: int, kind: int, at: datetime) -> dict[str, Any]:
    return _envelope(youth, f"step-{number}") | {
        "occurred_at": milliseconds_of(at),
        "episode_id": f"episode-{youth}",
        "stay_class": "inpatient",
        "status": "admitted" if kind == 0 else "discharged_home",
        "unit": _UNIT,
        "specialty": "UNKNOWN",
        "notification": None,
        "planned_at": None,
        "remarks": [],
    }


def _consent(youth: int, number: int) -> dict[str, Any]:
    return _envelope(youth, f"consent-{number}") | {
        "decision": "given",
        "given_by": ["young_person"],
        "custody": "UNKNOWN",
        "youth_unable": False,
        "scope": "anonymous",
        "receiver": None,
        "purpose": "aftercare",
        "evidence": "signed",
        "recorded_by": "unit",
        "lapses_at": None,
    }


def _envelope(youth: int, name: str) -> dict[str, Any]:
    return {
        "event_id": str(UUID(int=hash((youth, name)) & (1 << 128) - 1)),
        "source": "sor:900000000000001",
        "source_sequence": None,
        "correlation_id": str(UUID(int=youth)),
        "causation_id": None,
        "occurred_at": milliseconds_of(_START),
        "sent_at": milliseconds_of(_START),
        "recorded_at": milliseconds_of(_START),
        "youth_id": f"{youth:032x}",
        "subject": name,
        "revises": None,
        "cancels": None,
    }


def _version() -> StoredRecord:
    programmes, reference = load_programmes(_ROOT / "programmes"), load_reference(_ROOT / "reference")
    catalogue = compile_catalogue(1, programmes, reference, _START.date(), Rules(timedelta(minutes=15)))
    fields = {"version": 1, "content": encode_catalogue(catalogue)}
    body = _envelope(0, "catalogue") | {"youth_id": None} | fields
    return _record(0, _START, CatalogueVersion.__name__, body)


def _record(offset: int, at: datetime, model: str, body: dict[str, Any]) -> StoredRecord:
    absent = {name: one.default for name, one in _MODELS[model].model_fields.items() if not one.is_required()}
    fields = {
        "origin_topic": kafka_name("discharges"),
        "origin_partition": 0,
        "origin_offset": offset,
        "pseudonym": None,
        "body": (f"brobygger.{model}", absent | body),
    }
    key = body["youth_id"] and body["youth_id"].encode()
    return StoredRecord(offset, milliseconds_of(at), key, codec(Intake).encode_raw(fields))


if __name__ == "__main__":
    main()
