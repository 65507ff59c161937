"""OPUS Young to UNIK Recovery Young: the bridge at the two-year end, and across the 18th birthday."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.vault.release import open_identity
from schemas.events import Municipality
from schemas.instants import moment_of
from streams.scenarios.channels import OverKafka, Pulling
from streams.scenarios.files import DanishTime, ScenarioPart
from streams.scenarios.programme_files import add_public_key
from streams.scenarios.stage import SETTLED, ScenarioError, ScenarioStage

if TYPE_CHECKING:
    from datetime import datetime

    from streams.demo.people import YoungPerson

_COURSE, _BRIDGE = "opus-young", "unik-recovery-young"
_OK = 200
_MONTH = timedelta(days=365.25) / 12


class Course(ScenarioPart):
    """One young person's course: whose birthday is when, and of where."""

    born: DanishTime
    municipality: Municipality


class OpusYoungPlay(ScenarioPart):
    """Two courses of two years: one that ends under 18, and one during which the young person turns 18.

    ``heads_up`` is a day by which UNIK should know; ``eighteen`` one just after the birthday.
    """

    under_18: Course
    turns_18: Course
    before_heads_up: DanishTime
    heads_up: DanishTime
    eighteen: DanishTime
    ends: DanishTime


async def play_opus_young(stage: ScenarioStage, play: OpusYoungPlay) -> dict[str, int | str]:
    """Plays both courses to their end, and returns the figures."""
    key, began = X25519PrivateKey.generate(), stage.now
    add_public_key(stage.settings.programmes_folder, _BRIDGE, key.public_key().public_bytes_raw().hex())
    people = [stage.person_born(one.municipality, one.born) for one in (play.under_18, play.turns_18)]
    for number, person in enumerate(people):
        await _tell(stage, person, number, "active")
    await stage.wait_until(play.before_heads_up)
    youths = stage.heard.youths_of("enrolments", [f"{stage.name}-course-{number}" for number in range(len(people))])
    asked_early = len(_consents_asked(stage, youths))
    await stage.wait_until(play.heads_up)
    for number, person in enumerate(people):
        await stage.state("consents", stage.consent(person, number, "named", "aftercare"))
    await stage.listen()
    await stage.wait_until(play.eighteen)
    await stage.wait_until(play.ends)
    for number, person in enumerate(people):
        await _tell(stage, person, number, "completed")
    await stage.wait(SETTLED)
    identities = await _take_over(stage, youths, key)
    return _figures(stage, youths, began) | {
        "asked_early": asked_early,
        "identity": sum(one["name"] == _full_name(people[0]) for one in identities),
    }


async def _tell(stage: ScenarioStage, person: YoungPerson, number: int, status: str) -> None:
    course = stage.about(person, f"{stage.name}-course-{number}")
    course["person"] |= {"name": _full_name(person), "address": "Prøvevej 7", "phone": "+45 20123456"}
    course |= {"programme": _COURSE, "status": status, "status_at": course["occurred_at"]}
    await stage.state("enrolments", course)


def _full_name(person: YoungPerson) -> str:
    return f"{person.first_name} {person.last_name}"


async def _take_over(stage: ScenarioStage, youths: list[str], key: X25519PrivateKey) -> list[dict[str, Any]]:
    """Lets UNIK answer over Kafka and open the identity with its own key, and the next programme answer by pulling."""
    offered = stage.heard.told(youths, "offered")
    unik = OverKafka(stage.connection, _BRIDGE, stage.settings.partitions)
    opened = []
    for handover in await unik.received(one["event_id"] for one in offered if one["programme"] == _BRIDGE):
        await unik.reply(handover, "accepted")
        await Pulling(stage.doors, _BRIDGE).received([handover["event_id"]])  # the doors know of it a little later
        opened.append(open_identity(key, await _sealed(stage, handover["subject"])))
        await unik.reply(handover, "first_contact")
    for programme in sorted({one["programme"] for one in offered} - {_BRIDGE}):
        channel = Pulling(stage.doors, programme)
        for handover in await channel.received(one["event_id"] for one in offered if one["programme"] == programme):
            await channel.reply(handover, "accepted")
    await stage.listen()
    return opened


async def _sealed(stage: ScenarioStage, handover_id: str) -> dict[str, Any]:
    headers = stage.doors.headers(_BRIDGE, "application/json") | {"Idempotency-Key": str(uuid4())}
    answer = await stage.doors.http.get(f"/handovers/{handover_id}/identity", headers=headers)
    if answer.status_code != _OK:
        raise ScenarioError(f"{stage.name}: the identity was answered {answer.status_code}: {answer.text[:500]}")
    sealed: dict[str, Any] = answer.json()
    return sealed


def _consents_asked(stage: ScenarioStage, youths: list[str]) -> list[dict[str, Any]]:
    return [one for one in stage.heard.notices if one["kind"] == "consent_wanted" and one["youth_id"] in youths]


def _figures(stage: ScenarioStage, youths: list[str], began: datetime) -> dict[str, int | str]:
    heard = stage.heard
    announced = heard.told(youths[:1], "announced")
    offered = heard.told(youths[:1], "offered")
    grown_out = [one for one in heard.told(youths[1:], "withdrawn") if one["programme"] == _BRIDGE]
    next_offered = heard.told(youths[1:], "offered")
    asked = _consents_asked(stage, youths)
    return {
        "asked": len(asked),
        "asked_in_month": _month(stage, asked, began),
        "ended_in_month": _month(stage, offered, began),
        "bridged_under_18": sum(one["programme"] == _BRIDGE for one in offered),
        "same_handover": sum(one["subject"] == before["subject"] for one in offered for before in announced),
        "turned_18": ", ".join(str(one["reason_code"]) for one in grown_out),
        "next": ", ".join(one["programme"] for one in next_offered),
        "taken_over": sum(need["state"] == "taken_over" for need in heard.needs(youths)),
    }


def _month(stage: ScenarioStage, said: list[dict[str, Any]], began: datetime) -> int:
    """Returns how many months into the course that was said first, to the nearest."""
    return round((stage.dates.told(moment_of(said[0]["occurred_at"])) - began) / _MONTH) if said else 0
