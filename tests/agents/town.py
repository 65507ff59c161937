"""A whole intake log in several partitions, folded as its records come: signals go on to whom they are for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from schemas.codec import codec
from schemas.events import EventHeader
from schemas.instants import milliseconds_of
from schemas.internal import Intake
from schemas.outputs import HandoverEvent, Notice
from schemas.pathway import NEVER, Pathway, decode_pathway
from schemas.programmes import Catalogue
from schemas.topics import kafka_name
from streams.agents.dead_letters import DeadLetters
from streams.agents.join_pathways import INTAKE, STAGE, JoinPathways
from streams.agents.signals import Signals
from streams.engine.offline import OfflineTask
from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord
from streams.engine.store import MemoryStore
from streams.partitioning import partition_of
from tests.agents.intake import PSEUDONYMS, SEALING_KEY, a_version


class Town:
    """Stage 2 in so many partitions. ``twice`` brings every signal a second time, as no log ever does."""

    def __init__(self, partitions: int, catalogue: Catalogue, begins: datetime, *, twice: bool = False) -> None:
        """Starts with a catalogue in every partition."""
        self.logs: list[list[StoredRecord]] = [[] for _ in range(partitions)]
        self.written: list[tuple[str, bytes]] = []
        self.sent: list[tuple[str, int, Outgoing]] = []
        self._copies = 2 if twice else 1
        self._stores = [MemoryStore() for _ in range(partitions)]
        self._tasks = [OfflineTask(self._processor(), number, store) for number, store in enumerate(self._stores)]
        self._signals: deque[tuple[int, bytes | None, bytes]] = deque()
        for number in range(partitions):
            self._append(number, None, self._encoded(a_version(catalogue, begins)), milliseconds_of(begins))

    def tell(self, when: datetime, *events: EventHeader) -> None:
        """Brings events at a log time, everything due before it first, and every signal that follows."""
        self.wait_until(when)
        for event in events:
            key = (event.youth_id or event.programme).encode()  # type: ignore[attr-defined]
            self._append(partition_of(key, len(self.logs)), key, self._encoded(event), milliseconds_of(when))
            self._deliver(milliseconds_of(when))

    def take(self, partition: int, record: Outgoing, now: int) -> None:
        """Brings a record that stage 1 wrote, and every signal that follows."""
        self._append(partition, record.key, record.value or b"", now)
        self._deliver(now)

    def wait_until(self, when: datetime) -> None:
        """Lets time pass by ticks, one at each deadline."""
        until = milliseconds_of(when)
        while (due := min((one.next_due for one in self.pathways()), default=NEVER)) <= until:
            for number, task in enumerate(self._tasks):
                self._append(number, None, self._processor().tick(task.state).value, due)
            self._deliver(due)

    def pathways(self) -> Iterator[Pathway]:
        """Yields every young person's pathway."""
        for store in self._stores:
            for key, value in store.states():
                if not key.startswith(b"\x00"):
                    yield decode_pathway(value)

    def pathway(self, youth_id: str) -> Pathway:
        """Returns one young person's pathway."""
        return next(one for one in self.pathways() if one.youth_id == youth_id)

    def handovers(self) -> list[tuple[str, str, str | None, Any]]:
        """Returns (statement, programme, reason, day of the appointment) of all that programmes were told."""
        said = [codec(HandoverEvent).decode_raw(value) for topic, value in self.written if ".handovers." in topic]
        return [(one["type"], one["programme"], one["reason_code"], one["appointment_on"]) for one in said]

    def notices(self) -> list[dict[str, Any]]:
        """Returns the notices, raw."""
        return [codec(Notice).decode_raw(value) for topic, value in self.written if topic == kafka_name("notices")]

    def state(self, key: bytes) -> list[bytes]:
        """Returns what the partitions hold under a key."""
        return [value for store in self._stores if (value := store.get(key)) is not None]

    def _processor(self) -> JoinPathways:
        return JoinPathways(PSEUDONYMS, DeadLetters(STAGE, SEALING_KEY.public_key()), Signals(len(self.logs)))

    def _encoded(self, event: EventHeader) -> bytes:
        return codec(Intake).encode(Intake(origin_topic=INTAKE, origin_partition=0, origin_offset=-1, body=event))

    def _append(self, number: int, key: bytes | None, value: bytes, timestamp: int) -> None:
        log = self.logs[number]
        record = StoredRecord(len(log), max(timestamp, log[-1].timestamp if log else 0), key, value)
        log.append(record)
        for changes in self._tasks[number].fold(INTAKE, [record]):
            for (topic, partition), messages in changes.outputs.items():
                for one in messages:
                    if topic == INTAKE:
                        self._signals.extend([(partition, one.key, one.value or b"")] * self._copies)
                    else:
                        self.written.append((topic, one.value or b""))
                        self.sent.append((topic, partition, one))

    def _deliver(self, now: int) -> None:
        while self._signals:
            self._append(*self._signals.popleft(), now)
