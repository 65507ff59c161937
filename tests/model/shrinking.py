"""Cuts a history that breaks a rule down to the few steps that do, and prints it as a test to paste."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

from tests.model.simulation import Report, run
from tests.model.steps import DAY, Act, Answer, Change, History, Places, Step, Told, text_of

RUNS_MAX = 600
_TIMES = frozenset({"occurred_at", "sent_at", "recorded_at", "status_at", "planned_at", "lapses_at"})
Breaks = Callable[[History], bool]


def shrunk(history: History, check: str) -> History:
    """Returns the smallest history found that still breaks the same check; the given one where it doesn't at all."""
    budget = iter(range(RUNS_MAX))

    def breaks(smaller: History) -> bool:
        return next(budget, None) is not None and breaks_check(run(smaller), check)

    if not breaks(history):
        return history
    history = _with_fewer_steps(history, breaks)
    for simpler in (_simpler_worlds, _simpler_steps):
        history = _simplified(history, breaks, simpler)
    return _with_fewer_steps(history, breaks)


def breaks_check(report: Report, check: str) -> bool:
    """Tells whether a history broke a check."""
    return any(one.check == check for one in report.violations)


def _with_fewer_steps(history: History, breaks: Breaks) -> History:
    """Leaves out as many steps as it can: halves first, then quarters, and so on to one at a time."""
    size = max(1, len(history.steps) // 2)
    while True:
        start, removed = 0, False
        while start < len(history.steps):
            rest = history.steps[:start] + history.steps[start + size :]
            smaller = replace(history, steps=rest)
            if rest and breaks(smaller):
                history, removed = smaller, True
            else:
                start += size
        if size == 1 and not removed:
            return history
        size = max(1, size // 2)


def _simplified(history: History, breaks: Breaks, simpler: Callable[[History], Iterator[History]]) -> History:
    """Takes the first simpler history that still breaks the check, again and again."""
    while True:
        found = next((one for one in simpler(history) if breaks(one)), None)
        if found is None:
            return history
        history = found


def _simpler_worlds(history: History) -> Iterator[History]:
    if history.delays != (0,):
        yield replace(history, delays=(0,))
    if history.quiet_days > 40:
        yield replace(history, quiet_days=40)


def _simpler_steps(history: History) -> Iterator[History]:
    """Yields the history with one step told when it happened, about the first number, or with a field less."""
    for place, step in enumerate(history.steps):
        for simpler in _simpler(step):
            steps = (*history.steps[:place], simpler, *history.steps[place + 1 :])
            yield replace(history, steps=tuple(sorted(steps, key=lambda one: one.at)))


def _simpler(step: Step) -> Iterator[Step]:
    if not isinstance(step, Told):
        return
    happened = step.fields.get("occurred_at")
    if isinstance(happened, int) and step.at - 100 * DAY < happened < step.at:
        yield replace(step, at=happened)
    for name in step.fields:
        if not (name == "occurred_at" and happened != step.at):
            yield replace(step, fields={key: value for key, value in step.fields.items() if key != name})


def printed(history: History, check: str) -> str:
    """Returns the history as a test that says which rule has to hold."""
    steps = "".join(f"            {_step(step)},\n" for step in history.steps)
    rest = [f"delays={history.delays}"] if history.delays != (0,) else []
    rest += [f"quiet_days={history.quiet_days}"] if history.quiet_days != 40 else []
    more = "".join(f"        {one},\n" for one in rest)
    name = f"{check}_in_seed_{history.seed}" if history.seed >= 0 else check
    head = f"def test_{name}() -> None:\n    history = History(\n        (\n{steps}        ),\n{more}    )\n\n"
    return head + f'    assert [one for one in run(history).violations if one.check == "{check}"] == []\n'


def _step(step: Step) -> str:
    parts = [f'at("{text_of(step.at)}")']
    for one in fields_of(type(step))[1:]:
        value = getattr(step, one.name)
        if value != one.default and not (one.name == "fields" and not value):
            shown = _fields(value) if isinstance(value, dict) else repr(value)
            parts.append(shown if one.name in _BY_PLACE[type(step)] else f"{one.name}={shown}")
    return f"{type(step).__name__}({', '.join(parts)})"


_BY_PLACE: dict[type, tuple[str, ...]] = {
    Told: ("model", "name", "fields"),
    Answer: ("name", "programme", "status"),
    Act: ("name", "action"),
    Change: ("what", "programme"),
    Places: ("programme", "site", "free"),
}


def _fields(values: dict[str, Any]) -> str:
    shown = (f'"{name}": {_value(name, value)}' for name, value in values.items())
    return "{" + ", ".join(shown) + "}"


def _value(name: str, value: Any) -> str:
    if name in _TIMES and isinstance(value, int):
        return f'at("{text_of(value)}")'
    return re.sub(r"^'(.*)'$", r'"\1"', repr(value))
