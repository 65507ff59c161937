"""PsykInfo x headspace: the adviser's one-year pilot, and no pathway made by PsykInfo itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from connectors.gateway.clients.clients import NO_INDIVIDUAL_PATHWAY, ClientKind, NewClient, open_clients
from schemas.events import Municipality
from schemas.refusals import RefusedError
from streams.demo.doors import MUNICIPALITY
from streams.instance import gateway_settings
from streams.scenarios.channels import LongForm, Pulling
from streams.scenarios.files import DanishTime, ScenarioPart
from streams.scenarios.stage import SETTLED, ScenarioStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.scenarios.channels import Channel

_ADVISER, _HEADSPACE = "psykinfo-adviser", "headspace"
_REFUSAL = "no_individual_pathway"
_WEEK = timedelta(weeks=1)
_ADVISER_COMES = time(9)


class Ask(ScenarioPart):
    """A wish of headspace to bridge a young person of a municipality upward, at a time."""

    at: DanishTime
    municipality: Municipality


class PsykinfoAdviserPlay(ScenarioPart):
    """What headspace asks for before, during and after the pilot, in order, and sign-ups for PsykInfo's evenings."""

    age: int
    before: tuple[Ask, ...]
    during: tuple[Ask, ...]
    after: tuple[Ask, ...]
    sign_ups: int


@dataclass(slots=True)
class _Pilot:
    """The pilot as it goes: who was asked for, and who is booked with the adviser on which day of the source."""

    stage: ScenarioStage
    age: int
    asked: list[str] = field(default_factory=list)
    booked: list[tuple[date, dict[str, Any]]] = field(default_factory=list)

    @property
    def adviser(self) -> Channel:
        """Returns how the adviser receives and answers."""
        doors = self.stage.doors
        return LongForm(doors, _ADVISER, Pulling(doors, _ADVISER))

    async def ask(self, ask: Ask) -> None:
        """Lets headspace ask for bridging, and the adviser accept where it is offered to her."""
        await self.see_until(ask.at)
        stage, number = self.stage, len(self.asked)
        person = stage.person(ask.municipality, self.age)
        await stage.state("consents", stage.consent(person, number, "anonymous", "bridging"))
        wish = stage.about(person, f"{stage.name}-wish-{number}")
        wish |= {"referred_from": _HEADSPACE, "status": "proposed", "status_at": wish["occurred_at"], "bridging": True}
        await stage.state("referrals", wish, _HEADSPACE)
        await stage.wait(SETTLED)
        [youth] = stage.heard.youths_of("referrals", [wish["subject"]])
        self.asked.append(youth)
        offers = {one["event_id"]: one for one in stage.heard.told([youth], "offered") if one["programme"] == _ADVISER}
        for handover in await self.adviser.received(offers):
            await self.adviser.reply(handover, "accepted")
            day = stage.dates.told_day(offers[handover["event_id"]]["appointment_on"])
            self.booked.append((day, handover))

    async def see_until(self, moment: datetime) -> None:
        """Lets time pass until then, and the adviser see whom she has booked on each of her days on the way."""
        due = [one for one in self.booked if one[0] <= moment.date()]
        for day, handover in sorted(due, key=itemgetter(0)):
            await self.stage.wait_until(datetime.combine(day, _ADVISER_COMES))
            for status in ("first_contact", "fulfilled"):
                await self.adviser.reply(handover, status)
        self.booked = [one for one in self.booked if one not in due]
        await self.stage.wait_until(moment)


async def play_psykinfo_adviser(stage: ScenarioStage, play: PsykinfoAdviserPlay) -> dict[str, int | str]:
    """Plays the pilot from before its first day until after its last, and returns the figures."""
    pilot = _Pilot(stage, play.age)
    for ask in (*play.before, *play.during, *play.after):
        await pilot.ask(ask)
    refused, client = await _sign_up(stage, play), _client_of_psykinfo(stage)
    before, after = pilot.asked[: len(play.before)], pilot.asked[-len(play.after) :]
    during = pilot.asked[len(play.before) : -len(play.after)]
    offered = [one for one in stage.heard.told(pilot.asked, "offered") if one["programme"] == _ADVISER]
    late = stage.heard.needs(after)
    return _days(stage, offered) | {
        "before": _advised(stage, before),
        "during": _advised(stage, during),
        "after": _advised(stage, after),
        "sites": len({one["site"] for one in offered}),
        "why_not_after": ", ".join(sorted({_outcome(need["options"]) for need in late})),
        "with_person_after": sum(need["state"] == "with_person" for need in late),
        "sign_ups_refused": refused,
        "pathways_of_psykinfo": len(stage.heard.youths() - set(pilot.asked)),
        "client_of_psykinfo": client,
    }


def _days(stage: ScenarioStage, offered: Sequence[dict[str, Any]]) -> dict[str, int | str]:
    days = [stage.dates.told_day(one["appointment_on"]) for one in offered]
    return {
        "adviser_days_a_week": len({day.weekday() for day in days}),
        "first_adviser_day": min(days).isoformat() if days else "none",
        "seen_that_day": sum(day == min(days) for day in days),
        "a_week_later": sum(day - min(days) == _WEEK for day in days),
    }


def _advised(stage: ScenarioStage, youths: Sequence[str]) -> int:
    """Returns how many of them the adviser has seen."""
    return sum(need["reason_code"] == "fulfilled" for need in stage.heard.needs(youths))


def _outcome(options: Sequence[dict[str, str]]) -> str:
    return next((one["outcome"] for one in options if one["programme"] == _ADVISER), "not looked at")


async def _sign_up(stage: ScenarioStage, play: PsykinfoAdviserPlay) -> int:
    """Sends sign-ups to PsykInfo's evenings, and returns how many were refused for the reason that they have to be."""
    refused = 0
    for number in range(play.sign_ups):
        person = stage.person(play.during[0].municipality, play.age)
        course = stage.about(person, f"{stage.name}-evening-{number}")
        course |= {"programme": NO_INDIVIDUAL_PATHWAY, "status": "waiting", "status_at": course["occurred_at"]}
        _, answer = await stage.doors.statement("enrolments", MUNICIPALITY, course)
        refused += answer.get("refused", {}).get("code") == _REFUSAL
    await stage.listen()
    return refused


def _client_of_psykinfo(stage: ScenarioStage) -> str:
    """Returns why PsykInfo gets no client of its own."""
    clients = open_clients(gateway_settings(stage.settings).ledger_database)
    try:
        clients.create(NewClient(kind=ClientKind.PROGRAMME, name=NO_INDIVIDUAL_PATHWAY), datetime.now(UTC))
    except RefusedError as error:
        return error.refusal.code
    return "created"
