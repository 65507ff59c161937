"""Builds young people with several numbers for tests: what is told of each, and which was replaced by which."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas.events import Person, Reply
from tests.agents.town import Town
from tests.domain.catalogues import a_catalogue
from tests.domain.story import a_consent, a_person, a_step, an_id, at, header

OLD, NEW, THIRD = ("1" * 32, "2" * 32, "3" * 32)
BEGINS = at("2026-01-05 08:00")
SETTLED = timedelta(minutes=16)


def a_town(partitions: int = 4, *, twice: bool = False) -> Town:
    return Town(partitions, a_catalogue(), BEGINS, twice=twice)


def of(youth_id: str, *events: Any) -> list[Any]:
    """Returns the events, told of a number, with ids of their own."""
    return [
        one.model_copy(update={"youth_id": youth_id, "event_id": an_id(f"{one.event_id}/{youth_id}")}) for one in events
    ]


def a_link(name: str, when: datetime, old: str = OLD, new: str = NEW, *, undone: bool = False) -> Person:
    """Builds what is told where a number was replaced, or turns out not to have been."""
    other = {"unlinked_from": new} if undone else {"linked_to": new}
    return Person.model_validate(header(name, when, youth_id=old) | other)


def a_discharge(when: datetime, name: str = "") -> tuple[Any, ...]:
    episode = {"episode_id": f"episode{name}"}
    return (
        a_step(f"stin{name}", when - timedelta(days=9), "admitted", **episode),
        a_step(f"slhj{name}", when, "discharged_home", **episode),
    )


def known(*youths: str) -> list[Any]:
    """Returns what is known of each number, and an anonymous consent."""
    return [one for youth in youths for one in of(youth, a_person(), a_consent("consent", BEGINS))]


def needs_of(town: Town, youth_id: str) -> list[tuple[str, str | None]]:
    return [(need.state, need.reason_code) for need in town.pathway(youth_id).needs]


def a_reply(town: Town, when: datetime, status: str, **changes: Any) -> Reply:
    """Builds an answer to the old number's one handover."""
    [handover] = town.pathway(OLD).handovers
    base = header(f"{status}-{when}", when, youth_id=OLD, source=handover.programme)
    fields = {"subject": handover.handover_id, "programme": handover.programme, "status": status}
    return Reply.model_validate(base | fields | changes)
