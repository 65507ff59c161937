"""Both stages over a town: statements and replies come as on their public topics, and all that leaves is kept whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas.cloudevents import headers_of
from schemas.codec import codec
from schemas.events import Consent, EventHeader, Reply
from schemas.identifiers import derived_text
from schemas.instants import milliseconds_of
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord
from tests.agents.merges import PARTITIONS, Merge
from tests.agents.town import Town
from tests.domain.catalogues import a_catalogue
from tests.domain.story import a_consent, a_person, a_step, an_anonymous_consent, at, header

START = at("2026-02-02 10:00:07.341")
SETTLED = timedelta(minutes=16)
ACTS = {
    "announced": (),
    "offered": ("accepted", "declined", "waitlisted", "nothing"),
    "waitlisted": ("accepted", "declined"),
    "accepted": ("first_contact", "no_show", "ended", "nothing"),
    "in_contact": ("fulfilled", "ended"),
    "withdrawn": ("recalled_and_deleted",),
}
Said = tuple[str, int, Outgoing]


class PublicTown(Town):
    """A town whose statements pass stage 1."""

    def __init__(self) -> None:
        """Starts with the shipped programmes."""
        super().__init__(PARTITIONS, a_catalogue(), START - timedelta(days=40))
        self.stated: list[tuple[str, EventHeader, datetime]] = []
        self.replied: list[Reply] = []

    def source_states(self, when: datetime, topic: str, event: EventHeader) -> None:
        """Brings a source's statement."""
        self.stated.append((topic, event, when))
        self.merge(when, topic, event)

    def reply(self, when: datetime, reply: Reply) -> None:
        """Brings a programme's reply, in the words of its own topic."""
        self.replied.append(reply)
        self.merge(when, "replies", reply)

    def merge(self, when: datetime, topic: str, event: EventHeader) -> None:
        """Lets a public record pass both stages, everything due before it first."""
        self.wait_until(when)
        key = (event.youth_id or "").encode()
        value, headers = codec(type(event)).encode(event), tuple(headers_of(event, topic))
        merge = Merge().take(topic, [StoredRecord(0, milliseconds_of(when), key, value, headers)])
        assert merge.letters() == []
        for partition, one in merge.written[kafka_name("intake")]:
            self.take(partition, one, milliseconds_of(when))

    def told(self, programme: str | None = None) -> list[Said]:
        """Returns what programmes were told, or one of them, in its order."""
        wanted = "brobygger.handovers." if programme is None else kafka_name(f"handovers.{programme}")
        return [one for one in self.sent if one[0].startswith(wanted)]


def event_of(said: Said) -> dict[str, Any]:
    """Returns a handover record's fields."""
    return codec(HandoverEvent).decode_raw(said[2].value or b"")


def a_reply(told: dict[str, Any], status: str, when: datetime, name: str) -> Reply:
    """Builds an answer to a handover record as its programme makes it: ids copied from the record."""
    own = {name: told[name] for name in ("subject", "youth_id", "programme", "correlation_id")}
    more: dict[str, Any] = {"source": told["programme"], "causation_id": told["event_id"], "status": status}
    if status == "waitlisted":
        more["waitlisted_until"] = (when + timedelta(days=6)).date()
    if status in ("declined", "ended"):
        more |= {"side": "programme", "reason_code": "no_show" if status == "ended" else "no_capacity"}
    return Reply.model_validate(header(name, when) | own | more)


def an_offered_town(*consents: Consent) -> PublicTown:
    """Returns a town where Y of Helsingør was discharged, with an anonymous consent unless others are given."""
    town = PublicTown()
    told: list[tuple[str, EventHeader]] = [("persons", a_person())]
    told += [("consents", one) for one in consents or (an_anonymous_consent(),)]
    told += [("discharges", a_step("stin", START - timedelta(days=20), "admitted"))]
    for topic, event in [*told, ("discharges", a_step("slhj", START, "discharged_home"))]:
        town.source_states(START, topic, event)
    town.wait_until(START + SETTLED)
    return town


class History:
    """A seeded history of several young people: stays, plans, consents, and programmes' answers."""

    def __init__(self, seed: int, people: int = 4, steps: int = 60) -> None:
        """Plays it to its end."""
        self.town = PublicTown()
        self._dice = random.Random(seed)
        self._now = START
        self._number = 0
        self.youths = [f"{self._dice.getrandbits(128):032x}" for _ in range(people)]
        for youth in self.youths:
            self._begin(youth)
        for _ in range(steps):
            self._now += timedelta(milliseconds=self._dice.randrange(36 * 3_600_000))
            self._dice.choices((self._answer, self._discharge, self._consent, self._cancel), (8, 2, 1, 1))[0]()
        self.town.wait_until(self._now + timedelta(days=20))

    def _begin(self, youth: str) -> None:
        municipality = self._dice.choice(("0217", "0217", "0101"))
        self._state("persons", a_person(self._name(), municipality=municipality), youth)
        for purpose in ("aftercare", "plan"):
            for scope in self._dice.choice((("anonymous",), ("anonymous", "named"))):
                name = self._name()
                self._state("consents", a_consent(name, self._now, scope=scope, purpose=purpose), youth)
        self._discharge(youth)

    def _discharge(self, youth: str | None = None) -> None:
        name, youth = self._name(), youth or self._dice.choice(self.youths)
        self._state("discharges", a_step(f"in-{name}", self._now, "admitted", episode_id=name), youth)
        self._now += timedelta(milliseconds=self._dice.randrange(3 * 86_400_000))
        if self._dice.random() < 0.4:
            planned = self._now + timedelta(days=2)
            plan = a_step(f"plan-{name}", self._now, "discharge_planned", episode_id=name, planned_at=planned)
            self._state("discharges", plan, youth)
            self._now = planned
        self._state("discharges", a_step(name, self._now, "discharged_home", episode_id=name), youth)

    def _consent(self) -> None:
        scope, decision = self._dice.choice((("named", "given"), ("anonymous", "given"), ("named", "withdrawn")))
        event = a_consent(self._name(), self._now, scope=scope, decision=decision)
        self._state("consents", event, self._dice.choice(self.youths))

    def _cancel(self) -> None:
        known = [one for topic, one, _ in self.town.stated if topic == "discharges" and one.cancels is None]
        cancelled = self._dice.choice(known[-6:])
        changes = {"event_id": str(cancelled.event_id)[:-4] + "cace", "cancels": cancelled.event_id}
        whole = cancelled.model_dump() | changes | dict.fromkeys(("sent_at", "recorded_at"), self._now)
        self.town.source_states(self._now, "discharges", type(cancelled).model_validate(whole))

    def _answer(self) -> None:
        latest = {event["subject"]: event for one in self.town.told() if (event := event_of(one))["state"]}
        if latest:
            told = self._dice.choice(list(latest.values())[-8:])
            status = self._dice.choice((*ACTS.get(told["state"], ()), "nothing"))
            if status != "nothing":
                self.town.reply(self._now, a_reply(told, status, self._now, self._name()))

    def _state(self, topic: str, event: EventHeader, youth: str) -> None:
        own = {"youth_id": youth, "correlation_id": derived_text("test", youth)}
        whole = event.model_dump() | own | dict.fromkeys(("sent_at", "recorded_at"), self._now)
        self.town.source_states(self._now, topic, type(event).model_validate(whole))

    def _name(self) -> str:
        self._number += 1
        return f"event-{self._number}"

    def of_programmes(self) -> Iterator[tuple[str, list[Said]]]:
        """Yields every programme that was told something, and what."""
        for topic in sorted({topic for topic, _, _ in self.town.told()}):
            yield topic, [one for one in self.town.told() if one[0] == topic]
