"""The model finds every seeded bug: a check that none of them turns red would prove nothing by being green."""

from __future__ import annotations

import pytest

from tests.model.seeded_bugs import SEEDED_BUGS, SeededBug
from tests.model.seeding import first_of
from tests.model.seeds import run_seeds

pytestmark = pytest.mark.long

#: How many the model has to find at the least.
FOUND_MIN = 20


def test_there_are_enough_bugs_and_each_is_told_once() -> None:
    assert len({bug.name for bug in SEEDED_BUGS}) == len(SEEDED_BUGS) >= FOUND_MIN


@pytest.mark.parametrize("bug", SEEDED_BUGS, ids=lambda bug: bug.name)
def test_a_history_finds_the_bug_and_is_green_without_it(bug: SeededBug) -> None:
    assert run_seeds(range(bug.seed, bug.seed + 1)).seeds == {}
    assert first_of(bug, str(bug.seed)) == bug.seed
