"""Stage 1 over hostile records: each becomes one sealed dead letter with its reason, and the next one is merged."""

from __future__ import annotations

import pytest

from connectors.vault.sealing import OriginalRecord
from schemas.codec import SINGLE_OBJECT, codec, raw_of
from schemas.events import EventHeader
from schemas.instants import milliseconds_of
from schemas.topics import kafka_name
from streams.agents.audience import understood_under
from streams.engine.processor import StoredRecord
from tests.agents.intake import PSEUDONYMS
from tests.agents.merges import (
    GOOD,
    HEADERS,
    PREFIX,
    Merge,
    a_record,
    a_reply,
    altered,
    with_status,
)
from tests.domain.story import YOUTH, a_person, at

GOODS: dict[str, EventHeader] = {
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
    raw = raw_of(good)
    alias = None if topic != "replies" else PSEUDONYMS.alias_under(raw["programme"], raw["youth_id"])
    assert merged["pseudonym"] == (None if alias is None else alias.pseudonym)
    assert merged["body"] == (
        f"brobygger.{type(good).__name__}",
        raw if alias is None else understood_under(alias, raw),
    )
    assert len(merge.letters()) == 2
