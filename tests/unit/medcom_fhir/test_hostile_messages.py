"""Whatever a message holds, translating it gives a value, and no refusal repeats what the message says."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.medcom_fhir.acknowledgement import build_acknowledgement
from connectors.medcom_fhir.codes import ResponseCode
from connectors.medcom_fhir.outcomes import (
    FhirOutcome,
    FhirOutOfScope,
    FhirRefused,
    FhirTranslation,
    ReceivedAcknowledgement,
)
from tests.unit.medcom_fhir.builders import MESSAGES, a_message, outcome_of

NAMES = sorted(path.stem for path in MESSAGES.glob("*.json"))
MARKER = "2509479989"
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([[]]),
    st.just({"reference": 1}),
    st.just([{"reference": "x"}]),
    st.sampled_from([MARKER, "\ud800", "\x00", "urn:uuid:", "/", "//"]),
    st.sampled_from(["0000-00-00T00:00:00Z", "9999-12-31T23:59:59-14:00", "1900-01-01T00:00:00+14:00"]),
)


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
    return [(*path, key) for key, _ in children] + [
        place for key, value in children for place in _places(value, (*path, key)) if key not in {"text", "div"}
    ]


def _changed(message: Any, place: tuple[Any, ...], action: str, value: Any) -> None:
    holder = message
    for key in place[:-1]:
        holder = holder[key]
    if action == "drop":
        del holder[place[-1]]
    elif action == "double" and isinstance(holder, list):
        holder.append(holder[place[-1]])
    elif action == "wrap":
        holder[place[-1]] = [holder[place[-1]]]
    else:
        holder[place[-1]] = value


@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_change_of_any_node_ends_in_an_exception(name: str, data: st.DataObject) -> None:
    message = a_message(name)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(message)))
        action = data.draw(st.sampled_from(["drop", "double", "wrap", "replace"]))
        _changed(message, place, action, copy.deepcopy(data.draw(VALUES)))

    outcome = outcome_of(message)

    assert_right_or_refused(outcome)


def assert_right_or_refused(outcome: FhirOutcome) -> None:
    """A refusal names field and rule, repeats no number, and can be answered where it knows whom to answer."""
    assert isinstance(outcome, FhirTranslation | FhirOutOfScope | ReceivedAcknowledgement | FhirRefused)
    if not isinstance(outcome, FhirRefused):
        return
    assert all(outcome.refusal.as_dict().values())
    assert MARKER not in json.dumps(outcome.refusal.as_dict())
    answer = build_acknowledgement(
        outcome.addressing, ResponseCode.FATAL_ERROR, outcome.refusal, datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert (answer is None) is (outcome.addressing is None)
    json.dumps(answer).encode()


@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_swap_of_two_nodes_ends_in_an_exception(name: str, data: st.DataObject) -> None:
    message = a_message(name)
    first, second = (data.draw(st.sampled_from(_places(message))) for _ in range(2))
    values = [copy.deepcopy(_at(message, place)) for place in (first, second)]
    _changed(message, first, "replace", values[1])
    with suppress(KeyError, IndexError, TypeError):  # the first may have held the second
        _changed(message, second, "replace", values[0])

    assert_right_or_refused(outcome_of(message))


def _at(message: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        message = message[key]
    return message


BYTE_ACTIONS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "drop": lambda content, first, last: content[:first] + content[last:],
    "repeat": lambda content, first, last: content[:last] + content[first:],
    "truncate": lambda content, first, _last: content[:first],
    "swap": lambda content, first, last: content[last:] + content[first:last] + content[:first],
    "flip": lambda content, first, _last: (
        content[:first] + bytes(255 - byte for byte in content[first : first + 1]) + content[first + 1 :]
    ),
    "latin-1": lambda content, first, last: (
        content[:first] + _again(content[first:last], "iso-8859-1") + content[last:]
    ),
    "utf-16": lambda content, first, last: content[:first] + _again(content[first:last], "utf-16") + content[last:],
    "mark": lambda content, first, _last: content[:first] + b"\xef\xbb\xbf" + content[first:],
}


def _again(part: bytes, encoding: str) -> bytes:
    return part.decode("utf-8", "ignore").encode(encoding, "replace")


@given(
    name=st.sampled_from(NAMES),
    action=st.sampled_from(sorted(BYTE_ACTIONS)),
    bounds=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_no_change_of_a_messages_bytes_ends_in_an_exception(
    name: str, action: str, bounds: tuple[float, float]
) -> None:
    content = (MESSAGES / f"{name}.json").read_bytes()
    first, last = sorted(int(bound * len(content)) for bound in bounds)

    assert_right_or_refused(outcome_of(BYTE_ACTIONS[action](content, first, last)))


@given(st.binary(max_size=300))
def test_no_bytes_end_in_an_exception(content: bytes) -> None:
    assert isinstance(outcome_of(content), FhirRefused)


@given(cut=st.integers(0, 11_000), name=st.sampled_from(NAMES))
def test_a_message_cut_short_is_refused(cut: int, name: str) -> None:
    content = (MESSAGES / f"{name}.json").read_bytes()[:cut]

    outcome = outcome_of(content)

    assert isinstance(outcome, FhirRefused | ReceivedAcknowledgement)
