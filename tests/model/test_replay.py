"""Law 3 over drawn histories: the same log gives the same bytes, in batches of any size and in any process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import codec
from schemas.events import (
    Consent,
    Correspondence,
    Discharge,
    Enrolment,
    EventHeader,
    Intervention,
    Person,
    Referral,
    Reply,
)
from schemas.instants import moment_of
from schemas.topics import kafka_name
from streams.engine.processor import StoredRecord
from tests.agents.entries import a_tick
from tests.agents.intake import Fold, a_log, a_version
from tests.model.catalogues import changed, first_catalogue
from tests.model.histories import draw_history
from tests.model.simulation import Simulation
from tests.model.steps import DAY, NUMBERS, Act, Answer, Change, Told, id_of, raw_act, raw_event, raw_reply

_ROOT = Path(__file__).parents[2]
_MODELS = {
    one.__name__: one for one in (Consent, Correspondence, Discharge, Enrolment, Intervention, Person, Referral, Reply)
}


def _digest(seeds: range) -> str:
    """Returns a digest of all that is said in the histories of seeds."""
    whole = hashlib.sha256()
    for seed in seeds:
        simulation = Simulation(draw_history(seed))
        simulation.run()
        whole.update(repr(sorted(simulation.ledger.said.items(), key=str)).encode())
        whole.update(repr(sorted(simulation.world.pathways.items())).encode())
    return whole.hexdigest()


def _log_of(seed: int) -> list[StoredRecord]:
    """Returns the intake log of a history about one number, as stage 1 would have written it."""
    simulation = Simulation(draw_history(seed))
    steps = simulation.run().history.steps
    handovers, needs = list(simulation.ledger.handovers.values()), list(simulation.ledger.needs.values())
    entries: list[tuple[int, EventHeader]] = [(steps[0].at - DAY, a_version(first_catalogue(), moment_of(steps[0].at)))]
    catalogue = first_catalogue()
    for step in steps:
        match step:
            case Told():
                entries.append((step.at, _model(step.model, raw_event(step))))
            case Answer() if step.status:
                about = [one for one in handovers if one.programme == (step.about or step.programme)]
                handover_id = about[0].handover_id if about else id_of("no handover")
                entries.append((step.at, _model("Reply", raw_reply(step, handover_id, NUMBERS[0]))))
            case Act():
                need_id = needs[0].need.need_id if needs else id_of("no need")
                need_id = NUMBERS[0] if step.action == "erased" else need_id
                entries.append((step.at, _model("Intervention", raw_act(step, need_id))))
            case Change():
                catalogue = changed(catalogue, step.what, step.programme)
                entries.append((step.at, a_version(catalogue, moment_of(step.at))))
    timed = [(moment_of(when), event) for when, event in entries]
    return a_log([*timed, a_tick(moment_of(steps[-1].at + 40 * DAY))])


def _model(name: str, event: dict[str, Any]) -> EventHeader:
    validated = codec(_MODELS[name]).validated(event)
    assert isinstance(validated, EventHeader)
    return validated


def _written(fold: Fold) -> dict[str, list[Any]]:
    """Returns what was written; a dead letter's value is sealed with a key of its own each time."""
    return {
        topic: [(one.key, one.headers) for one in messages] if topic == kafka_name("dead-letters") else messages
        for topic, messages in fold.written.items()
    }


def _about_one_number(seeds: range) -> list[int]:
    return [seed for seed in seeds if not any(getattr(step, "number", 0) for step in draw_history(seed).steps)]


@pytest.mark.long
def test_any_batching_gives_the_same_bytes(soak: bool) -> None:
    for seed in _about_one_number(range(1_000 if soak else 60)):
        log = _log_of(seed)
        one = Fold().take(log, batch=1)
        for size in (7, 5_000):
            other = Fold().take(log, batch=size)

            assert _written(other) == _written(one), seed
            assert other.state(NUMBERS[0].encode()) == one.state(NUMBERS[0].encode()), seed


@pytest.mark.long
def test_another_process_says_the_same() -> None:
    program = f"from tests.model.test_replay import _digest; print(_digest(range({_SEEDS})))"
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=_ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(_ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(said) == 1


_SEEDS = 60
