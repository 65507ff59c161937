"""One history being drawn, and the answers that programmes give in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.model.steps import (
    DAY,
    HOUR,
    MINUTE,
    MOOD_OF_ODD,
    Act,
    Answer,
    Step,
    Told,
)

PROGRAMMES = ("ungevaerftet", "headspace", "unik-recovery-young", "alliancen-plan", "psykinfo-adviser")
_ACTIONS = ("UNKNOWN", "consent_asked", "assigned", "offered", "offered", "reopened", "closed", "escalation_answered")


@dataclass
class Draw:
    """One history being drawn: ``now`` is where the threads have got to; ``decided`` are times to answer after."""

    random: Random
    now: int
    born: int | None
    steps: list[Step] = field(default_factory=list)
    offered_about: list[tuple[int, str]] = field(default_factory=list)
    numbers: int = 1
    made: int = 0

    def name(self, kind: str) -> str:
        """Returns a name that no other step has."""
        self.made += 1
        return f"{kind}-{self.made}"

    def chance(self, share: float) -> bool:
        """Tells whether something of that likelihood happens."""
        return self.random.random() < share

    def number(self) -> int:
        """Returns which number of the person is used."""
        return self.random.randrange(self.numbers)

    def lag(self) -> int:
        """Returns how long after it happened a statement comes in."""
        return self.random.choice((0, 0, 0, MINUTE, 3 * MINUTE, 10 * MINUTE, 40 * MINUTE, 5 * HOUR, 2 * DAY))

    def tell(self, model: str, kind: str, happened: int, lag: int | None = None, **fields: Any) -> str:
        """Adds a statement about what happened at a time, and returns its name."""
        name = self.name(kind)
        told = happened + (self.lag() if lag is None else lag)
        self.steps.append(Told(told, model, name, {"occurred_at": happened} | fields, self.number()))
        return name


def draw_answers(draw: Draw, share: float) -> None:
    """Programmes answer: mostly what fits, from soon after the offer on, and on to the end."""
    when = draw.now + draw.random.choice((20 * MINUTE, 2 * HOUR, DAY))
    while draw.chance(share):
        mood = draw.random.random()
        draw.steps.append(Answer(when, draw.name("reply"), mood=mood))
        for _ in range(draw.random.choice((0, 0, 1, 2))):
            answer_oddly(draw, when + draw.random.choice((30_000, 2 * MINUTE, 50 * MINUTE)))
        when += draw.random.choice((MINUTE, HOUR, DAY, DAY, 3 * DAY, 8 * DAY))
    if draw.chance(0.12):
        action = draw.random.choice(_ACTIONS)
        fields: dict[str, Any] = {"programme": draw.random.choice(PROGRAMMES)} if action == "offered" else {}
        fields |= {"reason_code": "moved_abroad"} if action == "closed" else {}
        at = draw.now + draw.random.choice((30 * MINUTE, DAY, 4 * DAY))
        back, number = draw.random.choice((0, 0, 0, 1)), draw.number()
        draw.steps.append(Act(at, draw.name("act"), action, back, number, fields))


def answer_oddly(draw: Draw, when: int) -> None:
    draw.steps.append(Answer(when, draw.name("odd"), mood=draw.random.random() * MOOD_OF_ODD))
