"""Stage 1 over hostile records: each becomes one sealed dead letter with its reason, and the next one is merged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from connectors.vault.sealing import OriginalRecord, unseal_record
from schemas.codec import SINGLE_OBJECT, codec, raw_of
from schemas.events import Envelope, Reply
from schemas.instants import milliseconds_of
from schemas.internal import Intake
from schemas.topics import kafka_name
from streams.agents.dead_letters import SEALED_FOR, DeadLetters, TooManyDeadLettersError
from streams.agents.merge_intake import STAGE, MergeIntake
from streams.engine.offline import OfflineTask
from streams.engine.outputs import Outgoing
from streams.engine.processor import StoredRecord
from streams.engine.store import MemoryStore
from streams.partitioning import partition_of
from tests.agents.intake import PSEUDONYMS, SEALING_KEY
from tests.domain.story import YOUTH, a_person, a_step, an_id, at, envelope

MONDAY = at("2026-02-02 10:00")
PARTITIONS = 4
HEADERS = (("ce_id", b"1"), ("trace", b"\x00\xff"), ("trace", b"again"))
GOOD = a_step("good", MONDAY, "discharged_home")
PREFIX = codec(type(GOOD)).prefix
# The place of the good record's status: its envelope and episode come first, byte for byte as with any other status.
STATUS_AT = next(
    place
    for place, (one, other) in enumerate(
        zip(
            codec(type(GOOD)).encode(GOOD),
            codec(type(GOOD)).encode(GOOD.model_copy(update={"status": "deceased"})),
            strict=True,
        )
    )
    if one != other
)


class Merge:
    """One partition of stage 1, offline: what it wrote, by topic."""

    def __init__(self, count_max: int = 200, window: int = 1000) -> None:
        """Starts with an empty store."""
        letters = DeadLetters(STAGE, SEALING_KEY.public_key(), count_max, window)
        self._task = OfflineTask(MergeIntake(PSEUDONYMS, letters, PARTITIONS), 3, MemoryStore())
        self.written: dict[str, list[tuple[int, Outgoing]]] = {}

    def take(self, topic: str, records: Iterable[StoredRecord]) -> Merge:
        """Merges records of a topic."""
        for changes in self._task.fold(kafka_name(topic), list(records)):
            for (name, partition), messages in changes.outputs.items():
                self.written.setdefault(name, []).extend((partition, one) for one in messages)
        return self

    def merged(self) -> list[dict[str, Any]]:
        """Returns the raw records written to the intake log."""
        return [codec(Intake).decode_raw(one.value or b"") for _, one in self.written.get(kafka_name("intake"), [])]

    def letters(self) -> list[tuple[OriginalRecord, dict[str, str]]]:
        """Returns each dead letter as it was, and its reasons by the last part of their headers' names."""
        return [
            (
                unseal_record(SEALING_KEY, one.value or b"", SEALED_FOR),
                {name.removeprefix("__connect.errors."): text.decode() for name, text in one.headers},
            )
            for _, one in self.written.get(kafka_name("dead-letters"), [])
        ]


def a_record(event: Envelope = GOOD, **changes: Any) -> StoredRecord:
    """Builds a record as the gateway would have written it, but for what is changed."""
    key = None if event.youth_id is None else event.youth_id.encode()
    whole = StoredRecord(7, milliseconds_of(MONDAY), key, codec(type(event)).encode(event), HEADERS)
    return whole._replace(**changes)


def with_status(byte: bytes) -> bytes:
    """Returns the good record's bytes with another index of its status."""
    whole = codec(type(GOOD)).encode(GOOD)
    return whole[:STATUS_AT] + byte + whole[STATUS_AT + 1 :]


def altered(event: Envelope, **changes: Any) -> bytes:
    """Returns an event's bytes with raw fields that no model would let through."""
    return codec(type(event)).encode_raw(raw_of(event) | changes)


def a_reply(programme: str, pseudonym: str) -> Reply:
    """Builds a reply of a programme under a pseudonym."""
    base = envelope("reply", MONDAY, youth_id=pseudonym, statement_id=str(an_id("handover")), source=programme)
    return Reply.model_validate(base | {"programme": programme, "status": "accepted"})


GOODS: dict[str, Envelope] = {
    "discharges": GOOD,
    "persons": a_person(),
    "replies": a_reply("headspace", PSEUDONYMS.pseudonym_of("headspace", YOUTH)),
}
LONG_BEFORE = milliseconds_of(at("1899-12-31 12:00"))
HOSTILE: dict[str, tuple[str, StoredRecord, str, str]] = {
    "empty value": ("discharges", a_record(value=b""), "empty_value", "value"),
    "null value": ("discharges", a_record(value=None), "null_value", "value"),
    "text": ("discharges", a_record(value=b'{"status": "discharged_home"}'), "unknown_framing", "value[0:2]"),
    "trailing bytes": ("discharges", a_record(value=codec(type(GOOD)).encode(GOOD) + b"\0"), "avro_body", "value"),
    "a record twice in one value": (
        "discharges",
        a_record(value=codec(type(GOOD)).encode(GOOD) * 2),
        "avro_body",
        "value",
    ),
    "unknown fingerprint": (
        "discharges",
        a_record(value=SINGLE_OBJECT + bytes(8) + b"body"),
        "unknown_fingerprint",
        "value[2:10]",
    ),
    "another topic's event": ("discharges", a_record(a_person()), "unknown_fingerprint", "value[2:10]"),
    "Confluent framing without a registry": (
        "discharges",
        a_record(value=b"\0\0\0\0\1" + codec(type(GOOD)).encode(GOOD)[10:]),
        "unknown_framing",
        "value[0:2]",
    ),
    "invalid UTF-8 in a string": (
        "discharges",
        a_record(value=codec(type(GOOD)).encode(GOOD).replace(b"sor:9", b"sor:\xff")),
        "avro_body",
        "value",
    ),
    "latin-1": (
        "discharges",
        a_record(value=codec(type(GOOD)).encode(GOOD).replace(b"sor:9", "sør:9".encode("latin-1"))),
        "avro_body",
        "value",
    ),
    "another's key": ("discharges", a_record(key=b"0" * 32), "wrong_key", "key"),
    "no key": ("discharges", a_record(key=None), "wrong_key", "key"),
    "empty key": ("discharges", a_record(key=b""), "wrong_key", "key"),
    "non-ASCII key": ("discharges", a_record(key="ø".encode() * 16), "wrong_key", "key"),
    "no young person": ("discharges", a_record(GOOD.model_copy(update={"youth_id": None})), "wrong_key", "key"),
    "a youth id that the vault never gives": (
        "discharges",
        a_record(GOOD.model_copy(update={"youth_id": "0105109996"})),
        "unknown_youth_id",
        "youth_id",
    ),
    "a time of long ago": (
        "discharges",
        a_record(value=altered(GOOD, occurred_at=LONG_BEFORE)),
        "impossible_time",
        "occurred_at",
    ),
    "a time beyond every calendar": (
        "discharges",
        a_record(value=altered(GOOD, planned_at=2**62)),
        "impossible_time",
        "planned_at",
    ),
    "a birth date of long ago": (
        "persons",
        a_record(value=altered(a_person(), birth_date=-43_830)),
        "impossible_date",
        "birth_date",
    ),
    "a birth date beyond every calendar": (
        "persons",
        a_record(value=altered(a_person(), birth_date=2**31 - 1)),
        "impossible_date",
        "birth_date",
    ),
    "an unknown pseudonym": (
        "replies",
        a_record(a_reply("headspace", "k001" + "A" * 43)),
        "unknown_pseudonym",
        "youth_id",
    ),
    "another programme's pseudonym": (
        "replies",
        a_record(a_reply("headspace", PSEUDONYMS.pseudonym_of("ungevaerftet", YOUTH))),
        "unknown_pseudonym",
        "youth_id",
    ),
    "a youth id for a pseudonym": ("replies", a_record(a_reply("headspace", YOUTH)), "unknown_pseudonym", "youth_id"),
    "a code past the list's end": ("discharges", a_record(value=with_status(b"\x0e")), "avro_body", "value"),
    "a negative code": ("discharges", a_record(value=with_status(b"\x01")), "avro_body", "value"),
    "500 KB of nothing": ("discharges", a_record(value=bytes(500_000)), "unknown_framing", "value[0:2]"),
    "500 KB that say they are a record": ("discharges", a_record(value=PREFIX + bytes(500_000)), "avro_body", "value"),
    "500 KB after a whole record": (
        "discharges",
        a_record(value=codec(type(GOOD)).encode(GOOD) + bytes(500_000)),
        "avro_body",
        "value",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cant_be_taken_is_one_dead_letter_as_it_was_with_field_rule_and_help(what: str) -> None:
    topic, record, code, field = HOSTILE[what]
    merge = Merge().take(topic, [record])

    [(original, reasons)] = merge.letters()
    assert original == OriginalRecord(record.key, record.value, HEADERS)
    assert reasons.pop("exception.message").startswith(f"{field}: ")
    assert reasons == {
        "topic": kafka_name(topic),
        "partition": "3",
        "offset": "7",
        "connector.name": "brobygger",
        "stage": "merge_intake",
        "class.name": code,
        "exception.class.name": code,
    }
    assert merge.merged() == []


@pytest.mark.parametrize("what", HOSTILE)
def test_the_reason_names_field_rule_and_help_and_repeats_nothing_of_the_record(what: str) -> None:
    topic, record, _, field = HOSTILE[what]
    [(_, reasons)] = Merge().take(topic, [record]).letters()

    rule, _, help_text = reasons["exception.message"].removeprefix(f"{field}: ").partition("; ")
    assert rule
    assert help_text
    assert YOUTH not in "".join(reasons.values())


@pytest.mark.parametrize("what", HOSTILE)
def test_the_next_good_record_is_merged(what: str) -> None:
    topic, record, _, _ = HOSTILE[what]
    good = GOODS[topic]
    merge = Merge().take(topic, [record, a_record(good), record])

    [merged] = merge.merged()
    assert merged["body"] == (f"brobygger.{type(good).__name__}", raw_of(good) | {"youth_id": YOUTH})
    assert len(merge.letters()) == 2


def test_a_record_cut_short_at_any_byte_is_one_dead_letter() -> None:
    whole = codec(type(GOOD)).encode(GOOD)
    records = [a_record(value=whole[:length]) for length in range(len(whole))]
    merge = Merge(count_max=len(whole)).take("discharges", [*records, a_record()])

    assert [original.value for original, _ in merge.letters()] == [record.value for record in records]
    assert len(merge.merged()) == 1


def test_a_merged_record_says_where_it_came_from_and_lies_in_its_young_persons_partition() -> None:
    merge = Merge().take("discharges", [a_record()])

    [merged] = merge.merged()
    [(partition, written)] = merge.written[kafka_name("intake")]
    assert (merged["origin_topic"], merged["origin_partition"], merged["origin_offset"]) == (
        kafka_name("discharges"),
        3,
        7,
    )
    assert (partition, written.key) == (partition_of(YOUTH.encode(), PARTITIONS), YOUTH.encode())


def test_free_capacity_is_keyed_by_its_programme_and_told_about_nobody() -> None:
    fields = envelope("capacity", MONDAY) | {"youth_id": None, "source": "headspace", "programme": "headspace"}
    reply = Reply.model_validate(fields | {"status": "free_capacity", "free_places": 3})
    merge = Merge().take("replies", [a_record(reply, key=b"headspace"), a_record(reply, key=b"ungevaerftet")])

    assert len(merge.merged()) == 1
    assert [reasons["class.name"] for _, reasons in merge.letters()] == ["wrong_key"]


def test_dead_letters_up_to_the_limit_are_written_and_one_more_stops_the_worker() -> None:
    broken = [a_record(value=b"")] * 5

    assert len(Merge(count_max=5).take("discharges", broken).letters()) == 5
    with pytest.raises(TooManyDeadLettersError, match="merge_intake partition 3: more than 5 of 1000"):
        Merge(count_max=5).take("discharges", [*broken, a_record(value=b"")])


def test_dead_letters_far_apart_never_reach_the_limit() -> None:
    month = [a_record(value=b""), *[a_record()] * 9] * 40
    merge = Merge(count_max=5, window=40).take("discharges", month)

    assert len(merge.letters()) == 40


def test_a_release_that_reads_nothing_is_stopped_before_its_offset_passes_the_records() -> None:
    merge = Merge(count_max=5)
    with pytest.raises(TooManyDeadLettersError):
        merge.take("discharges", [a_record(value=b"")] * 100)

    assert merge.written == {}
    assert merge._task.state.offsets == {}


def test_the_earliest_and_latest_dates_are_taken() -> None:
    old = a_person("old", birth_date=date(1850, 1, 1))
    planned = a_step("late", MONDAY, "discharge_planned", planned_at=at("2199-12-31 12:00"))
    merge = Merge().take("persons", [a_record(old)]).take("discharges", [a_record(planned)])

    assert len(merge.merged()) == 2


@pytest.mark.parametrize(
    ("field", "value"), [("event_id", "no-uuid"), ("cancels", "no-uuid"), ("source", ""), ("unit", "u" * 200_000)]
)
def test_a_record_that_breaks_a_rule_of_its_model_is_a_dead_letter(field: str, value: str) -> None:
    merge = Merge().take("discharges", [a_record(value=altered(GOOD, **{field: value}))])

    assert len(merge.letters()) == 1
    assert merge.merged() == []
