"""What happens in the demo: the five arrangements in small, with corrections, repeats, late and broken messages.

Each act is a time on the calendar and something that a simulated system sends then.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from streams.demo.doors import MUNICIPALITY, DemoClient, person_of
from streams.demo.letters import DemoStay, a_stay
from streams.demo.people import YoungPerson, a_young_person

if TYPE_CHECKING:
    from schemas.reference import Reference

_HOVEDSTADEN, _MIDTJYLLAND = "9991084000016101", "9991082000016101"
Answer = Callable[[], Awaitable[str]]


@dataclass(order=True, frozen=True, slots=True)
class SimulatedAct:
    """One thing that a simulated system does. ``do`` returns what it was answered."""

    at: datetime
    number: int
    title: str = field(compare=False)
    do: Answer = field(compare=False)


@dataclass(slots=True)
class Plot:
    """Writes the acts of one demo, the same for the same seed and start."""

    doors: DemoClient
    reference: Reference
    start: datetime
    run: int
    _chance: random.Random = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        """Seeds the chance by the run, so that every run has other people."""
        self._chance = random.Random(self.run)  # noqa: S311 - a demo's dice

    def acts(self) -> Iterator[SimulatedAct]:
        """Yields every act; not in order of time."""
        for number in range(24):
            municipality = ("0217", "0101", "0175", "0751", "0360", "0217")[number % 6]
            yield from self._discharged(number, municipality)
        for number in range(4):
            yield from self._opus_ended(number)
            yield from self._stime_ended(number)
        broken = partial(self.doors.message, b"{not json")
        yield self._act(timedelta(minutes=5), "broken message from a hospital", broken)
        yield self._psykinfo()

    def _discharged(self, number: int, municipality: str) -> Iterator[SimulatedAct]:
        """Yields a stay in child psychiatry with its consent, and every third with something odd about it."""
        person = self._person(municipality, 13 + number % 10)
        hospital = _MIDTJYLLAND if municipality == "0751" else _HOVEDSTADEN
        stay = self._stay(person, hospital, f"{self.run:04x}{number:04x}")
        home = timedelta(minutes=30 * number + 2)
        discharged_at = self.start + home
        admit = stay.step("admit-inpatient", stay.admitted_at)
        discharge = stay.step("discharge-inpatient-home", discharged_at)
        if number % 5 != 4:  # noqa: PLR2004 - every fifth waits for consent
            yield self._consent(home - timedelta(minutes=1), person, number)
        if number % 6 == 2:  # noqa: PLR2004
            yield self._message(home, f"discharge of a stay not yet told ({municipality})", discharge)
            yield self._message(home + timedelta(minutes=1), "its admission, late", admit)
        else:
            yield self._message(home - timedelta(minutes=1), f"admission ({municipality})", admit)
            yield self._message(home, f"discharge home ({municipality})", discharge)
        if number % 6 == 3:  # noqa: PLR2004
            yield self._message(home + timedelta(minutes=2), "the same discharge again", discharge)
        if number % 8 == 5:  # noqa: PLR2004
            revised = stay.step("revise-discharge-inpatient-home", discharged_at - timedelta(hours=1))
            yield self._message(home + timedelta(hours=2), "a discharge revised", revised)
        if number % 8 == 6:  # noqa: PLR2004
            cancelled = stay.step("cancel-discharge-inpatient-home", discharged_at)
            yield self._message(home + timedelta(hours=3), "a discharge cancelled", cancelled)

    def _opus_ended(self, number: int) -> Iterator[SimulatedAct]:
        """Yields the two-year end of OPUS Young, with a named consent."""
        person = self._person("0217" if number % 2 else "0101", 16)
        at = timedelta(hours=1, minutes=20 * number)
        yield self._consent(at - timedelta(minutes=2), person, 500 + number, scope="named")
        fields = self._course(person, f"opus-{self.run}-{number}", "opus-young", "completed", at)
        yield self._statement(at, "OPUS Young completed after two years", "enrolments", fields)

    def _stime_ended(self, number: int) -> Iterator[SimulatedAct]:
        """Yields ends of STIME courses: two raise a need, completed doesn't."""
        person = self._person("0217", 14 + number % 3)
        status = ("referred_elsewhere", "dropped_out", "completed", "completed")[number]
        at = timedelta(hours=2, minutes=15 * number)
        yield self._consent(at - timedelta(minutes=1), person, 700 + number)
        fields = self._course(person, f"stime-{self.run}-{number}", "stime", status, at)
        yield self._statement(at, f"STIME {status.replace('_', ' ')}", "enrolments", fields)

    def _psykinfo(self) -> SimulatedAct:
        person, at = self._person("0101", 17), timedelta(minutes=40)
        fields = self._course(person, f"evening-{self.run}", "psykinfo", "waiting", at)
        return self._statement(at, "sign-up to a PsykInfo evening", "enrolments", fields)

    def _person(self, municipality: str, age: int) -> YoungPerson:
        return a_young_person(self._chance, municipality, age, self.start.date())

    def _stay(self, person: YoungPerson, hospital_sor: str, episode: str) -> DemoStay:
        admitted_at = self.start - timedelta(days=self._chance.randrange(5, 60))
        return a_stay(self.reference, person, hospital_sor, episode, admitted_at)

    def _consent(self, at: timedelta, person: YoungPerson, number: int, scope: str = "anonymous") -> SimulatedAct:
        fields = {
            "subject": f"consent-{self.run}-{number}",
            "occurred_at": (self.start + at).isoformat(),
            "decision": "given",
            "given_by": ["young_person"],
            "custody": "joint",
            "scope": scope,
            "purpose": "aftercare",
            "evidence": "spoken_and_recorded",
            "recorded_by": "børne- og ungdomspsykiatrien",
            "person": person_of(person),
        }
        return self._statement(at, f"{scope} consent", "consents", fields)

    def _course(self, person: YoungPerson, course: str, programme: str, status: str, at: timedelta) -> dict[str, Any]:
        moment = (self.start + at).isoformat()
        return {
            "subject": course,
            "occurred_at": moment,
            "programme": programme,
            "status": status,
            "status_at": moment,
            "person": person_of(person),
        }

    def _message(self, at: timedelta, title: str, bundle: dict[str, Any]) -> SimulatedAct:
        return self._act(at, title, lambda: self.doors.message(bundle))

    def _statement(self, at: timedelta, title: str, topic: str, fields: dict[str, Any]) -> SimulatedAct:
        async def send() -> str:
            status, answer = await self.doors.statement(topic, MUNICIPALITY, fields)
            refused = answer.get("refused")
            return f"refused: {refused['code']}" if refused else str(status)

        return self._act(at, title, send)

    def _act(self, at: timedelta, title: str, do: Answer) -> SimulatedAct:
        self._count += 1
        return SimulatedAct(self.start + at, self._count, title, do)
