"""The simulation itself: a seed is one history, what it prints runs, and what is broken is found and cut down."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codec import codec
from tests.model import simulation as simulation_module
from tests.model import steps as steps_module
from tests.model.catalogues import first_catalogue
from tests.model.histories import draw_history
from tests.model.ledger import Ledger
from tests.model.shrinking import printed, shrunk
from tests.model.simulation import Report, run
from tests.model.steps import HOUR, MODELS, NUMBERS, Answer, History, Told, at, raw_event, text_of
from tests.model.world import BrokenFoldError, Seen, World

STORY = History(
    (
        Told(at("2026-02-01 08:00"), "Person", "person", {"birth_date": "2010-05-01", "municipality": "0217"}),
        Told(at("2026-02-01 12:00"), "Consent", "consent"),
        Told(at("2026-02-02 10:00"), "Discharge", "slhj", {"status": "discharged_home"}),
        Answer(at("2026-02-02 11:00"), "yes", "ungevaerftet", "accepted"),
    ),
    quiet_days=1,
)


def test_a_seed_is_always_the_same_history() -> None:
    assert draw_history(7) == draw_history(7)
    assert draw_history(7) != draw_history(8)


def test_every_statement_that_is_drawn_is_one_that_the_service_takes() -> None:
    told = [step for seed in range(300) for step in draw_history(seed).steps if isinstance(step, Told)]

    for step in told:
        codec(MODELS[step.model]).validated(raw_event(step))


@pytest.mark.parametrize("text", ["2026-02-02 10:00", "2026-10-25 02:30:00+01:00", "2026-10-25 02:30:00+02:00"])
def test_times_are_printed_as_they_are_read(text: str) -> None:
    assert at(text_of(at(text))) == at(text)


def test_a_plain_story_breaks_no_rule_and_is_met() -> None:
    report = run(STORY)

    assert report.violations == ()
    assert report.met["handover accepted anonymous"] == 1


def test_a_printed_history_is_the_history() -> None:
    text = printed(run(draw_history(12)).history, "told_in_sequence")
    seen: list[History] = []

    def look(history: History) -> Report:
        seen.append(history)
        return run(history)

    names: dict[str, Any] = {**vars(steps_module), "run": look}
    exec(text.replace("== []", "is not None"), names)  # noqa: S102 - what is printed is a test to run
    names["test_told_in_sequence_in_seed_12"]()

    assert [step.at for step in seen[0].steps] == [step.at for step in run(draw_history(12)).history.steps]


def test_what_is_broken_is_found_and_cut_to_the_steps_that_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_offers(ledger: Ledger, seen: Seen) -> Any:
        return (str(one.fields["programme"]) for one in seen.said if one.fields.get("type") == "offered")

    monkeypatch.setattr(simulation_module, "SAYING_CHECKS", (no_offers,))
    more = Told(at("2026-02-03 10:00"), "Correspondence", "letter")
    cut = shrunk(History((*STORY.steps, more)), "no_offers")

    assert [step.name for step in cut.steps if isinstance(step, Told)] == ["person", "consent", "slhj"]
    assert len(cut.steps) == 3


def test_a_fold_that_fails_ends_the_history_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: World, *arguments: Any) -> None:
        raise BrokenFoldError("as a test has it")

    monkeypatch.setattr(World, "tell", fails)

    assert [one.text for one in run(STORY).violations] == ["as a test has it"]


def test_signals_of_one_sender_arrive_in_order_whatever_their_delays() -> None:
    seen: list[Seen] = []
    world = World(first_catalogue(), seen.append, delays=(3 * HOUR, 0))
    start = at("2026-02-01 08:00")
    for step in STORY.steps[:3]:
        if isinstance(step, Told):
            world.tell(NUMBERS[0], step.model, raw_event(step), step.at)
    link = Told(start + 72 * HOUR, "Person", "link", {"linked_to": NUMBERS[1]})
    world.tell(NUMBERS[0], "Person", raw_event(link), link.at)
    world.wait_until(link.at + 12 * HOUR)

    arrived = [one.now for one in seen if one.model == "Signal" and one.number == 1]
    assert arrived
    assert arrived == sorted(arrived)
    assert min(arrived) >= link.at + 3 * HOUR
