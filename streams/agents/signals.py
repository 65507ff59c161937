"""Signals on the intake log: written inside the sender's transaction, and what a programme does with its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.bookings import decode_bookings, encode_bookings
from schemas.codec import codec
from schemas.identifiers import derived_text
from schemas.internal import Intake
from schemas.signals import PlacesTold, SlotGivenBack, SlotWanted, encode_signal, signal_kind
from schemas.topics import kafka_name
from streams.domain.bookings import book, give_back
from streams.domain.work import event_header_of
from streams.engine.outputs import Outgoing
from streams.partitioning import partition_of

if TYPE_CHECKING:
    from schemas.programmes import Catalogue
    from schemas.signals import SignalContent
    from streams.engine.state import PartitionState

_INTAKE = kafka_name("intake")
_BOOKINGS_KEY = b"\x00bookings/"


@dataclass(slots=True)
class Signals:
    """Writes signals to the partition of whom they are for; ``partitions`` is the intake log's count.

    ``sender_offset`` is that of the intake record being folded: a signal names it as its origin.
    """

    partitions: int
    sender_offset: int = -1

    def post(self, state: PartitionState, to: str, fields: dict[str, Any]) -> None:
        """Writes a signal, its raw fields ready, to a key."""
        key = to.encode()
        self._write(state, partition_of(key, self.partitions), key, fields)

    def tell_places(self, state: PartitionState, reply: dict[str, Any]) -> None:
        """Tells every partition how many free places a programme has, as it said in a reply."""
        told = PlacesTold(reply["programme"], reply["site"], reply["free_places"] or 0, reply["recorded_at"])
        for partition in range(self.partitions):
            event_id = derived_text("signal", reply["event_id"], str(partition))
            self._write(state, partition, None, _fields(event_id, reply["event_id"], told, state.log_time))

    def take_at_programme(
        self, state: PartitionState, content: SlotWanted | SlotGivenBack, catalogue: Catalogue
    ) -> None:
        """Books a slot of a programme's and answers, or frees it."""
        key = _BOOKINGS_KEY + content.programme.encode()
        bookings = decode_bookings(state.read(key))
        if isinstance(content, SlotGivenBack):
            state.put(key, encode_bookings(give_back(bookings, content)))
            return
        programme = catalogue.programmes.get(content.programme)
        bookings, answer = book(bookings, programme, catalogue.holidays, content)
        state.put(key, encode_bookings(bookings))
        event_id = derived_text("signal", content.need_id, str(content.number), signal_kind(answer))
        fields = _fields(event_id, content.need_id, answer, state.log_time) | {"youth_id": content.youth_id}
        self.post(state, content.youth_id, fields)

    def _write(self, state: PartitionState, partition: int, key: bytes | None, fields: dict[str, Any]) -> None:
        origin = {"origin_topic": _INTAKE, "origin_partition": state.partition, "origin_offset": self.sender_offset}
        value = codec(Intake).encode_raw(origin | {"pseudonym": None, "body": ("brobygger.Signal", fields)})
        state.emit(_INTAKE, partition, Outgoing(key, value, state.log_time))


def _fields(event_id: str, about: str, content: SignalContent, now: int) -> dict[str, Any]:
    own = {"topic": signal_kind(content), "need_kind": None, "content": encode_signal(content), "youth_id": None}
    return event_header_of("", event_id, about, now) | own
