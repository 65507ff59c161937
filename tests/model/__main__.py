"""``python -m tests.model SEEDS``: runs histories by seed on all cores, and tells what they broke and what they met.

SEEDS is one seed, or a range like 0:2000. What breaks a rule is shrunk and printed as a test, one for each check.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.model.histories import draw_history
from tests.model.seeds import BATCH, Found, run_on_all_cores, run_seeds
from tests.model.shrinking import printed, shrunk
from tests.model.simulation import run

_SHOWN_MAX = 5


def the_test_of(seed: int, check: str) -> str:
    """Returns the shrunk history of a seed that breaks a check, as a test."""
    report = run(draw_history(seed))
    return printed(shrunk(report.history, check), check)


def main(arguments: list[str]) -> int:
    """Runs what the command line names; returns 1 where a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("seeds", help="one seed, or a range like 0:2000")
    parser.add_argument("--check", help="show and shrink this check alone")
    parser.add_argument("--met", action="store_true", help="tell how often each event, state and reply was met")
    parser.add_argument("--no-shrink", action="store_true", help="only count")
    chosen = parser.parse_args(arguments)
    first, _, end = chosen.seeds.partition(":")
    seeds = range(int(first), int(end) if end else int(first) + 1)
    began = time.monotonic()
    found = run_seeds(seeds) if len(seeds) <= BATCH else run_on_all_cores(seeds)
    lines = _told(found, chosen.check, shrink=not chosen.no_shrink)
    lines += _met(found) if chosen.met else []
    seconds = time.monotonic() - began
    lines.append(f"{found.histories} histories in {seconds:.0f} s, {len(found.seeds)} checks broken")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found.seeds else 0


def _told(found: Found, only: str | None, *, shrink: bool) -> list[str]:
    lines: list[str] = []
    for check, seeds in sorted(found.seeds.items(), key=lambda row: -len(row[1])):
        if only in (None, check):
            lines.append(f"{check}: {len(seeds)} histories, first seed {seeds[0]}")
            lines += [f"    {count} x {text}" for text, count in found.texts[check].most_common(_SHOWN_MAX)]
            lines += ["", the_test_of(seeds[0], check), ""] if shrink else []
    return lines


def _met(found: Found) -> list[str]:
    return [f"{count:>9} {name}" for name, count in sorted(found.met.items())]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
