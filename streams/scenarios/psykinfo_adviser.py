"""PsykInfo x headspace: the adviser's one-year pilot, and no pathway made by PsykInfo itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connectors.gateway.clients import NO_INDIVIDUAL_PATHWAY, ClientKind, NewClient, open_clients
from schemas.events import Municipality
from schemas.refusals import RefusedError
from streams.demo.doors import MUNICIPALITY
from streams.instance import gateway_settings
from streams.scenarios.channels import LongForm, Pulling
from streams.scenarios.files import DanishTime, Part
from streams.scenarios.stage import SETTLED, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADVISER, _HEADSPACE = "psykinfo-adviser", "headspace"
_REFUSAL = "no_individual_pathway"


class Ask(Part):
    """A wish of headspace to bridge a young person of a municipality upward, at a time."""

    at: DanishTime
    municipality: Municipality


class Play(Part):
    """What headspace asks for before, during and after the pilot, in order, and sign-ups for PsykInfo's evenings."""

    age: int
    before: tuple[Ask, ...]
    during: tuple[Ask, ...]
    after: tuple[Ask, ...]
    sign_ups: int


async def play(stage: Stage, play: Play) -> dict[str, int | str]:
    """Plays the pilot from before its first day until after its last, and returns the figures."""
    figures: dict[str, int | str] = {}
    asked: list[str] = []
    for name, asks in (("before", play.before), ("during", play.during), ("after", play.after)):
        for ask in asks:
            await _ask(stage, play, ask, len(asked))
            asked += stage.heard.youths_of("referrals", [f"{stage.name}-wish-{len(asked)}"])
        figures[name] = _advised(stage, asked[len(asked) - len(asks) :])
    refused, client = await _sign_up(stage, play), _client_of_psykinfo(stage)
    offered = [one for one in stage.heard.told(asked, "offered") if one["programme"] == _ADVISER]
    late = stage.heard.needs(asked[len(asked) - len(play.after) :])
    return figures | {
        "sites": len({one["site"] for one in offered}),
        "why_not_after": ", ".join(sorted({_outcome(need["options"]) for need in late})),
        "with_person_after": sum(need["state"] == "with_person" for need in late),
        "sign_ups_refused": refused,
        "pathways_of_psykinfo": len(stage.heard.youths() - set(asked)),
        "client_of_psykinfo": client,
    }


async def _ask(stage: Stage, play: Play, ask: Ask, number: int) -> None:
    """Lets headspace ask for bridging, and the adviser see the young person where it is offered to her."""
    await stage.wait_until(ask.at)
    person = stage.person(ask.municipality, play.age)
    await stage.state("consents", stage.consent(person, number, "anonymous", "bridging"))
    wish = stage.about(person, f"{stage.name}-wish-{number}")
    wish |= {"referred_from": _HEADSPACE, "status": "proposed", "status_at": wish["occurred_at"], "bridging": True}
    await stage.state("referrals", wish, _HEADSPACE)
    await stage.wait(SETTLED)
    youths = stage.heard.youths_of("referrals", [f"{stage.name}-wish-{number}"])
    offers = [one for one in stage.heard.told(youths, "offered") if one["programme"] == _ADVISER]
    channel = LongForm(stage.doors, _ADVISER, Pulling(stage.doors, _ADVISER))
    for handover in await channel.received(one["event_id"] for one in offers):
        for status in ("accepted", "first_contact", "fulfilled"):
            await channel.reply(handover, status)
    await stage.listen()


def _advised(stage: Stage, youths: Sequence[str]) -> int:
    """Returns how many of them the adviser has seen."""
    return sum(need["reason_code"] == "fulfilled" for need in stage.heard.needs(youths))


def _outcome(options: Sequence[dict[str, str]]) -> str:
    return next((one["outcome"] for one in options if one["programme"] == _ADVISER), "not looked at")


async def _sign_up(stage: Stage, play: Play) -> int:
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


def _client_of_psykinfo(stage: Stage) -> str:
    """Returns why PsykInfo gets no client of its own."""
    clients = open_clients(gateway_settings(stage.settings).ledger_database)
    try:
        clients.create(NewClient(kind=ClientKind.PROGRAMME, name=NO_INDIVIDUAL_PATHWAY), datetime.now(UTC))
    except RefusedError as error:
        return error.refusal.code
    return "created"
