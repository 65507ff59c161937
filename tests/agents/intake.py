"""Intake logs for tests: the records that stage 1 would have written, folded offline by stage 2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.events import EventHeader
from schemas.instants import milliseconds_of
from schemas.internal import CatalogueVersion, Intake
from schemas.programmes import Catalogue, encode_catalogue
from schemas.topics import kafka_name
from streams.agents.dead_letters import DeadLetters
from streams.agents.join_pathways import INTAKE, STAGE, JoinPathways
from streams.agents.signals import Signals
from streams.engine.limits import TransactionLimits
from streams.engine.offline import OfflineTask
from streams.engine.processor import StoredRecord
from streams.engine.store import MemoryStore
from tests.domain.story import an_id, header

SEALING_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOTS = (PseudonymRoot("k001", bytes(range(32))),)
PSEUDONYMS = Pseudonyms(ROOTS)
_TOPIC_OF = {
    "Discharge": "discharges",
    "Referral": "referrals",
    "Enrolment": "enrolments",
    "Consent": "consents",
    "Person": "persons",
    "Reply": "replies",
    "Intervention": "interventions",
}


def a_join_processor(pseudonyms: Pseudonyms = PSEUDONYMS) -> JoinPathways:
    """Builds the processor of stage 2 with keys of the tests' own."""
    return JoinPathways(pseudonyms, DeadLetters(STAGE, SEALING_KEY.public_key()), Signals(partitions=1))


def a_version(catalogue: Catalogue, when: datetime) -> CatalogueVersion:
    """Builds the log's record of a catalogue version."""
    fields = header(f"catalogue-{catalogue.version}", when) | {"youth_id": None, "source": "brobygger"}
    content = encode_catalogue(catalogue)
    return CatalogueVersion.model_validate(fields | {"version": catalogue.version, "content": content})


def a_log(entries: Iterable[tuple[datetime, EventHeader]]) -> list[StoredRecord]:
    """Builds an intake log of events at log times."""
    return [_record(offset, when, event) for offset, (when, event) in enumerate(entries)]


def _record(offset: int, when: datetime, event: EventHeader) -> StoredRecord:
    origin = kafka_name(_TOPIC_OF.get(type(event).__name__, "intake"))
    intake = Intake(origin_topic=origin, origin_partition=0, origin_offset=offset, body=event)
    key = None if event.youth_id is None else event.youth_id.encode()
    return StoredRecord(offset, milliseconds_of(when), key, codec(Intake).encode(intake))


class Fold:
    """One partition folded offline: what was written, in order, and the latest states."""

    def __init__(self, limits: TransactionLimits | None = None, pseudonyms: Pseudonyms = PSEUDONYMS) -> None:
        """Starts with an empty store."""
        self.store = MemoryStore()
        self._task = OfflineTask(a_join_processor(pseudonyms), 0, self.store, limits)
        self.written: dict[str, list[Any]] = {}

    def take(self, log: Sequence[StoredRecord], batch: int | None = None) -> Fold:
        """Folds a log in batches of a size."""
        size = batch or max(1, len(log))
        for start in range(0, len(log), size):
            for changes in self._task.fold(INTAKE, log[start : start + size]):
                for (topic, _), messages in changes.outputs.items():
                    self.written.setdefault(topic, []).extend(messages)
        return self

    def state(self, key: bytes) -> bytes | None:
        """Returns the latest state of a key."""
        return self._task.state.read(key)

    def decoded(self, topic: str, model: type) -> list[dict[str, Any]]:
        """Returns the raw records written to a topic."""
        return [codec(model).decode_raw(one.value) for one in self.written.get(kafka_name(topic), [])]


__all__ = ["PSEUDONYMS", "Fold", "a_log", "a_version", "an_id"]
