"""Drives the domain as the workers do: pathways by number, deadlines in time, signals between keys, slots, versions.

What it folds it hands to an eye, one ``Seen`` a fold. Deadlines at or before a record's time come before the record. A
signal arrives after its delay; those of one fold to one receiver arrive together, as one transaction writes them, and
those of one sender to one receiver in the order in which they were written.
"""

from __future__ import annotations

import heapq
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from schemas.bookings import Bookings
from schemas.codes import NoticeKind
from schemas.identifiers import derived_text
from schemas.pathway import NEVER, Pathway, decode_pathway, encode_pathway
from schemas.programmes import Catalogue
from schemas.signals import SlotGivenBack, SlotWanted, decode_signal, encode_signal, signal_kind
from streams.domain.bookings import book, give_back
from streams.domain.pathways import apply_event, fire_deadlines
from streams.domain.work import SIGNALS, Emission
from tests.model.steps import NUMBERS, raw_signal

CLOCKS_MAX = 4_000


class BrokenFoldError(Exception):
    """A fold failed; the text says how and where, and the history ends there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One fold: what it was about, the pathway before and after, and what was said. ``model`` is "" for a deadline."""

    now: int
    number: int
    model: str
    event: dict[str, Any]
    before: Pathway
    after: Pathway
    said: tuple[Emission, ...]
    outcome: str


@dataclass
class World:
    """All numbers of one history under one catalogue."""

    catalogue: Catalogue
    look: Callable[[Seen], None]
    delays: tuple[int, ...] = (0,)
    pathways: dict[str, Pathway] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    clocks: int = 0
    signals_met: int = 0
    _signals: list[tuple[int, int, str, dict[str, Any]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _folds: count[int] = field(default_factory=count)
    _latest: dict[tuple[str, str], int] = field(default_factory=dict)
    _bookings: Bookings = field(default_factory=dict)
    _waiting: dict[str, set[str]] = field(default_factory=dict)

    def pathway(self, number: int) -> Pathway:
        """Returns a number's pathway."""
        youth_id = NUMBERS[number]
        return self.pathways.get(youth_id) or Pathway(youth_id)

    @property
    def signals_under_way(self) -> bool:
        """Tells whether a signal was written and has not arrived."""
        return bool(self._signals)

    def tell(self, youth_id: str, model: str, event: dict[str, Any], now: int) -> None:
        """Folds a statement at a log time, what is due before it first, and every signal that arrives at once."""
        self.wait_until(now)
        self._take(youth_id, model, event, now)
        self.wait_until(now)

    def wait_until(self, until: int) -> None:
        """Lets every deadline and signal at or before a time come, in order."""
        while True:
            due, youth_id = min(((one.next_due, key) for key, one in self.pathways.items()), default=(NEVER, ""))
            signal = self._signals[0][0] if self._signals else NEVER
            if min(due, signal) > until:
                return
            if due <= signal:
                self._fire(youth_id, due)
            else:
                arrives, _, to, event = heapq.heappop(self._signals)
                self._arrive(to, event, arrives)

    def set_catalogue(self, catalogue: Catalogue, now: int) -> None:
        """Takes a new version, and wakes who waits for a unit that it names."""
        self.wait_until(now)
        self.catalogue = msgspec.structs.replace(catalogue, places=self.places)
        for unit in catalogue.units:
            for youth_id in sorted(self._waiting.pop(unit, ())):
                self._fire(youth_id, now)
        self.wait_until(now)

    def tell_places(self, programme: str, site: str | None, free: int, now: int) -> None:
        """Keeps what a programme said of its free places."""
        self.wait_until(now)
        self.places = self.places | {f"{programme}/{site or ''}": (free, now)}
        self.catalogue = msgspec.structs.replace(self.catalogue, places=self.places)

    def _fire(self, youth_id: str, due: int) -> None:
        before = self.pathways[youth_id]
        self.clocks += 1
        try:
            folded = fire_deadlines(before, self.catalogue, due)
        except Exception as error:
            raise BrokenFoldError(f"a deadline can't be folded: {_where(error)}") from error
        if folded.pathway.next_due <= due:
            raise BrokenFoldError("a deadline that fired is due again at once")
        if self.clocks > CLOCKS_MAX:
            raise BrokenFoldError(f"more than {CLOCKS_MAX} deadlines fired")
        self._keep(
            Seen(due, NUMBERS.index(youth_id), "", {}, before, folded.pathway, tuple(folded.said), folded.outcome)
        )

    def _take(self, youth_id: str, model: str, event: dict[str, Any], now: int) -> None:
        before = self.pathways.get(youth_id) or Pathway(youth_id)
        try:
            folded = apply_event(before, model, event, self.catalogue, now)
        except Exception as error:
            raise BrokenFoldError(f"{model} can't be folded: {_where(error)}") from error
        self._keep(
            Seen(now, NUMBERS.index(youth_id), model, event, before, folded.pathway, tuple(folded.said), folded.outcome)
        )

    def _keep(self, seen: Seen) -> None:
        youth_id = seen.after.youth_id
        again = decode_pathway(encode_pathway(seen.after))
        if again != seen.after:
            raise BrokenFoldError("the state does not decode to itself")
        self.pathways[youth_id] = again
        delay = self._next_delay() if any(one.topic == SIGNALS for one in seen.said) else 0
        for one in seen.said:
            if one.topic == SIGNALS:
                self._post(youth_id, dict(one.fields), seen.now + delay)
            elif one.fields.get("kind") == NoticeKind.UNKNOWN_UNIT and one.fields["need_kind"] is None:
                self._waiting.setdefault(one.fields["subject"], set()).add(youth_id)
        self.look(seen)

    def _next_delay(self) -> int:
        return self.delays[next(self._folds) % len(self.delays)]

    def _post(self, sender: str, event: dict[str, Any], arrives: int) -> None:
        to = str(event.pop("to"))
        self.signals_met += 1
        arrives = max(arrives, self._latest.get((sender, to), 0))
        self._latest[sender, to] = arrives
        heapq.heappush(self._signals, (arrives, next(self._order), to, event))

    def _arrive(self, to: str, event: dict[str, Any], now: int) -> None:
        content = decode_signal(event["content"])
        if isinstance(content, SlotGivenBack):
            self._bookings = give_back(self._bookings, content)
        elif isinstance(content, SlotWanted):
            programme = self.catalogue.programmes.get(content.programme)
            self._bookings, answer = book(self._bookings, programme, self.catalogue.holidays, content)
            event_id = derived_text("signal", content.need_id, str(content.number), signal_kind(answer))
            own = {"topic": signal_kind(answer), "content": encode_signal(answer), "youth_id": content.youth_id}
            signal = raw_signal(event_id, content.need_id, now, own | {"to": content.youth_id})
            self._post(to, signal, now + self._next_delay())
        else:
            self._take(to, "Signal", event, now)


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.filename.rpartition('/')[2]}, {frame.name}: {error}"
