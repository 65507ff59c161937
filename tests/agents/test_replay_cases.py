"""Cases 2 and 40 (docs/specification/cases.md): any batching of many young people gives the same bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import chain
from typing import Any

import pytest

from connectors.vault.sealing import unseal_record
from schemas.codec import codec, raw_of
from schemas.events import EventHeader, Intervention, Reply
from schemas.identifiers import derived_text
from schemas.instants import milliseconds_of
from schemas.internal import CalendarSet, Intake, Tick
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.agents.dead_letters import SEALED_FOR
from streams.engine.limits import TransactionLimits
from streams.engine.processor import StoredRecord
from streams.partitioning import partition_of
from tests.agents.intake import SEALING_KEY, Fold, a_log, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import EMERGENCY, UNKNOWN_UNIT, a_course, a_person, a_referral, a_step, an_id, header
from tests.domain.test_laws import EARLIER, START, facts

PARTITIONS = 4
PROGRAMMES = (*["ungevaerftet"] * 16, "headspace", "unik-recovery-young", "alliancen-plan")
REPLIES = ("accepted", "accepted", "declined", "waitlisted", "first_contact", "no_show", "fulfilled", "ended")
ROOTS = (*["slhj"] * 30, "slhj-b", "slhj-e", "re-slhj", "opus-end", "stime-end", "referral")
Entry = tuple[datetime, EventHeader]


def of_the_cases() -> list[EventHeader]:
    """Returns every kind of fact of the cases, conflicts and what is out of scope among them."""
    return [
        *facts(),
        a_person("far", municipality="0360"),
        a_person("grown", birth_date="2008-05-01"),
        a_step("stin-u", EARLIER, "admitted", episode_id="episode-u", unit=UNKNOWN_UNIT),
        a_step("slhj-u", START, "discharged_home", episode_id="episode-u", unit=UNKNOWN_UNIT),
        a_step("staa", EARLIER, "admitted", episode_id="episode-e", unit=EMERGENCY, stay_class="emergency"),
        a_step("slhj-e", START, "discharged_home", episode_id="episode-e", unit=EMERGENCY, stay_class="emergency"),
        a_step("planned", EARLIER, "discharge_planned", planned_at=START + timedelta(days=5)),
        a_step("slhj", START + timedelta(minutes=7), "discharged_home"),
        a_step("an-slhj-itself", START + timedelta(minutes=7), "discharged_home", cancels=an_id("slhj")),
        a_course("unknown", EARLIER, "opus-young", "UNKNOWN"),
        a_referral("bridging", START, decision=None, bridging=True, programme=None),
    ]


class Chance:
    """Draws mixtures of the cases' facts, answers and decisions, each about a young person of its own."""

    def __init__(self, seed: int) -> None:
        """Prepares the raw form of every fact once."""
        self._dice = random.Random(seed)
        self._facts = [(type(event).__name__, raw_of(event)) for event in of_the_cases()]
        first = {raw["event_id"]: (name, raw) for name, raw in reversed(self._facts)}
        self._spine = [first[str(an_id(name))] for name in ("person", "consent", "stin", "slhj")]

    def mixture(self, number: int) -> Iterator[StoredRecord]:
        """Yields the records of one mixture, offsets left open."""
        youth = f"{self._dice.getrandbits(128):032x}"
        spine, more = self._dice.choice(((True, 0), (True, 4), (True, 9), (False, 9)))
        for name, raw in self._spine if spine else ():
            yield self._record(youth, name, self._own(youth, raw), timedelta(minutes=20))
        for name, raw in self._dice.choices(self._facts, k=self._dice.randrange(more + 1)):
            yield self._record(youth, name, self._own(youth, raw), timedelta(days=3))
        for index in range(self._dice.randrange(5)):
            name, raw = self._answer(youth, f"{number}-{index}")
            yield self._record(youth, name, raw, timedelta(days=self._dice.choice((1, 3, 12))))

    def _own(self, youth: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Returns a fact about this young person: ids of its own, chains kept."""
        ids = {
            field: None if raw[field] is None else derived_text("test", youth, raw[field])
            for field in ("event_id", "revises", "cancels")
        }
        return raw | ids | {"youth_id": youth}

    def _answer(self, youth: str, name: str) -> tuple[str, dict[str, Any]]:
        """Returns a reply to a handover that may have been offered, or a decision about a need that may be there."""
        root = derived_text("test", youth, str(an_id(self._dice.choice(ROOTS))))
        need = derived_text("need", root, self._dice.choice((*["aftercare"] * 9, "plan")))
        base = header(f"answer-{name}", START) | {"youth_id": youth}
        if self._dice.random() < 0.15:
            action = self._dice.choice(("closed", "reopened", "assigned", "offered"))
            fields = base | {"subject": need, "action": action, "actor": "municipality-0217", "role": "owner"}
            return "Intervention", raw_of(Intervention.model_validate(fields | {"programme": "headspace"}))
        programme = self._dice.choice(PROGRAMMES)
        handover = derived_text("handover", need, programme, str(self._dice.choice((*[1] * 9, 2))))
        status = self._dice.choice(REPLIES)
        fields = base | {"subject": handover, "programme": programme, "status": status, "source": programme}
        return "Reply", raw_of(Reply.model_validate(fields | {"waitlisted_until": "2026-02-20"}))

    def _record(self, youth: str, name: str, raw: dict[str, Any], within: timedelta) -> StoredRecord:
        body = (f"brobygger.{name}", raw)
        fields = {"origin_topic": "any", "origin_partition": 0, "origin_offset": 0, "pseudonym": None, "body": body}
        when = milliseconds_of(START) + self._dice.randrange(int(within.total_seconds()) * 1000)
        return StoredRecord(0, when, youth.encode(), codec(Intake).encode_raw(fields))


def steering() -> list[StoredRecord]:
    """Returns what steers the fold: two catalogue versions, the calendar, and ticks for twenty-five days."""
    later = START + timedelta(days=2)
    units = {UNKNOWN_UNIT: "child_psychiatry"}
    calendar = header("calendar", START) | {"youth_id": None, "calendar_at": START + timedelta(minutes=5)}
    entries: list[Entry] = [
        (START, a_version(a_catalogue(), START)),
        (START, CalendarSet.model_validate(calendar)),
        (later, a_version(a_catalogue(2, without=("alliancen-plan",), units=units), later)),
    ]
    for days in range(1, 26):
        when = START + timedelta(days=days)
        entries.append((when, Tick.model_validate(header(f"tick-{days}", when) | {"youth_id": None})))
    return a_log(entries)


@cache
def logs_of(mixtures: int, seed: int) -> list[list[StoredRecord]]:
    """Returns the intake log of each partition: everybody's records interleaved in order of time."""
    chance = Chance(seed)
    logs: list[list[StoredRecord]] = [steering() for _ in range(PARTITIONS)]
    for record in chain.from_iterable(chance.mixture(number) for number in range(mixtures)):
        logs[partition_of(record.key or b"", PARTITIONS)].append(record)
    return [
        [record._replace(offset=offset) for offset, record in enumerate(sorted(log, key=lambda one: one.timestamp))]
        for log in logs
    ]


def digest_of(fold: Fold) -> bytes:
    """Returns the digest of all that a fold wrote, in order, and of its latest states; dead letters are opened."""
    digest = blake2b()
    for topic in sorted(fold.written):
        for one in fold.written[topic]:
            sealed = topic == kafka_name("dead-letters")
            value = unseal_record(SEALING_KEY, one.value, SEALED_FOR) if sealed else one.value
            digest.update(repr((topic, one.key, value, one.timestamp_ms, one.headers)).encode())
    for key, value in fold.store.states():
        digest.update(repr((key, value)).encode())
    return digest.digest()


def folded(log: Sequence[StoredRecord], batch: int, limits: TransactionLimits | None = None) -> Fold:
    """Folds a whole log in batches of a size."""
    return Fold(limits).take(log, batch)


@pytest.mark.long
@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_case_40_random_mixtures_in_batches_of_1_7_and_5000_are_the_same_bytes(partition: int, *, soak: bool) -> None:
    log = logs_of(10_000 if soak else 1_000, seed=40)[partition]
    expected = digest_of(folded(log, 5_000))

    assert digest_of(folded(log, 1)) == expected
    assert digest_of(folded(log, 7)) == expected


@pytest.mark.long
def test_case_40_the_mixtures_reach_what_they_are_meant_to_reach() -> None:
    folds = [folded(log, 5_000) for log in logs_of(1_000, seed=40)]

    statements = {
        (one["type"], one["reason_code"])
        for fold in folds
        for programme in set(PROGRAMMES)
        for one in fold.decoded(f"handovers.{programme}", HandoverEvent)
    }
    assert {statement for statement, _ in statements} >= {"offered", "reminded", "withdrawn", "updated"}
    assert statements >= {("reply_accepted", "accepted"), ("reply_refused", "unknown_handover")}
    reasons = ("moved", "expired", "discharge_cancelled", "readmitted")
    assert statements >= {("withdrawn", reason) for reason in reasons}
    assert all(fold.written[kafka_name("dead-letters")] for fold in folds)


def test_case_40_small_transactions_are_the_same_bytes() -> None:
    log = logs_of(100, seed=41)[0]

    assert digest_of(folded(log, 50, TransactionLimits(changed_keys_max=2))) == digest_of(folded(log, 5_000))


def test_case_02_the_same_log_replayed_is_identical_to_the_byte() -> None:
    log = logs_of(50, seed=2)[1]

    assert digest_of(folded(log, 13)) == digest_of(folded(log, 13))
