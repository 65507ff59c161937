"""Draws stays: overlapping, moved on from, planned, left, ended, cancelled, begun again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.events import UNNUMBERED
from tests.model.draws import Draw, draw_answers
from tests.model.draws_of_consents import draw_consents
from tests.model.steps import (
    DAY,
    EMERGENCY,
    HOUR,
    MINUTE,
    OTHER_PSYCHIATRY,
    PSYCHIATRY,
    SOMATIC,
    UNKNOWN_UNIT,
    Told,
    day_of_moment,
    midnight_of,
)

_UNITS = (PSYCHIATRY,) * 6 + (OTHER_PSYCHIATRY,) * 2 + (EMERGENCY, SOMATIC, UNKNOWN_UNIT)


def draw_stay(draw: Draw) -> None:
    """A stay with what may happen in it: leave, transfer, plan, discharge, correction, readmission, death."""
    common = _place(draw)
    began = draw.now - draw.random.choice((2, 5, 9, 20)) * DAY
    if draw.chance(0.85):
        draw.tell("Discharge", "stin", began, lag=draw.random.choice((0, 0, draw.now - began)), **common)
    if draw.chance(0.12):
        draw.tell("Discharge", "stor", began + DAY, status="on_leave", **common)
        draw.tell("Discharge", "slor", began + DAY + 5 * HOUR, status="back", **common)
    if draw.chance(0.15):
        episode = draw.random.choice((common["episode_id"], draw.name("episode")))
        common |= {"unit": draw.random.choice(_UNITS), "episode_id": episode}
        draw.tell("Discharge", "transfer", began + DAY + HOUR, **common)
    if draw.chance(0.12):
        _stay_beside(draw, began)
    if draw.chance(0.25):
        _plan(draw, common)
    if draw.chance(0.92):
        _discharge(draw, common)
    if draw.chance(0.05):
        _death(draw, common)


def _place(draw: Draw) -> dict[str, Any]:
    """Returns where a stay is, and what is odd about how it is told."""
    place: dict[str, Any] = {"episode_id": draw.name("episode"), "unit": draw.random.choice(_UNITS)}
    if draw.chance(0.05):
        place["episode_id"] = UNNUMBERED
    if draw.chance(0.05):
        place["specialty"] = draw.random.choice(("child_psychiatry", "somatic", "UNKNOWN"))
    if draw.chance(0.05):
        place["remarks"] = (draw.random.choice(("inconsistent_status", "nonstandard_identifier", "UNKNOWN")),)
    if draw.chance(0.04):
        place["said_alive"] = True
    if draw.chance(0.12):
        place["stay_class"] = draw.random.choice(("emergency", "emergency", "UNKNOWN"))
    return place


def _stay_beside(draw: Draw, began: int) -> None:
    """Another hospital's stay that overlaps, with or without an end."""
    beside: dict[str, Any] = {"episode_id": draw.name("episode")}
    beside["unit"] = draw.random.choice((SOMATIC, OTHER_PSYCHIATRY))
    draw.tell("Discharge", "beside", began + DAY + 2 * HOUR, **beside)
    if draw.chance(0.7):
        until = draw.now + draw.random.choice((-DAY, HOUR, 3 * DAY))
        draw.tell("Discharge", "beside-home", until, status="discharged_home", **beside)


def _plan(draw: Draw, common: dict[str, Any]) -> None:
    planned = draw.now + draw.random.choice((1, 2, 5, 12)) * DAY
    planned = midnight_of(day_of_moment(planned)) if draw.chance(0.4) else planned
    plan = draw.tell("Discharge", "plan", draw.now, status="discharge_planned", planned_at=planned, **common)
    draw.offered_about.append((draw.now, "aftercare"))
    draw_consents(draw)
    if draw.chance(0.25):
        draw.now += DAY
        moved = {"status": "discharge_planned", "planned_at": planned + 2 * DAY, "revises": plan}
        plan = draw.tell("Discharge", "plan-moved", draw.now, **common | moved)
    if draw.chance(0.2):
        draw.now += HOUR
        off = {"status": "discharge_planned", "planned_at": planned, "cancels": plan}
        draw.tell("Discharge", "plan-off", draw.now, **common | off)
    draw_answers(draw, 0.5)
    draw.now = draw.now + draw.random.choice((HOUR, DAY, 5 * DAY))


def _discharge(draw: Draw, common: dict[str, Any]) -> None:
    home = {"status": "discharged_home", **common}
    if draw.chance(0.2):
        home["subject"] = draw.name("notice")  # a letter before FHIR: corrections name its number, and a time
    when = midnight_of(day_of_moment(draw.now)) if draw.chance(0.1) else draw.now
    last = draw.tell("Discharge", "slhj", when, **home)
    draw.offered_about.append((draw.now, "aftercare"))
    draw_consents(draw)
    draw_answers(draw, 0.8)
    chain = [last]
    for _ in range(draw.random.choices((0, 1, 2), (78, 15, 7))[0]):
        change = {"occurred_at": when - draw.random.choice((30 * MINUTE, 2 * HOUR))}
        fields = {**home, **change, "revises": _named(draw, home, (chain[0], chain[-1]))}
        if draw.chance(0.25):
            fields["unit"] = draw.random.choice((UNKNOWN_UNIT, OTHER_PSYCHIATRY, SOMATIC))
        name = draw.name("re-slhj")
        told = when + draw.random.choice((-10 * MINUTE, 2 * MINUTE, HOUR, DAY))
        draw.steps.append(Told(max(told, 0), "Discharge", name, fields, draw.number()))
        chain.append(name)
    if draw.chance(0.3 if "subject" in home else 0.12):
        lag = draw.random.choice((-20 * MINUTE, 5 * MINUTE, 2 * HOUR, DAY, 9 * DAY))
        draw.tell("Discharge", "an-slhj", when, lag=lag, cancels=_named(draw, home, chain), **home)
    if draw.chance(0.22):
        _readmission(draw, common)


def _named(draw: Draw, home: dict[str, Any], chain: Sequence[str]) -> str:
    """Returns what a correction names: an earlier statement; of a letter's time sometimes none that was told."""
    return draw.name("untold") if "subject" in home and draw.chance(0.6) else draw.random.choice(chain)


def _readmission(draw: Draw, common: dict[str, Any]) -> None:
    draw.now += draw.random.choice((10 * MINUTE, HOUR, DAY, 4 * DAY, 60 * DAY))
    again = common | {"episode_id": draw.random.choice((common["episode_id"], draw.name("episode")))}
    if draw.chance(0.85):
        draw.tell("Discharge", "again", draw.now, **again)
    draw.now += draw.random.choice((HOUR, 4 * HOUR, DAY, 6 * DAY))
    if draw.chance(0.85):
        draw.tell("Discharge", "again-home", draw.now, status="discharged_home", **again)
        draw_answers(draw, 0.6)


def _death(draw: Draw, common: dict[str, Any]) -> None:
    when = draw.now + draw.random.choice((-HOUR, HOUR, DAY, 3 * DAY))
    death = draw.tell("Discharge", "mors", when, status="deceased", **common)
    if draw.chance(0.4):
        told = {"status": "deceased", "cancels": death, "sent_at": when + 2 * HOUR}
        draw.tell("Discharge", "an-mors", when, lag=draw.random.choice((HOUR, DAY)), **common | told)
