"""STIME: 2,113 families visitated, what became of them, and who is bridged on from there."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from schemas.codes import CourseStatus
from schemas.events import Municipality, Name
from streams.scenarios.channels import Pulling
from streams.scenarios.files import DanishTime, ScenarioPart
from streams.scenarios.stage import SETTLED, ScenarioStage

if TYPE_CHECKING:
    from streams.demo.people import YoungPerson

_PROGRAMME = "stime"
_BRIDGED = frozenset({"taken_over", "with_person"})


class StimePlay(ScenarioPart):
    """Ages, tracks and municipalities in turn, when courses end, and how many end in which way (the rest goes on)."""

    lowest_age: int
    highest_age: int
    tracks: tuple[Name, ...]
    municipalities: tuple[Municipality, ...]
    ends: DanishTime
    visitated: int
    endings: dict[CourseStatus, int]


async def play_stime(stage: ScenarioStage, play: StimePlay) -> dict[str, int | str]:
    """Plays every family's course from visitation to where it stands, lets programmes answer, returns the figures."""
    people = _people(stage, play)
    await stage.state_all("referrals", [_visitated(stage, play, *one) for one in enumerate(people)])
    await stage.state_all("enrolments", [_course(stage, play, *one, "active") for one in enumerate(people)])
    await stage.wait_until(play.ends)
    endings = [status for status, count in play.endings.items() for _ in range(count)]
    wanting = [one for one, status in enumerate(endings) if status != CourseStatus.COMPLETED]
    await stage.state_all("consents", [stage.consent(people[one], one, "anonymous", "aftercare") for one in wanting])
    ended = [_course(stage, play, one, people[one], status) for one, status in enumerate(endings)]
    await stage.state_all("enrolments", ended)
    await stage.wait(SETTLED)
    youths = _youths(stage)
    for programme in ("ungevaerftet", "headspace"):
        channel = Pulling(stage.doors, programme)
        wanted = [
            one["event_id"] for one in stage.heard.told(youths.values(), "offered") if one["programme"] == programme
        ]
        await asyncio.gather(*(channel.reply(one, "accepted") for one in await channel.received(wanted)))
    await stage.listen()
    return _figures(stage, youths)


def _people(stage: ScenarioStage, play: StimePlay) -> list[YoungPerson]:
    ages = range(play.lowest_age, play.highest_age + 1)
    places = play.municipalities
    return [stage.person(places[n % len(places)], ages[n // len(places) % len(ages)]) for n in range(play.visitated)]


def _visitated(stage: ScenarioStage, play: StimePlay, number: int, person: YoungPerson) -> dict[str, Any]:
    about = stage.about(person, f"{stage.name}-referral-{number}")
    own = {"referred_from": f"municipality-{person.municipality}", "programme": _PROGRAMME, "status": "completed"}
    return about | own | {"status_at": about["occurred_at"], "decision": "accepted", "track": _track(play, number)}


def _course(stage: ScenarioStage, play: StimePlay, number: int, person: YoungPerson, status: str) -> dict[str, Any]:
    about = stage.about(person, f"{stage.name}-course-{number}")
    own = {"programme": _PROGRAMME, "track": _track(play, number), "status": status}
    return about | own | {"status_at": about["occurred_at"]}


def _track(play: StimePlay, number: int) -> str:
    return play.tracks[number % len(play.tracks)]


def _youths(stage: ScenarioStage) -> dict[str, str]:
    """Returns the young person of each course of this scenario."""
    latest = stage.heard.latest("enrolments")
    return {course: one["youth_id"] for course, one in latest.items() if course.startswith(f"{stage.name}-course-")}


def _figures(stage: ScenarioStage, youths: dict[str, str]) -> dict[str, int | str]:
    heard = stage.heard
    courses = heard.latest("enrolments")
    stand = Counter(str(courses[one]["status"]) for one in youths)
    by_status: dict[str, list[str]] = {}
    for course, youth in youths.items():
        by_status.setdefault(str(courses[course]["status"]), []).append(youth)
    needs = {status: heard.needs(ended) for status, ended in by_status.items()}
    elsewhere = needs.get(CourseStatus.REFERRED_ELSEWHERE, [])
    accepted = [one for one in heard.latest("referrals").values() if one["decision"] == "accepted"]
    return {
        "municipalities": len({one["referred_from"] for one in accepted}),
        "tracks": len({one["track"] for one in accepted}),
        "visitated": len(accepted),
        "completed": stand[CourseStatus.COMPLETED],
        "in_progress": stand[CourseStatus.ACTIVE],
        "referred_elsewhere": stand[CourseStatus.REFERRED_ELSEWHERE],
        "dropped_out": stand[CourseStatus.DROPPED_OUT],
        "sum": sum(stand.values()),
        "bridged": sum(need["state"] in _BRIDGED for need in elsewhere),
        "needs_of_dropped_out": len(needs.get(CourseStatus.DROPPED_OUT, [])),
        "needs_of_completed": len(needs.get(CourseStatus.COMPLETED, [])),
        "needs_of_in_progress": len(needs.get(CourseStatus.ACTIVE, [])),
    }
