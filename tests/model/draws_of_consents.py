"""Draws consents, of everyone at every age and scope, what corrects them and what ends them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.model.draws import PROGRAMMES, Draw
from tests.model.steps import (
    DAY,
    HOUR,
    MINUTE,
    Told,
    day_of_moment,
    midnight_of,
)


def draw_consents(draw: Draw) -> None:
    """Consents about the latest thread: mostly one that fits, then what contradicts, narrows or ends it."""
    if draw.chance(0.06):
        return
    random = draw.random
    kind = draw.offered_about[-1][1] if draw.offered_about else "aftercare"
    base = draw.now + random.choice((-DAY, -DAY, -HOUR, -HOUR, 5 * MINUTE, 3 * HOUR, 2 * DAY, 6 * DAY))
    if draw.chance(0.06):
        base = draw.now - random.choice((364, 365, 366, 360)) * DAY
    names = [_consent(draw, base, kind, fits=draw.chance(0.75))]
    for _ in range(random.choices((0, 1, 2, 3), (50, 30, 14, 6))[0]):
        base += random.choice((0, 20_000, MINUTE, HOUR, DAY, 3 * DAY))
        if draw.chance(0.06):
            _correct(draw, base, names[-1])
        elif draw.chance(0.5):
            names.append(_consent(draw, base, random.choice((kind, kind, "plan")), fits=draw.chance(0.5)))
        else:
            _end(draw, base, kind, random.choice(names))


def _consent(draw: Draw, when: int, kind: str, *, fits: bool) -> str:
    random = draw.random
    scope = random.choice(("anonymous", "anonymous", "named"))
    custody = random.choice(("UNKNOWN", "sole", "joint"))
    age = 15 if draw.born is None else (day_of_moment(when) - draw.born) // 365.25
    if age >= 15 or scope == "anonymous":
        givers: tuple[str, ...] = ("young_person",)
    else:
        custody = random.choice(("sole", "joint"))
        givers = ("custody_holder",) if custody == "sole" else ("custody_holder", "other_custody_holder")
    fields: dict[str, Any] = {"purpose": kind}
    if not fits:
        givers = random.choice(_GIVERS)
        fields = random.choice(
            ({"purpose": kind}, {"purpose": None, "receiver": random.choice(PROGRAMMES)}, {"purpose": "plan"})
        )
        fields = fields | ({"receiver": random.choice(PROGRAMMES)} if draw.chance(0.3) else {})
        fields["youth_unable"] = draw.chance(0.2)
    if draw.chance(0.05):
        fields["lapses_at"] = when + random.choice((HOUR, 2 * DAY, 30 * DAY))
    return say_consent(draw, when, decision="given", given_by=givers, scope=scope, custody=custody, **fields)


def _correct(draw: Draw, when: int, name: str) -> None:
    """The source corrects what it said of a consent, or takes it back as said by mistake."""
    said = next(step for step in draw.steps if step.name == name)  # type: ignore[union-attr]
    assert isinstance(said, Told)
    if draw.chance(0.4):
        change: dict[str, Any] = {"cancels": name}
    else:
        purpose = draw.random.choice(("aftercare", "plan", "bridging"))
        change = {
            "revises": name,
            "purpose": purpose,
            "decision": draw.random.choice(("given", "refused", "withdrawn")),
        }
    draw.steps.append(replace(said, at=when + draw.lag(), name=draw.name("correction"), fields=said.fields | change))


def _end(draw: Draw, when: int, kind: str, name: str) -> str:
    """A refusal or a withdrawal, by whoever may or may not."""
    random = draw.random
    fields: dict[str, Any] = random.choice(
        ({"purpose": None}, {"purpose": None}, {"purpose": kind}, {"purpose": None, "receiver": "headspace"})
    )
    if draw.chance(0.4):
        fields["subject"] = name
    return say_consent(
        draw,
        when,
        decision=random.choice(("withdrawn", "withdrawn", "refused")),
        given_by=random.choice(_GIVERS[:3] if draw.chance(0.8) else _GIVERS),
        scope=random.choice(("anonymous", "named")),
        custody=random.choice(("UNKNOWN", "sole", "joint")),
        **fields,
    )


_GIVERS = (
    ("young_person",),
    ("custody_holder",),
    ("other_custody_holder",),
    ("custody_holder", "other_custody_holder"),
    ("young_person", "custody_holder"),
)


def say_consent(draw: Draw, when: int, **fields: Any) -> str:
    if fields.get("custody") == "sole" and "other_custody_holder" in fields["given_by"]:
        fields["custody"] = "joint"  # no door takes another holder of a sole custody
    if draw.chance(0.08):
        day = day_of_moment(when)
        when, fields["occurred_on"] = midnight_of(day), draw.random.choice((None, day))
    return draw.tell("Consent", "consent", when, **fields)
