"""What programmes see of young people, against each other and against every source: no field joins any two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from schemas.codec import raw_of
from schemas.codes import NeedKind, NoticeKind
from schemas.events import EventHeader
from schemas.identifiers import derived_text
from schemas.instants import milliseconds_of
from streams.partitioning import partition_of
from tests.agents.merges import PARTITIONS
from tests.agents.public_town import History, Said, an_offered_town, event_of
from tests.domain.story import YOUTH

SEEDS = range(4)
#: Words, days, and what a programme's own file says: equal by chance, or for everybody.
VOCABULARY = frozenset(
    {"source", "type", "programme", "programme_version", "site", "need_kind", "identity", "age_band"}
    | {"municipality", "trigger", "expected_week", "appointment_on", "occurred_on", "reason_code", "state", "status"}
    | {"side", "waitlisted_until", "free_places", "source_sequence", "ce_specversion", "ce_source", "ce_type"}
    | {"content-type", "birth_date", "decision", "given_by", "custody", "youth_unable", "scope", "receiver", "purpose"}
    | {"evidence", "recorded_by", "stay_class", "unit", "specialty", "notification", "remarks", "protected"}
)


def scalars(name: str, value: Any) -> Iterator[Any]:
    """Yields every value of a field and of what it holds, words left out and times as milliseconds."""
    if name in VOCABULARY or value is None:
        return
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from scalars(inner, one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from scalars(name, one)
    else:
        yield value


def values_of(said: Said) -> set[Any]:
    """Returns every value that a programme's record shows: fields, key, timestamp and headers."""
    _, _, message = said
    headers: dict[str, Any] = {name: text.decode() for name, text in message.headers}
    headers["ce_time"] = milliseconds_of(datetime.fromisoformat(headers["ce_time"]))
    whole = {
        "event": event_of(said),
        "headers": headers,
        "key": (message.key or b"").decode(),
        "at": message.timestamp_ms,
    }
    return set(scalars("", whole))


def stated(events: Iterable[tuple[str, EventHeader, datetime]]) -> set[Any]:
    """Returns every value that a source's statements and their records show."""
    return {
        value
        for _, event, when in events
        for value in (*scalars("", raw_of(event)), milliseconds_of(when), *str(event.subject).split("/"))
    }


def computed_from(values: Iterable[Any], programmes: Iterable[str]) -> set[str]:
    """Returns the ids that anybody derives who knows these values and this code."""
    roots = {value for value in values if isinstance(value, str)}
    needs = {derived_text("need", root, kind) for root in roots for kind in NeedKind}
    handovers = {
        derived_text("handover", need, programme, str(n)) for need in needs for programme in programmes for n in (1, 2)
    }
    told = {
        derived_text(word, one, str(n)) for word in ("statement", "disclosure") for one in handovers for n in (1, 2)
    }
    notices = {derived_text("notice", need, str(n)) for need in needs for n in range(4)}
    about = {derived_text("notice", root, kind, other) for root in roots for kind in NoticeKind for other in roots}
    return needs | handovers | told | notices | (about if len(roots) < 60 else set())


@cache
def history(seed: int) -> History:
    """Returns a history, played once."""
    return History(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_histories_reach_what_they_are_meant_to_reach(seed: int) -> None:
    told = [event_of(one) for one in history(seed).town.told()]

    assert len({one["programme"] for one in told}) > 1
    assert {"offered", "withdrawn", "reply_accepted"} <= {one["type"] for one in told}
    assert {one["identity"] for one in told} >= {"named", "anonymous"}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_one_programme_sees_equals_what_another_sees(seed: int) -> None:
    seen = {topic: set[Any]().union(*map(values_of, said)) for topic, said in history(seed).of_programmes()}

    assert [
        (one, other, seen[one] & seen[other]) for one, other in combinations(seen, 2) if seen[one] & seen[other]
    ] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_a_programme_sees_equals_what_a_source_states_or_anybody_derives_from_it(seed: int) -> None:
    town = history(seed).town
    own_replies = {str(one.event_id) for one in town.replied}
    seen = set[Any]().union(*map(values_of, town.told())) - own_replies
    known = stated(town.stated)

    assert seen & known == set()
    assert seen & computed_from(known | own_replies, {event_of(one)["programme"] for one in town.told()}) == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reply_of_one_programme_shows_another_nothing(seed: int) -> None:
    town = history(seed).town

    for topic, said in history(seed).of_programmes():
        foreign = [one for one in town.replied if f".{one.programme}." not in topic]
        values = {str(value) for one in foreign for value in scalars("", raw_of(one))}
        assert {str(value) for value in set[Any]().union(*map(values_of, said))} & values == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_two_anonymous_handovers_share_nothing_and_neither_does_a_named_one(seed: int) -> None:
    for _, said in history(seed).of_programmes():
        by_key: dict[bytes, list[Said]] = {}
        for one in said:
            by_key.setdefault(one[2].key or b"", []).append(one)
        seen = {key: set[Any]().union(*map(values_of, some)) for key, some in by_key.items()}
        assert [seen[one] & seen[other] for one, other in combinations(seen, 2) if seen[one] & seen[other]] == []
        for some in by_key.values():
            events = [event_of(one) for one in some]
            if events[0]["identity"] == "anonymous":
                assert len({one["subject"] for one in events}) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_handovers_records_have_one_key_and_lie_where_any_producer_would_put_them_in_order(seed: int) -> None:
    for _, said in history(seed).of_programmes():
        places: dict[str, set[tuple[bytes, int]]] = {}
        at: dict[bytes, list[int]] = {}
        for one in said:
            event, key = event_of(one), one[2].key or b""
            places.setdefault(event["subject"], set()).add((key, one[1]))
            at.setdefault(key, []).append(one[2].timestamp_ms)
            assert (one[1], key) == (partition_of(key, PARTITIONS), event["youth_id"].encode())
        assert {len(some) for some in places.values()} == {1}
        assert all(times == sorted(times) for times in at.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cause_is_named_where_it_is_the_programmes_own_reply_alone(seed: int) -> None:
    town = history(seed).town
    replies = {str(one.event_id) for one in town.replied}
    told = [event_of(one) for one in town.told()]

    assert {one["type"] for one in told if one["causation_id"] in replies} <= {"reply_accepted", "reply_refused"}
    assert {one["causation_id"] for one in told} - replies == {None}
    assert {one["causation_id"] for one in told} - {None} == replies


def test_a_deadline_is_shown_earlier_than_it_is_by_thirty_to_ninety_seconds() -> None:
    town = an_offered_town()

    [offer] = [event_of(one) for one in town.told()]
    [handover] = town.pathway(YOUTH).handovers
    assert 30_000 < handover.reply_by - offer["reply_by"] <= 90_000
    assert 30_000 < handover.offered_at - offer["occurred_at"] <= 90_000
