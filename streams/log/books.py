"""The books that law 5 is checked by: what came in, what became of it, and what does not balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.log.comparison import Finding
from streams.log.refold import DEAD_LETTER

if TYPE_CHECKING:
    from streams.log.replaying import Replayed

CAME_IN = "in"
UNDER_WAY = "under_way"
OUTCOMES = ("folded", "duplicate", "out_of_scope", DEAD_LETTER, UNDER_WAY)


class DeadLetterKey(NamedTuple):
    """What a dead letter's headers say of the record that it was."""

    stage: str
    topic: str
    partition: int
    offset: int
    code: str


@dataclass(slots=True)
class Account:
    """Events by (source, day) and outcome, needs by state, outputs by topic as (found, refolded), and findings.

    ``needs_by_reason`` are those that are remembered, by why they came; ``remarks`` are findings about the
    snapshot itself.
    """

    events: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    needs_opened: int = 0
    needs_by_state: Counter[str] = field(default_factory=Counter)
    needs_by_reason: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        """Tells whether nothing at all was found."""
        return not self.findings and not self.remarks

    def book(self, source: str, day: str, outcome: str, count: int = 1) -> None:
        """Adds to one line of the books: ``in`` is what came, the others what became of it."""
        self.events.setdefault((source, day), Counter())[outcome] += count

    def add(self, replayed: Replayed) -> None:
        """Adds what came of one partition."""
        self.findings += replayed.findings
        self.needs_opened += replayed.needs_opened
        self.needs_by_state.update(replayed.needs_by_state)
        self.needs_by_reason.update(replayed.needs_by_reason)
        for topic, (found, refolded) in replayed.outputs.items():
            before = self.outputs.get(topic, (0, 0))
            self.outputs[topic] = (before[0] + found, before[1] + refolded)
        for (source, day, outcome), count in replayed.outcomes.items():
            self.book(source, day, outcome, count)
        for (source, day), count in replayed.under_way.items():
            self.book(source, day, UNDER_WAY, count)

    def add_up(self) -> None:
        """Adds a finding for every line, and for the needs, where the sums differ."""
        for (source, day), line in sorted(self.events.items()):
            became = sum(line[outcome] for outcome in line if outcome != CAME_IN)
            if line[CAME_IN] != became:
                text = f"{source} on {day}: {line[CAME_IN]} came in, {became} are accounted for"
                self.findings.append(Finding("unbalanced", "", -1, None, text))
        states = sum(self.needs_by_state.values())
        if self.needs_opened != states:
            text = f"{self.needs_opened} needs were opened, {states} have a state"
            self.findings.append(Finding("unbalanced", "", -1, None, text))

    def as_dict(self) -> dict[str, Any]:
        """Returns the books as ``reconcile --json`` prints them."""
        events = [
            {"source": source, "day": day, CAME_IN: line[CAME_IN]} | {name: line[name] for name in OUTCOMES}
            for (source, day), line in sorted(self.events.items())
        ]
        outputs = [
            {"topic": topic, "found": found, "refolded": refolded}
            for topic, (found, refolded) in sorted(self.outputs.items())
        ]
        return {
            "balances": self.balances,
            "events": events,
            "needs": {
                "opened": self.needs_opened,
                "by_state": dict(sorted(self.needs_by_state.items())),
                "by_reason": dict(sorted(self.needs_by_reason.items())),
            },
            "outputs": outputs,
            "findings": [finding._asdict() for finding in self.findings],
            "remarks": self.remarks,
        }
