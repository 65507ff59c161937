"""Published messages changed a hundred thousand times (a seeded tenth in every run): right, or refused by name.

Changes that mean nothing (the order of entries, another spelling of the same JSON, its XML) change nothing; all
others end in an outcome, in bounded time and memory, and never in an exception.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import time
from typing import Any

import pytest

from tests.unit.medcom_fhir.builders import MESSAGES, Json, a_door, a_message, outcome_of
from tests.unit.medcom_fhir.test_hostile_messages import BYTE_ACTIONS, assert_right_or_refused
from tests.unit.medcom_fhir.xml_writing import xml_of

pytestmark = pytest.mark.long
NAMES = sorted(path.stem for path in MESSAGES.glob("*.json"))
ROUNDS, SOAK_ROUNDS = 10_000, 100_000
SECONDS_MAX, GROWTH_KILOBYTES_MAX = 2.0, 256 * 1024
DOOR = a_door()
ORIGINALS = {name: a_message(name) for name in NAMES}
OUTCOMES = {name: outcome_of(message, DOOR) for name, message in ORIGINALS.items()}


def _shuffled(message: Json, chance: random.Random) -> bytes:
    header, *others = message["entry"]
    return json.dumps({**message, "entry": [header, *chance.sample(others, len(others))]}).encode()


def _doubled(message: Json, chance: random.Random) -> bytes:
    """Repeats what is no header and no patient, of which there is one: the same resource again says the same."""
    once = {"MessageHeader", "Patient", "Communication", "Encounter"}
    others = [entry for entry in message["entry"] if entry["resource"]["resourceType"] not in once]
    return json.dumps({**message, "entry": [*message["entry"], chance.choice(others)]}).encode()


def _respelt(message: Json, chance: random.Random) -> bytes:
    text = json.dumps(message, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1, 8]))
    return (b"\xef\xbb\xbf" if chance.random() < 0.5 else b"") + text.encode()


def _in_xml(message: Json, chance: random.Random) -> bytes:
    return xml_of(json.loads(_shuffled(message, chance)))


MEANINGLESS = (_shuffled, _doubled, _respelt, _in_xml)
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    "",
    " ",
    "x" * 2000,
    [],
    {},
    [None],
    {"reference": "x"},
    "\ud800",
    "2509479989",
)


def _node_changed(message: Json, chance: random.Random) -> bytes:
    changed = copy.deepcopy(message)
    for _ in range(chance.randint(1, 4)):
        holder, key = _place_in(changed, chance)
        action = chance.choice(["drop", "replace", "wrap", "double", "swap"])
        if action == "drop":
            del holder[key]
        elif action == "double" and isinstance(holder, list):
            holder.insert(key, holder[key])
        elif action == "wrap":
            holder[key] = [holder[key]]
        elif action == "swap" and (other := chance.choice(_keys(holder))) != key:
            holder[key], holder[other] = holder[other], holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        if not changed:
            break
    return json.dumps(changed).encode()


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _place_in(message: Json, chance: random.Random) -> tuple[Any, Any]:
    """Returns a holder and one of its keys, every depth alike likely."""
    holder: Any = message
    while True:
        key = chance.choice(_keys(holder))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:
            return holder, key
        holder = inner


def _bytes_changed(message: Json, chance: random.Random) -> bytes:
    content = xml_of(message) if chance.random() < 0.3 else json.dumps(message, ensure_ascii=False).encode()
    first, last = sorted(chance.randint(0, len(content)) for _ in range(2))
    return BYTE_ACTIONS[chance.choice(sorted(BYTE_ACTIONS))](content, first, last)


HARMFUL = (_node_changed, _bytes_changed)


def test_however_a_message_is_changed_it_is_right_or_refused_in_bounded_time_and_memory(soak: bool) -> None:
    rounds = SOAK_ROUNDS if soak else ROUNDS
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(rounds):
        chance = random.Random(number)
        name = chance.choice(NAMES)
        change = chance.choice(MEANINGLESS if number % 4 == 0 else HARMFUL)
        content = change(ORIGINALS[name], chance)
        began = time.process_time()

        outcome = outcome_of(content, DOOR)

        assert time.process_time() - began < SECONDS_MAX, f"round {number}"
        if change in MEANINGLESS:
            assert outcome == OUTCOMES[name], f"round {number}: {change.__name__} of {name}"
        else:
            assert_right_or_refused(outcome)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KILOBYTES_MAX
