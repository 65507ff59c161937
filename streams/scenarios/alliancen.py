"""Alliancen om den nære psykiatri: one plan, shared by the region and exactly the home municipality."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from schemas.events import Municipality
from schemas.reference import Sor
from streams.scenarios.channels import LongForm
from streams.scenarios.files import ScenarioPart
from streams.scenarios.receiving import receiving
from streams.scenarios.stage import SETTLED, ScenarioStage

if TYPE_CHECKING:
    from streams.scenarios.channels import Channel

_PROGRAMME = "alliancen-plan"


class AlliancenPlay(ScenarioPart):
    """The region's unit, and the municipalities: one young person of each is discharged."""

    unit: Sor
    municipalities: tuple[Municipality, ...]
    age: int


async def play_alliancen(stage: ScenarioStage, play: AlliancenPlay) -> dict[str, int | str]:
    """Plays discharges from the region's child psychiatry to all its municipalities, and returns the figures."""
    for number, municipality in enumerate(play.municipalities):
        person = stage.person(municipality, play.age)
        await stage.state("consents", stage.consent(person, number, "named", "plan"))
        await stage.state("consents", stage.consent(person, number, "anonymous", "aftercare"))
        await stage.discharge(stage.stay(person, play.unit, number))
    await stage.wait(SETTLED)
    ids = [f"{stage.name}-consent-named-plan-{number}" for number in range(len(play.municipalities))]
    youths = stage.heard.youths_of("consents", ids)
    async with receiving(stage.settings, _PROGRAMME) as receiver:
        await _make_plans(stage, LongForm(stage.doors, _PROGRAMME, receiver), youths)
    return _figures(stage, play, youths)


async def _make_plans(stage: ScenarioStage, channel: Channel, youths: list[str]) -> None:
    wanted = [one["event_id"] for one in stage.heard.told(youths, "offered") if one["programme"] == _PROGRAMME]
    for handover in await channel.received(wanted):
        for status in ("accepted", "first_contact", "fulfilled"):
            await channel.reply(handover, status)
    await stage.listen()


def _figures(stage: ScenarioStage, play: AlliancenPlay, youths: list[str]) -> dict[str, int | str]:
    heard = stage.heard
    home = dict(zip(youths, play.municipalities, strict=True))
    plans = [one for one in heard.told(youths, "offered") if one["need_kind"] == "plan"]
    owner_of = {need["need_id"]: home[youth] for youth in youths for need in heard.needs([youth], "plan")}
    elsewhere = [one for one in plans if one["site"] != owner_of[one["need_id"]]]
    shared_with = Counter(one["need_id"] for one in plans)
    made = [need for need in heard.needs(youths, "plan") if need["reason_code"] == "fulfilled"]
    aftercare = heard.needs(youths, "aftercare")
    contacts = {
        one["recipient"] for one in heard.notices if one["youth_id"] in home and one["need_kind"] == "aftercare"
    }
    return {
        "municipalities": len({one["site"] for one in plans}),
        "plans": len(made),
        "shared_with": max(shared_with.values(), default=0),
        "elsewhere": len(elsewhere),
        "aftercare": len(aftercare),
        "contacts": len(contacts & {stage.reference.owner_of(one) for one in play.municipalities}),
    }
