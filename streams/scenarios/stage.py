"""What a scenario is played on: the doors, the calendar, the log, and what has been heard so far."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from streams.demo.doors import MUNICIPALITY, person_of
from streams.demo.letters import DemoStay, a_stay
from streams.demo.people import YoungPerson, a_young_person, born_on
from streams.scenarios.heard import ObservedOutputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.kafka.connection import KafkaConnection
    from schemas.reference import Reference
    from streams.demo.calendar import Calendar
    from streams.demo.doors import DemoClient
    from streams.demo.watching import OutputWatch
    from streams.scenarios.dates import Dates
    from streams.settings import Settings

SETTLED = timedelta(minutes=16)
_LINES_MAX = 2_000


class ScenarioError(Exception):
    """A scenario could not be played to its end; the text says at which step, and what the service answered."""


@dataclass(slots=True)
class ScenarioStage:
    """One scenario's stage. Times are the source's, Danish and without offset; ``dates`` says when they are played."""

    name: str
    settings: Settings
    connection: KafkaConnection
    doors: DemoClient
    calendar: Calendar
    watch: OutputWatch
    reference: Reference
    dates: Dates
    now: datetime
    heard: ObservedOutputs = field(init=False)
    _chance: random.Random = field(init=False)
    _people: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Seeds the chance by the scenario's name, so that every run is with the same people."""
        self._chance = random.Random(crc32(self.name.encode()))  # noqa: S311 - made-up people need no secrecy
        self.forget_heard()

    def forget_heard(self) -> None:
        """Begins to count anew: what was said before is another scenario's."""
        self.heard = ObservedOutputs(Pseudonyms(pseudonym_roots(self.settings.keys_folder)))

    async def wait_until(self, moment: datetime) -> None:
        """Lets the calendar reach a time of the source, with all that is due by then; blocks until it is folded."""
        await self.watch.wait_until_folded()
        await self.calendar.step_to(self.dates.played(moment))
        self.now = max(self.now, moment)
        await self.listen()

    async def wait(self, duration: timedelta) -> None:
        """Lets that much time pass."""
        await self.wait_until(self.now + duration)

    async def listen(self) -> None:
        """Blocks until all that was sent is folded, and takes what was said."""
        await self.watch.wait_until_folded()
        await self.heard.listen(self.watch)

    def person(self, municipality: str, age: int) -> YoungPerson:
        """Makes up a young person who is that old now, and whom this scenario has not had yet."""
        while True:
            person = a_young_person(self._chance, municipality, age, self.dates.played(self.now).date())
            if person.cpr not in self._people:
                self._people.add(person.cpr)
                return person

    def person_born(self, municipality: str, born: datetime) -> YoungPerson:
        """Makes up a young person with a birthday of the source's."""
        return born_on(self._chance, municipality, self.dates.played(born).date())

    def stay(self, person: YoungPerson, unit: str, number: int) -> DemoStay:
        """Returns a stay of three weeks that ends now, to be told step by step."""
        episode = f"{crc32(self.name.encode()):08x}{number:08x}"
        return a_stay(self.reference, person, unit, episode, self.dates.played(self.now - timedelta(weeks=3)))

    async def discharge(self, stay: DemoStay) -> None:
        """Sends the messages of an admission and a discharge home, the latter as of now."""
        for activity, at in (
            ("admit-inpatient", stay.admitted_at),
            ("discharge-inpatient-home", self.dates.played(self.now)),
        ):
            answer = await self.doors.message(stay.step(activity, at))
            if answer != "ok":
                raise ScenarioError(f"{self.name}: the hospital's message was answered {answer}; expected ok")

    async def state(self, topic: str, fields: dict[str, Any], client: str = MUNICIPALITY) -> dict[str, Any]:
        """Sends one statement, and returns the answer; raises ScenarioError where it was not taken."""
        status, answer = await self.doors.statement(topic, client, fields)
        if answer.get("outcome") != "accepted":
            raise ScenarioError(f"{self.name}: {topic} of {client} answered {status} {answer.get('refused', answer)}")
        return answer

    async def state_all(self, topic: str, statements: Sequence[dict[str, Any]]) -> None:
        """Sends many statements as NDJSON; raises ScenarioError where one was not taken."""
        for start in range(0, len(statements), _LINES_MAX):
            some = statements[start : start + _LINES_MAX]
            outcomes = await self.doors.lines(topic, MUNICIPALITY, some)
            refused = [one for one in outcomes if one.get("outcome") != "accepted"]
            if refused or len(outcomes) != len(some):
                raise ScenarioError(f"{self.name}: {topic}: {len(outcomes)} answered, {refused[:1]} among them")

    def about(self, person: YoungPerson, subject: str, at: datetime | None = None) -> dict[str, Any]:
        """Returns what every statement about a young person says, as of a time of the source, now unless given."""
        moment = self.dates.played(at or self.now).isoformat()
        return {"subject": subject, "occurred_at": moment, "person": person_of(person)}

    def consent(self, person: YoungPerson, number: int, scope: str, purpose: str) -> dict[str, Any]:
        """Returns a consent that the young person gives now."""
        return self.about(person, f"{self.name}-consent-{scope}-{purpose}-{number}") | {
            "decision": "given",
            "given_by": ["young_person"],
            "custody": "joint",
            "scope": scope,
            "purpose": purpose,
            "evidence": "spoken_and_recorded",
            "recorded_by": "børne- og ungdomspsykiatrien",
        }
