"""Law 1: what is told in any order, any number of times, comes to the same.

The facts of a history are told again within one settle time, and again over some hours, each time in several orders.
Log times stay in place and the facts are permuted over them; what tells the log's time is masked. Catalogue changes,
answers and decisions are left out: they are taken in log order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from schemas.codes import NoticeKind, StayStatus
from tests.model.catalogues import first_catalogue
from tests.model.ledger import statement_of
from tests.model.reference import age_on, lapsed
from tests.model.reference_needs import LIVE
from tests.model.steps import DAY, HOUR, MINUTE, NUMBERS, UNKNOWN_UNIT, History, Told, day_of_moment, raw_event
from tests.model.world import Seen, World

#: What a source is told of its own statement; whether it still is after a death depends on which came first.
OF_SOURCES = frozenset(
    {
        NoticeKind.UNKNOWN_CODE,
        NoticeKind.INCONSISTENT_STATUS,
        NoticeKind.NONSTANDARD_IDENTIFIER,
        NoticeKind.CORRESPONDENCE,
        NoticeKind.UNKNOWN,
    }
)
Found = Iterator[tuple[str, str]]
_TIMES = frozenset(
    {"occurred_at", "sent_at", "recorded_at", "reply_by", "first_contact_by", "due_at", "appointment_on"}
)


def order_matters(history: History) -> Found:
    """Yields (check, text) where an order of the same facts comes to something else."""
    facts = _facts(history)
    if len(facts) < 2 or len({step.name for step in facts}) < len(facts):
        return
    if any(step.fields.get("unit") == UNKNOWN_UNIT for step in facts) or sum(map(_is_wish, facts)) > 1:
        # What isn't known takes nothing back that it would have kept from leaving; and which of several wishes to
        # bridge has the one handover of the kind is a question of which settled first.
        return
    begins = max(max(step.at, _happened(step)) for step in facts)
    consents = [statement_of(raw_event(step)) for step in facts if step.model == "Consent"]
    lapsing = any(lapsed(one, begins) != lapsed(one, begins + DAY) for one in consents)
    births = [day for step in facts if (day := raw_event(step).get("birth_date")) is not None]
    today = day_of_moment(begins)
    birthdays = [birth for birth in births if age_on(birth, today - 1) != age_on(birth, today + 1)]
    if birthdays or lapsing:
        return  # whether something left before a consent lapsed, or a birthday, is a question of the time
    plans = [step for step in facts if step.fields.get("status") == StayStatus.DISCHARGE_PLANNED]
    rest = [step for step in facts if step not in plans]
    if len({step.number for step in facts}) == 1:
        within = [_told(order, begins, 14 * MINUTE, 40 * MINUTE) for order in _orders(facts)]
        died = any(step.fields.get("status") == StayStatus.DECEASED for step in facts)
        said = [_said(one, without=OF_SOURCES if died else frozenset()) for one in within]
        yield from _differences("order_free_within_the_settle_time", said)
    # A plan that comes after what it planned has settled changes nothing any more: plans are told first.
    spread = [_told([*plans, *order], begins, 6 * HOUR, 12 * HOUR) for order in _orders(rest)]
    yield from _differences("order_free_in_the_end", [_state(one) for one in spread])


def _is_wish(step: Told) -> bool:
    return bool(step.fields.get("bridging"))


def _facts(history: History) -> list[Told]:
    """Returns the statements, each once."""
    first: dict[str, Told] = {}
    for step in history.steps:
        if isinstance(step, Told):
            first.setdefault(step.name, step)
    return list(first.values())


def _happened(step: Told) -> int:
    moment = step.fields.get("occurred_at", step.at)
    return int(raw_event(step)["occurred_at"]) if isinstance(moment, str) else int(moment)


def _orders(facts: Sequence[Told]) -> Iterator[list[Told]]:
    """Yields the facts as they came, backwards with repeats, and shuffled."""
    chance = Random(len(facts))
    yield list(facts)
    backwards = list(reversed(facts))
    yield [*backwards, *backwards[::2]]
    yield chance.sample(facts, k=len(facts))


class _Told:
    """What came of one order."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.world = World(first_catalogue(), self._look)

    def _look(self, seen: Seen) -> None:
        self.said += [one.fields for one in seen.said if one.topic not in ("signals", "pathways")]


def _told(facts: Sequence[Told], begins: int, spread: int, until: int) -> _Told:
    result = _Told()
    for place, step in enumerate(facts):
        event = raw_event(step)
        if "status_at" in event and "status_at" not in step.fields:
            event["status_at"] = step.at
        event |= {"occurred_at": _happened(step), "sent_at": max(event["sent_at"], _happened(step))}
        result.world.tell(NUMBERS[step.number], step.model, event, begins + spread * place // len(facts))
    result.world.wait_until(begins + until)
    return result


def _said(one: _Told, without: frozenset[NoticeKind]) -> dict[str, Any]:
    said = (fields for fields in one.said if fields.get("kind") not in without)
    masked = ({name: value for name, value in fields.items() if name not in _TIMES} for fields in said)
    return {fields["event_id"]: fields for fields in masked}


def _state(one: _Told) -> dict[str, Any]:
    """Returns the open needs and live handovers, by what they are: where numbers are linked ids depend on the way."""
    found: dict[str, Any] = {}
    for pathway in one.world.pathways.values():
        needs = [f"{need.kind} {need.trigger} {need.state}" for need in pathway.needs if need.state != "closed"]
        live = [f"{one.programme} {one.identity} {one.state}" for one in pathway.handovers if one.state in LIVE]
        if needs or live:
            found[pathway.youth_id] = ", ".join([*sorted(map(str, needs)), *sorted(map(str, live))])
    return found


def _differences(check: str, results: Sequence[dict[str, Any]]) -> Found:
    first = results[0]
    for other in results[1:]:
        for key in sorted(first.keys() | other.keys()):
            if first.get(key) != other.get(key):
                yield check, f"{_short(first.get(key))} in one order, {_short(other.get(key))} in another"
                return


def _short(said: Any) -> str:
    if not isinstance(said, dict):
        return str(said or "nothing")
    return ", ".join(f"{name} {said[name]}" for name in _SHOWN if said.get(name) is not None)


_SHOWN = ("type", "kind", "programme", "recipient", "identity", "state", "reason_code", "need_kind", "occurred_on")
