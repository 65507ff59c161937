"""Thousands of drawn histories break no rule; what breaks one is printed as a test, cut to the steps that do it."""

from __future__ import annotations

import pytest

from tests.model.histories import draw_history
from tests.model.seeds import run_seeds
from tests.model.shrinking import printed, shrunk
from tests.model.simulation import run

CHUNKS = 20
#: With --soak ten times as many: the tenth that always runs is the first seeds of each chunk.
SEEDS_A_CHUNK, SEEDS_A_CHUNK_IN_SOAK = 100, 1_000


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_histories_break_no_rule(chunk: int, soak: bool) -> None:
    first = chunk * SEEDS_A_CHUNK_IN_SOAK
    found = run_seeds(range(first, first + (SEEDS_A_CHUNK_IN_SOAK if soak else SEEDS_A_CHUNK)))

    assert [_story(check, seeds[0]) for check, seeds in found.seeds.items()] == []


def _story(check: str, seed: int) -> str:
    return printed(shrunk(run(draw_history(seed)).history, check), check)
