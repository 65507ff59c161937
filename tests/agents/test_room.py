"""How much of a pathway one source may fill, and what is folded all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.outputs import HandoverEvent
from schemas.pathway import PATHWAY_BYTES_MAX, Pathway, decode_pathway
from schemas.refusals import RefusedError
from streams.agents import room
from tests.agents.entries import discharged, letters_of
from tests.agents.intake import Fold, a_log
from tests.domain.story import MONDAY, YOUTH, a_consent, a_course, a_person, a_step, an_id

TOLD = MONDAY + timedelta(hours=1)
ROOM = 16 * 1024


def told(fold: Fold) -> list[tuple[str, str | None]]:
    return [(one["type"], one["reason_code"]) for one in fold.decoded("handovers.ungevaerftet", HandoverEvent)]


def courses(source: str, count: int) -> list[tuple[Any, Any]]:
    names = (f"{source}-{number}" for number in range(count))
    return [(TOLD, a_course(name, TOLD, "x" * 100, "waiting", source=source, subject=name)) for name in names]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (a_consent("end", TOLD, decision="withdrawn"), "consent_withdrawn"),
        (a_consent("end", TOLD, decision="refused"), "declined_by_young_person"),
        (a_step("end", TOLD, "deceased"), None),
        (a_step("end", TOLD, "discharged_home", cancels=an_id("slhj")), "discharge_cancelled"),
    ],
    ids=["withdrawn", "refused", "dead", "cancelled"],
)
@pytest.mark.parametrize("sources", [["ungevaerftet"], ["ungevaerftet", "headspace", "one", "two"]])
def test_whoever_fills_a_pathway_what_takes_something_back_is_heard(
    monkeypatch: pytest.MonkeyPatch, end: Any, reason: str | None, sources: list[str]
) -> None:
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", ROOM)
    flood = [one for source in sources for one in courses(source, 100)]

    fold = Fold().take(a_log([*discharged(), *flood, (TOLD + timedelta(hours=1), end)]))

    assert {letter.code for letter in letters_of(fold)} == {"pathway_full"}
    assert told(fold) == [("offered", None), ("withdrawn", reason)]


def test_a_source_that_has_told_too_much_keeps_no_other_from_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", ROOM)
    later = (TOLD + timedelta(hours=1), a_course("mine", TOLD, "opus-young", "active"))

    fold = Fold().take(a_log([*discharged(), *courses("ungevaerftet", 100), later]))

    value = fold.state(YOUTH.encode())
    assert value is not None
    pathway = decode_pathway(value)
    assert 50 < len(letters_of(fold)) < 100
    assert str(an_id("mine")) in {fact.event_id for fact in pathway.facts}


def test_what_a_source_takes_back_does_not_fill_a_pathway_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", ROOM)
    many = [a_consent(f"no-{number}", TOLD, decision="refused", purpose="plan", source="evil") for number in range(200)]
    own = (TOLD + timedelta(hours=1), a_consent("end", TOLD, decision="withdrawn"))

    fold = Fold().take(a_log([*discharged(), *((TOLD, one) for one in many), own]))

    assert told(fold) == [("offered", None), ("withdrawn", "consent_withdrawn")]


@pytest.mark.parametrize("full", [True, False], ids=["no room", "another content under a known id"])
def test_no_sender_stops_the_stream_for_others(monkeypatch: pytest.MonkeyPatch, *, full: bool) -> None:
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", ROOM)
    again = [(TOLD, a_consent("consent", TOLD, lapses_at=TOLD + timedelta(days=number + 1))) for number in range(400)]
    flood = courses("evil", 400) if full else again
    later = TOLD + timedelta(hours=1)

    fold = Fold().take(a_log([*discharged(), *flood, (later, a_consent("end", later, decision="withdrawn"))]))

    assert len(letters_of(fold)) > 250
    assert told(fold)[-1] == ("withdrawn", "consent_withdrawn")


def test_homes_told_again_and_again_keep_no_withdrawal_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", ROOM)
    flood = [(TOLD, a_person(f"home-{number}", occurred_at=TOLD, source="evil")) for number in range(400)]
    later = TOLD + timedelta(hours=1)

    fold = Fold().take(a_log([*discharged(), *flood, (later, a_consent("end", later, decision="withdrawn"))]))

    assert told(fold)[-1] == ("withdrawn", "consent_withdrawn")


@pytest.mark.parametrize("name", ["Reply", "Intervention", "Signal"])
def test_what_is_no_fact_has_all_of_the_room(name: str) -> None:
    pathway, size = Pathway(YOUTH), PATHWAY_BYTES_MAX

    room.require_room(name, {"source": "headspace"}, pathway, size)
    with pytest.raises(RefusedError, match="pathway_full"):
        room.require_room(name, {"source": "headspace"}, pathway, size + 1)
    with pytest.raises(RefusedError, match="pathway_full"):
        room.require_room("Person", {"source": "headspace"}, pathway, size)
