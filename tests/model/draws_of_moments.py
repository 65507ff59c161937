"""Draws threads that lead to moments which the others meet too seldom. Each begins with an end that may be offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.events import UNNUMBERED
from tests.model.draws import PROGRAMMES, Draw, answer_oddly
from tests.model.draws_of_consents import say_consent
from tests.model.steps import DAY, HOUR, MINUTE, PSYCHIATRY, Answer, Told, day_of_moment


def _declined_while_raised_again(draw: Draw) -> None:
    """The end of another stay is told, and before that has settled programmes decline: the need waits, open."""
    again_at = _home_with_consent(draw).at + draw.random.choice((HOUR, 3 * HOUR, DAY))
    _step(draw, again_at, draw.number())
    _all_answer(draw, again_at + draw.random.choice((MINUTE, 5 * MINUTE)), "declined", reason_code="no_capacity")


def _on_a_waiting_list(draw: Draw) -> None:
    """Programmes put whom they are offered on a waiting list, and then answer whatever comes to mind."""
    listed_at = _home_with_consent(draw).at + draw.random.choice((HOUR, 3 * HOUR, DAY))
    _all_answer(draw, listed_at, "waitlisted", waitlisted_until=day_of_moment(listed_at) + 20)
    for _ in range(12):
        answer_oddly(draw, listed_at + draw.random.choice((MINUTE, HOUR, DAY, 3 * DAY)))


def _told_twice(draw: Draw) -> None:
    """One end is told twice, by the hospital or by a list too; it is decided, and then one telling is taken back."""
    home = _home_with_consent(draw)
    again = {"episode_id": UNNUMBERED, "source": "municipality-0217"} if draw.chance(0.5) else {}
    later = home.at + draw.random.choice((MINUTE, 2 * HOUR))
    draw.steps.append(replace(home, at=later, name=draw.name("home-again"), fields=home.fields | again))
    if draw.chance(0.5):
        _all_answer(draw, home.at + HOUR, "accepted")
    else:
        _all_answer(draw, home.at + HOUR, "declined", side="young_person")
    taken_back = home.fields | {"cancels": home.name}
    when = home.at + draw.random.choice((3 * HOUR, 5 * HOUR, DAY))
    draw.steps.append(replace(home, at=when, name=draw.name("taken-back"), fields=taken_back))


def _in_hospital_before_the_first_contact(draw: Draw) -> None:
    """A programme has accepted, and Y is in hospital on the day on which it is asked for the first contact."""
    home = _home_with_consent(draw)
    _all_answer(draw, home.at + HOUR, "accepted")
    _step(draw, home.at + draw.random.choice((2, 4)) * DAY, home.number, status="admitted")


def _decided_before_the_day(draw: Draw) -> None:
    """A programme has taken over, the end of another stay is told ahead, the programme is done, and then it comes."""
    home = _home_with_consent(draw)
    _all_answer(draw, home.at + HOUR, "accepted")
    _all_answer(draw, home.at + 2 * HOUR, "first_contact")
    episode, again_at = draw.name("episode"), home.at + 5 * DAY + HOUR
    _step(draw, home.at + 3 * HOUR, home.number, status="admitted", episode_id=episode)
    plan = {"status": "discharge_planned", "planned_at": again_at, "episode_id": episode}
    _step(draw, home.at + 4 * HOUR, home.number, **plan)
    _all_answer(draw, home.at + DAY, "fulfilled")
    _step(draw, again_at, home.number, episode_id=episode)


def _home_with_consent(draw: Draw) -> Told:
    """An end from psychiatry, told at once, with all the consents that it may take."""
    ended_at = draw.now + draw.random.choice((HOUR, DAY, 20 * DAY))
    consent = {"decision": "given", "scope": "anonymous", "custody": "sole", "purpose": "aftercare"}
    for giver in ("young_person", "custody_holder"):
        say_consent(draw, ended_at - HOUR, given_by=(giver,), **consent)
    return _step(draw, ended_at, draw.number())


def _step(draw: Draw, when: int, number: int, **fields: Any) -> Told:
    plain = {"status": "discharged_home", "unit": PSYCHIATRY, "episode_id": draw.name("episode"), "occurred_at": when}
    step = Told(when, "Discharge", draw.name("step"), plain | fields, number)
    draw.steps.append(step)
    return step


def _all_answer(draw: Draw, when: int, status: str, **fields: Any) -> None:
    """Each programme that may have been offered somebody answers; whom nothing was offered is refused."""
    for programme in PROGRAMMES[:3]:
        draw.steps.append(Answer(when, draw.name(status), programme, status, fields=fields))


MOMENTS: tuple[Callable[[Draw], None], ...] = (
    _declined_while_raised_again,
    _on_a_waiting_list,
    _told_twice,
    _in_hospital_before_the_first_contact,
    _decided_before_the_day,
)
