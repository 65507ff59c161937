"""Runs the histories of many seeds, on all cores, and counts what they broke and met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing import get_context
from os import cpu_count

from tests.model.histories import draw_history
from tests.model.simulation import Violation, run

BATCH = 50


@dataclass
class Found:
    """What many histories broke and met: by check the seeds, and by text how often."""

    histories: int = 0
    seeds: dict[str, list[int]] = field(default_factory=dict)
    texts: dict[str, Counter[str]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)

    def add(self, seed: int, violations: Iterable[Violation], met: Counter[str]) -> None:
        """Counts one history."""
        self.histories += 1
        self.met += met
        for one in violations:
            seeds = self.seeds.setdefault(one.check, [])
            if not seeds or seeds[-1] != seed:
                seeds.append(seed)
            self.texts.setdefault(one.check, Counter())[one.text] += 1

    def join(self, other: Found) -> None:
        """Counts what another process found."""
        self.histories += other.histories
        self.met += other.met
        for check, seeds in other.seeds.items():
            self.seeds.setdefault(check, []).extend(seeds)
            self.texts.setdefault(check, Counter()).update(other.texts[check])


def run_seeds(seeds: Iterable[int]) -> Found:
    """Runs the histories of seeds in this process."""
    found = Found()
    for seed in seeds:
        report = run(draw_history(seed))
        found.add(seed, report.violations, report.met)
    return found


def run_on_all_cores(seeds: range) -> Found:
    """Runs the histories of a range, in as many processes as there are cores."""
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    found = Found()
    with get_context("fork").Pool(min(cpu_count() or 1, len(batches))) as pool:
        for one in pool.imap(run_seeds, batches):
            found.join(one)
    return found
