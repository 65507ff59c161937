"""What a reader takes: framings, older versions, a registry's schemas; what it does not know is refused by its rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from schemas import codec as codec_module
from schemas.avro import avro_schema
from schemas.codec import CONFLUENT, SINGLE_OBJECT, Codec, codec, raw_of, schema_fingerprint
from schemas.compiled import long_bytes
from schemas.events import Discharge, EventHeader, Person, ReasonCode
from schemas.instants import moment_of
from schemas.outputs import PathwayView, StayView
from schemas.published import published_schemas
from schemas.refusals import RefusedError
from tests.unit.schemas.records import MODELS, an_old_person, refused_or_read


def a_view(stay: StayView) -> PathwayView:
    """Builds the view of a person with one stay."""
    envelope = {name: value for name, value in an_old_person() if name in EventHeader.model_fields}
    return PathwayView.model_validate(envelope | {"stays": (stay,)})


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", "empty_value"),
        (b"\xc3", "unknown_framing"),
        (b"{}", "unknown_framing"),
        (SINGLE_OBJECT, "unknown_fingerprint"),
        (SINGLE_OBJECT + bytes(8), "unknown_fingerprint"),
        (CONFLUENT + bytes(9), "unknown_framing"),
    ],
)
def test_a_framing_that_is_not_known_is_refused_by_its_rule(value: bytes, code: str) -> None:
    assert refused_or_read(codec(Person).decode_raw, value) == code


def test_a_number_longer_than_a_long_is_refused() -> None:
    raw, long = raw_of(an_old_person()), long_bytes(2**63 - 1)
    value = codec(Person).encode_raw(raw | {"source_sequence": 2**63 - 1})

    assert refused_or_read(codec(Person).decode_raw, value.replace(long, long[:-1] + b"\x7f")) == "avro_body"


@pytest.mark.parametrize("milliseconds", [-1, 1, 19_999_999_999, 20_000_000_000, 1_770_000_000_000])
def test_a_time_within_a_record_is_read_as_it_was_written_whatever_its_size(milliseconds: int) -> None:
    view = a_view(StayView(started_at=moment_of(milliseconds), ended_at=None, state="going_on"))

    assert codec(PathwayView).decode(codec(PathwayView).encode(view)) == view


def test_a_time_within_a_record_that_there_is_not_is_refused_by_its_path() -> None:
    raw = raw_of(a_view(StayView(started_at=None, ended_at=None, state="going_on")))
    raw["stays"][0]["started_at"] = 2**60

    with pytest.raises(RefusedError) as refused:
        codec(PathwayView).decode(codec(PathwayView).encode_raw(raw))

    assert (refused.value.refusal.code, refused.value.refusal.field) == ("impossible_time", "stays.started_at")


# Older versions.


class Thing(BaseModel):
    """What a small model was, before it was evolved."""

    name: str
    colour: ReasonCode


NewThing = create_model(
    "Thing",
    name=(str, ...),
    colour=(ReasonCode, ...),
    size=(int | None, None),
    tags=(tuple[str, ...], ()),
    fragile=(bool, False),
)


@pytest.fixture
def evolved(monkeypatch: pytest.MonkeyPatch) -> Codec:
    """Returns the codec of a model whose first version is published."""
    monkeypatch.setattr(codec_module, "published_schemas", lambda _: (avro_schema(Thing),))
    return Codec(NewThing)


def test_a_record_of_an_older_published_version_is_read_with_defaults(evolved: Codec) -> None:
    old = Codec(Thing).encode(Thing(name="lamp", colour="red"))

    assert evolved.decode_raw(old) == {"name": "lamp", "colour": "red", "size": None, "tags": [], "fragile": False}


def test_a_record_of_the_version_now_is_read_as_it_is(evolved: Codec) -> None:
    new = evolved.encode_raw({"name": "lamp", "colour": "red", "size": 3, "tags": ["a"], "fragile": True})

    assert evolved.decode_raw(new)["size"] == 3
    assert new[:10] != Codec(Thing).prefix


@given(st.binary(max_size=60))
def test_hostile_bytes_under_an_older_version_are_refused_or_read(body: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(codec_module, "published_schemas", lambda _: (avro_schema(Thing),))
        reader = Codec(NewThing)
    refused_or_read(reader.decode_raw, Codec(Thing).prefix + body)


def test_an_older_record_cut_short_or_too_long_is_refused(evolved: Codec) -> None:
    old = Codec(Thing).encode(Thing(name="lamp", colour="red"))

    values = [old[:length] for length in range(len(old))] + [old + b"\0"]
    assert None not in {refused_or_read(evolved.decode_raw, value) for value in values}


def test_every_published_version_is_read_by_the_model_now() -> None:
    for model in MODELS:
        for version in published_schemas(model.__name__):
            assert SINGLE_OBJECT + schema_fingerprint(version) in {codec(model).prefix, *codec(model)._older}


# A registry's framing.


def test_confluent_framing_is_read_by_the_registrys_schema() -> None:
    asked: list[int] = []

    def schema_by_id(number: int) -> dict[str, Any]:
        asked.append(number)
        return avro_schema(Person)

    reader = Codec(Person, schema_by_id)
    body = reader.encode(an_old_person())[10:]

    assert reader.decode_raw(CONFLUENT + (70_001).to_bytes(4) + body) == raw_of(an_old_person())
    assert asked == [70_001]


def test_confluent_framing_cut_short_or_too_long_is_refused() -> None:
    reader = Codec(Person, lambda _: avro_schema(Person))
    value = CONFLUENT + bytes(4) + reader.encode(an_old_person())[10:]

    values = [value[:length] for length in range(len(value))] + [value + b"\0"]
    assert None not in {refused_or_read(reader.decode_raw, one) for one in values}


def test_confluent_framing_with_the_schema_of_another_event_is_refused() -> None:
    reader = Codec(Discharge, lambda _: avro_schema(Person))
    value = CONFLUENT + bytes(4) + codec(Person).encode(an_old_person())[10:]

    assert refused_or_read(reader.decode_raw, value) == "avro_body"
