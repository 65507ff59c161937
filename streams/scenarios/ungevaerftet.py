"""Sammen på sporet / Ungeværftet: anonymous, the first talk within a week, bridging to headspace and back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from schemas.events import Municipality
from schemas.reference import Sor
from streams.scenarios.channels import LongForm, Pulling, enter_claim_code
from streams.scenarios.files import ScenarioPart
from streams.scenarios.stage import SETTLED, ScenarioError, ScenarioStage

if TYPE_CHECKING:
    from streams.demo.people import YoungPerson
    from streams.scenarios.channels import Channel

_OWN, _OTHER = "ungevaerftet", "headspace"
_ADULT_AGE = 18
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_CLAIM_DAYS = 6


class UngevaerftetPlay(ScenarioPart):
    """Who is discharged where; the first ``bridged`` of them agree to be bridged onward by name, the next doesn't."""

    municipality: Municipality
    child_unit: Sor
    adult_unit: Sor
    ages: tuple[int, ...]
    bridged: int


@dataclass(slots=True)
class _Courses:
    """The courses as they go: one young person each, whose claim code only they have."""

    stage: ScenarioStage
    play: UngevaerftetPlay
    people: list[YoungPerson] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    youths: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Discharges everyone with an anonymous consent, and lets Ungeværftet accept what it is offered."""
        for number, age in enumerate(self.play.ages):
            person = self.stage.person(self.play.municipality, age)
            answer = await self.stage.state("consents", self.stage.consent(person, number, "anonymous", "aftercare"))
            unit = self.play.child_unit if age < _ADULT_AGE else self.play.adult_unit
            await self.stage.discharge(self.stage.stay(person, unit, number))
            self.people.append(person)
            self.codes.append(answer["claim_code"])
        await self.stage.wait(SETTLED)
        ids = [f"{self.stage.name}-consent-anonymous-aftercare-{number}" for number in range(len(self.people))]
        self.youths = self.stage.heard.youths_of("consents", ids)
        channel = Pulling(self.stage.doors, _OWN)
        offered = await self._offered(channel, self.youths)
        await asyncio.gather(*(channel.reply(handover, "accepted") for handover in offered))

    async def meet(self) -> None:
        """Lets the young people come with their codes, some each day of the first week."""
        for day in range(_CLAIM_DAYS):
            await self.stage.wait(_DAY)
            for code in self.codes[day::_CLAIM_DAYS]:
                await enter_claim_code(self.stage.doors, _OWN, code)
        await self.stage.listen()

    async def bridge_onward(self) -> None:
        """Asks for bridging for those who agree to it by name, and for one who does not; headspace accepts."""
        await self.stage.wait(_WEEK)
        for number in range(self.play.bridged + 1):
            if number < self.play.bridged:
                consent = self.stage.consent(self.people[number], number, "named", "bridging")
                await self.stage.state("consents", consent)
            await self._ask(number, _OWN, f"onward-{number}")
        await self.stage.wait(SETTLED)
        channel = LongForm(self.stage.doors, _OTHER, Pulling(self.stage.doors, _OTHER))
        for handover in await self._offered(channel, self.youths, "bridging"):
            for status in ("accepted", "first_contact"):
                await channel.reply(handover, status)
        await self.stage.listen()

    async def bridge_back(self) -> None:
        """Lets headspace bridge the first young person back a week later, and Ungeværftet onward again after that."""
        await self.stage.wait(_WEEK)
        await self._ask(0, _OTHER, "back")
        await self.stage.wait(SETTLED)
        channel = Pulling(self.stage.doors, _OWN)
        for handover in await self._offered(channel, self.youths[:1], "bridging"):
            await channel.reply(handover, "accepted")
        await self.stage.wait(_WEEK)
        await self._ask(0, _OWN, "onward-again")
        await self.stage.wait(SETTLED)

    async def end(self) -> None:
        """Ends every course at Ungeværftet: bridged onward, or fulfilled after its talks."""
        channel = Pulling(self.stage.doors, _OWN)
        offers = [one for one in self.stage.heard.told(self.youths, "offered") if one["need_kind"] == "aftercare"]
        onward = {self._handover_id(number, _OWN) for number in range(self.play.bridged)}
        for handover in offers:
            if handover["subject"] in onward:
                await channel.reply(handover, "ended", reason_code="bridged_onward")
            else:
                await channel.reply(handover, "fulfilled")
        await self.stage.listen()

    async def _offered(self, channel: Channel, youths: list[str], kind: str = "aftercare") -> list[dict[str, Any]]:
        told = self.stage.heard.told(youths, "offered")
        wanted = [one for one in told if one["programme"] == channel.programme and one["need_kind"] == kind]
        return await channel.received(one["event_id"] for one in wanted)

    async def _ask(self, number: int, asked_by: str, name: str) -> None:
        wish = self.stage.about(self.people[number], f"{self.stage.name}-{name}")
        wish |= {"referred_from": asked_by, "status": "proposed", "status_at": wish["occurred_at"], "bridging": True}
        wish |= {"bridged_from": self._handover_id(number, asked_by)}
        await self.stage.state("referrals", wish, asked_by)

    def _handover_id(self, number: int, programme: str) -> str:
        told = self.stage.heard.told([self.youths[number]], "offered")
        ids = [str(one["subject"]) for one in told if one["programme"] == programme]
        if not ids:
            raise ScenarioError(f"{self.stage.name}: {programme} was offered nothing that could be bridged on")
        return ids[0]


async def play_ungevaerftet(stage: ScenarioStage, play: UngevaerftetPlay) -> dict[str, int | str]:
    """Plays the courses from discharge to their end, and returns the figures."""
    courses = _Courses(stage, play)
    await courses.begin()
    await courses.meet()
    await courses.bridge_onward()
    await courses.bridge_back()
    await courses.end()
    return _figures(stage, play, courses.youths)


def _figures(stage: ScenarioStage, play: UngevaerftetPlay, youths: list[str]) -> dict[str, int | str]:
    heard = stage.heard
    offered = heard.told(youths, "offered")
    anonymous = [one for one in offered if one["programme"] == _OWN and one["identity"] == "anonymous"]
    begun = [one for one in anonymous if one["need_kind"] == "aftercare"]
    began_at = {one["subject"]: int(one["occurred_at"]) for one in begun}
    met = [one for one in heard.told(youths, "reply_accepted") if one["reason_code"] == "code_claimed"]
    within = [one for one in met if one["occurred_at"] - began_at[one["subject"]] <= _WEEK // timedelta(milliseconds=1)]
    onward = [one for one in offered if one["programme"] == _OTHER and one["identity"] == "named"]
    back = [one for one in anonymous if one["need_kind"] == "bridging"]
    first = heard.told(youths[:1], "offered")
    last = [need for need in heard.needs(youths[:1], "bridging") if need["reason_code"] == "bridging_loop"]
    unasked = [one for one in heard.told([youths[play.bridged]], "offered") if one["need_kind"] == "bridging"]
    return {
        "courses": len(begun),
        "first_talk_in_time": len(within),
        "fulfilled": sum(one["reason_code"] == "fulfilled" for one in heard.told(youths, "reply_accepted")),
        "bridged_onward": len(onward),
        "one_course_in": len(begun) // len(onward) if onward else 0,
        "bridged_against_wish": len(unasked),
        "bridged_back": len(back),
        "correlations": len({one["need_id"] for one in first}),
        "third_bridging": ", ".join(need["state"] for need in last),
    }
