"""What steers stage 2 in one partition: catalogue, calendar, who waits for a unit, the head of the disclosures.

All of it is state, so that it is in the changelog; it is kept decoded between records, because reading it costs as
much as a pathway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from schemas.disclosures import NO_DISCLOSURE, chained
from schemas.pathway import with_due
from schemas.programmes import Catalogue, decode_catalogue
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from schemas.signals import PlacesTold
    from streams.engine.state import PartitionState

CATALOGUE_KEY = b"\x00catalogue"
CALENDAR_KEY = b"\x00calendar"
_DISCLOSURES_KEY = b"\x00disclosures"
_PLACES_KEY = b"\x00places"
_WAITING_KEY = b"\x00waiting/"
_CALENDAR_REFUSED = Refusal(
    "calendar_refused", "calendar_at", "only a demo or scenario sets the calendar", "write none in production"
)


class CatalogueMissingError(Exception):
    """The intake log has no catalogue version before its first statement."""


@dataclass(slots=True)
class Steering:
    """The steering of one partition. ``ahead`` is by how many milliseconds the calendar is ahead of the log."""

    ahead: int = 0
    _catalogue: Catalogue | None = None
    _restarts: int = -1

    def load(self, state: PartitionState) -> None:
        """Reads it from the state, where that was not done since the state last forgot folds."""
        if self._restarts == state.restarts:
            return
        content, ahead = state.read(CATALOGUE_KEY), state.read(CALENDAR_KEY)
        self._catalogue = None if content is None else decode_catalogue(content)
        self._add_places(_places_of(state.read(_PLACES_KEY)))
        self.ahead = 0 if ahead is None else int.from_bytes(ahead, signed=True)
        self._restarts = state.restarts

    def now(self, state: PartitionState) -> int:
        """Returns the calendar's time at the log's time."""
        return state.log_time + self.ahead

    def catalogue(self, state: PartitionState) -> Catalogue:
        """Returns the catalogue in force; raises CatalogueMissingError where the log has none yet."""
        if self._catalogue is None:
            raise CatalogueMissingError(
                f"partition {state.partition} of the intake log has statements before any catalogue version; "
                "run `brobygger programmes apply` before the first worker"
            )
        return self._catalogue

    @property
    def pseudonym_keys(self) -> list[str]:
        """Returns the ids of the roots that the catalogue in force names."""
        return [] if self._catalogue is None else [key_id for _, key_id in self._catalogue.pseudonym_keys]

    def set_catalogue(self, state: PartitionState, event: dict[str, Any]) -> None:
        """Takes a version that is newer, and wakes those who wait for a unit that it names; raises RefusedError."""
        catalogue = decode_catalogue(event["content"])
        if self._catalogue is not None and self._catalogue.version >= catalogue.version:
            return
        state.put(CATALOGUE_KEY, event["content"].encode())
        self._catalogue = catalogue
        self._add_places(_places_of(state.read(_PLACES_KEY)))
        for unit in catalogue.units:
            waiting = state.read(_WAITING_KEY + unit.encode())
            for youth_id in waiting.split(b",") if waiting else ():
                _wake(state, youth_id, self.now(state))
            if waiting:
                state.delete(_WAITING_KEY + unit.encode())

    def set_places(self, state: PartitionState, told: PlacesTold) -> None:
        """Keeps what a programme told last of its free places."""
        places = _places_of(state.read(_PLACES_KEY))
        name = f"{told.programme}/{told.site or ''}"
        if places.get(name, (0, 0))[1] <= told.told_at:
            places[name] = (told.places, told.told_at)
            state.put(_PLACES_KEY, msgspec.msgpack.encode(places, order="sorted"))
            self._add_places(places)

    def _add_places(self, places: dict[str, tuple[int, int]]) -> None:
        if self._catalogue is not None:
            self._catalogue = msgspec.structs.replace(self._catalogue, places=places)

    def set_calendar(self, state: PartitionState, event: dict[str, Any]) -> None:
        """Sets the calendar forward, where the catalogue allows it; raises RefusedError where it doesn't."""
        if not self.catalogue(state).calendar_allowed:
            raise RefusedError(_CALENDAR_REFUSED)
        ahead = event["calendar_at"] - state.log_time
        if ahead > self.ahead:
            state.put(CALENDAR_KEY, ahead.to_bytes(8, signed=True))
            self.ahead = ahead

    def chain_disclosure(self, state: PartitionState, fields: dict[str, Any], key: bytes) -> dict[str, Any]:
        """Returns a disclosure in its place in the partition's chain, which it is the head of from now on."""
        head = state.read(_DISCLOSURES_KEY)
        position, previous = (0, NO_DISCLOSURE) if head is None else (int.from_bytes(head[:8]), head[8:].decode())
        placed = chained(fields, position + 1, previous, key)
        state.put(_DISCLOSURES_KEY, (position + 1).to_bytes(8) + placed["digest"].encode())
        return placed

    def wait_for_unit(self, state: PartitionState, unit: str, youth_id: str) -> None:
        """Notes that a young person waits until the catalogue names a unit."""
        key = _WAITING_KEY + unit.encode()
        waiting = set((state.read(key) or b"").split(b",")) - {b""} | {youth_id.encode()}
        state.put(key, b",".join(sorted(waiting)))


def _places_of(value: bytes | None) -> dict[str, tuple[int, int]]:
    return {} if value is None else msgspec.msgpack.decode(value, type=dict[str, tuple[int, int]])


def _wake(state: PartitionState, key: bytes, now: int) -> None:
    value = state.read(key)
    if value is not None:
        state.put(key, with_due(value, now))
        state.schedule(key, now)
