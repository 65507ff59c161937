"""The wire formats: every model there and back, byte for byte as fastavro; hostile bytes are refused."""

from __future__ import annotations

import io
import json
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from schemas import codec as codec_module
from schemas.avro import avro_schema
from schemas.codec import CONFLUENT, SINGLE_OBJECT, Codec, codec, raw_of, schema_fingerprint
from schemas.codes import ConsentDecision
from schemas.compiled import compiled_reader, compiled_writer, long_bytes, read_long
from schemas.events import Discharge, Person, ReasonCode
from schemas.gate import published_models
from schemas.published import published_schemas
from schemas.refusals import RefusedError

MODELS = published_models()
NAMES = [model.__name__ for model in MODELS]


# Strategies, made from the models.


def moments() -> st.SearchStrategy[datetime]:
    """Draws times in UTC; the models cut them to milliseconds."""
    return st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def values_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Returns values that a field of a type takes."""
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *more = get_args(annotation)
        return values_of(kind, (*more, *metadata))
    if origin in (Union, types.UnionType):
        return st.one_of(*(values_of(one, metadata) for one in get_args(annotation)))
    if origin is tuple:
        return st.lists(values_of(get_args(annotation)[0]), max_size=4).map(tuple)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models_of(annotation)
    return plain_values_of(annotation, metadata)


def plain_values_of(annotation: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Returns values of a type that holds no other."""
    if annotation is type(None):
        return st.none()
    if annotation is str:
        return texts_of(metadata)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return st.sampled_from(list(annotation))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(0, 100_000) if metadata else st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        UUID: st.uuids(),
        datetime: moments(),
        date: st.dates(date(1850, 1, 1), date(2199, 12, 31)),
    }
    return plain[annotation]


def texts_of(metadata: tuple[Any, ...]) -> st.SearchStrategy[str]:
    """Returns texts under a field's pattern and lengths."""
    rules = [rule for one in metadata for rule in getattr(one, "metadata", [one])]
    patterns = [rule.pattern for rule in rules if getattr(rule, "pattern", None)]
    longest = min((rule.max_length for rule in rules if hasattr(rule, "max_length")), default=300)
    shortest = max((rule.min_length for rule in rules if hasattr(rule, "min_length")), default=0)
    if not patterns:
        return st.text(min_size=shortest, max_size=longest)
    ending = patterns[0].removesuffix("$") + r"\Z"
    return st.from_regex(ending).filter(lambda text: shortest <= len(text) <= longest)


@cache
def models_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Returns records of a model, validated by it."""
    fields = {name: values_of(info.annotation, tuple(info.metadata)) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).filter(is_specific).map(model.model_validate)


def is_specific(fields: dict[str, Any]) -> bool:
    """Tells whether fields keep the one rule over several of them: a consent that is given names whom or what for."""
    given = fields.get("decision") == ConsentDecision.GIVEN
    return not given or fields["receiver"] is not None or fields["purpose"] is not None


def records() -> st.SearchStrategy[BaseModel]:
    """Draws a record of any model of the catalogue."""
    return st.sampled_from(MODELS).flatmap(models_of)


def plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Returns a model's schema without logical types, for fastavro to give and take numbers and text."""
    return codec_module._without_logical_types(avro_schema(model))


def by_fastavro(model: type[BaseModel], record: dict[str, Any]) -> bytes:
    """Returns the body that fastavro writes."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(plain_schema(model)), record)
    return body.getvalue()


def read_by_fastavro(model: type[BaseModel], body: bytes) -> Any:
    """Returns what fastavro reads from a body."""
    schema = fastavro.parse_schema(plain_schema(model))
    return fastavro.schemaless_reader(
        io.BytesIO(body), schema, None, return_record_name=True, return_record_name_override=True
    )


def refused_or_read(decode: Callable[[bytes], Any], value: bytes) -> str | None:
    """Returns the code of a refusal, None where the value was read; any other error passes."""
    try:
        decode(value)
    except RefusedError as error:
        refusal = error.refusal
    else:
        return None
    assert all(refusal.as_dict().values())
    return refusal.code


# There and back.


@pytest.mark.parametrize("name", NAMES)
def test_decode_of_encode_is_identity(name: str) -> None:
    model = MODELS[NAMES.index(name)]

    @settings(max_examples=25, deadline=None)
    @given(models_of(model))
    def holds(record: BaseModel) -> None:
        assert codec(model).decode_raw(codec(model).encode(record)) == raw_of(record)

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_writer_and_reader_agree_with_fastavro_byte_for_byte_and_value_for_value(name: str) -> None:
    model = MODELS[NAMES.index(name)]
    write, read = compiled_writer(plain_schema(model), b""), compiled_reader(plain_schema(model))

    @settings(max_examples=25, deadline=None)
    @given(models_of(model))
    def holds(record: BaseModel) -> None:
        raw = raw_of(record)
        body = by_fastavro(model, raw)
        assert write(raw) == body
        assert read(body, 0) == (read_by_fastavro(model, body), len(body))

    holds()


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_is_written_as_fastavro_writes_it_and_read_back(number: int) -> None:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, "long", number)

    assert long_bytes(number) == body.getvalue()
    assert read_long(body.getvalue(), 0) == (number, len(body.getvalue()))


@given(st.lists(st.sampled_from(["unknown", "a", "b"]), max_size=200), st.integers(1, 9))
def test_an_array_that_another_writer_sends_in_blocks_is_read_the_same(symbols: list[str], size: int) -> None:
    items = {"type": "enum", "name": "brobygger.Letters", "symbols": ["unknown", "a", "b"], "default": "unknown"}
    fields = [{"name": "letters", "type": {"type": "array", "items": items}}]
    read = compiled_reader({"type": "record", "name": "brobygger.Word", "fields": fields})
    body = b""
    for start in range(0, len(symbols), size):
        block = b"".join(long_bytes(items["symbols"].index(one)) for one in symbols[start : start + size])
        counted = min(size, len(symbols) - start)
        body += long_bytes(-counted) + long_bytes(len(block)) + block if start % 2 else long_bytes(counted) + block

    assert read(body + b"\0", 0) == ({"letters": symbols}, len(body) + 1)


# Hostile bytes.


@settings(max_examples=30, deadline=None)
@given(records())
def test_a_record_cut_short_anywhere_is_refused(record: BaseModel) -> None:
    reader = codec(type(record))
    whole = reader.encode(record)

    assert None not in {refused_or_read(reader.decode_raw, whole[:length]) for length in range(len(whole))}


@settings(max_examples=120, deadline=None)
@given(records(), st.data())
def test_flipped_bytes_are_read_or_refused_and_nothing_else(record: BaseModel, data: st.DataObject) -> None:
    reader = codec(type(record))
    value = bytearray(reader.encode(record))
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))

    refused_or_read(reader.decode_raw, bytes(value))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MODELS), st.binary(max_size=300))
def test_any_bytes_after_the_right_prefix_are_read_or_refused(model: type[BaseModel], body: bytes) -> None:
    reader = codec(model)

    refused_or_read(reader.decode_raw, reader.prefix + body)
    assert refused_or_read(reader.decode_raw, body) is not None


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
    endless = {"source_sequence": 2**70}
    value = codec(Person).encode_raw(raw_of(an_old_person()) | endless)

    assert refused_or_read(codec(Person).decode_raw, value) == "avro_body"


# Versions and registries.


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


def an_old_person() -> Person:
    """Builds a person known by birth date alone."""
    now = datetime(2026, 2, 2, tzinfo=UTC)
    return Person(
        event_id=UUID(int=1),
        source="s",
        correlation_id=UUID(int=2),
        occurred_at=now,
        sent_at=now,
        recorded_at=now,
        statement_id="person",
        birth_date=date(2010, 5, 1),
    )


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


# Fingerprints: Avro 1.12, "Schema fingerprints"; the vectors are those of the specification's own test suite.


@pytest.mark.parametrize(
    ("schema", "fingerprint"),
    [
        ('"int"', "7275d51a3f395c8f"),
        ('"null"', "63dd24e7cc258f8a"),
        ('"boolean"', "9f42fc78a4d4f764"),
        ('"long"', "d054e14493f41db7"),
        ('"string"', "8f014872634503c7"),
    ],
)
def test_a_fingerprint_is_the_specifications_crc_64_avro(schema: str, fingerprint: str) -> None:
    written = schema_fingerprint(json.loads(schema))

    assert written[::-1].hex() == fingerprint
    assert written == crc_64_avro(schema.encode()).to_bytes(8, "little")


def crc_64_avro(data: bytes) -> int:
    """Returns the Rabin fingerprint as the specification's pseudo-code computes it."""
    empty = 0xC15D213AA4D7A795
    fingerprint = empty
    for byte in data:
        fingerprint ^= byte
        for _ in range(8):
            fingerprint = (fingerprint >> 1) ^ (empty & -(fingerprint & 1))
    return fingerprint


def test_the_fingerprint_of_nothing_is_the_specifications_empty_one() -> None:
    assert crc_64_avro(b"") == 0xC15D213AA4D7A795


def test_a_record_begins_with_c3_01_and_its_schemas_fingerprint_little_endian() -> None:
    canonical = fastavro.schema.to_parsing_canonical_form(avro_schema(Person))

    assert codec(Person).prefix == b"\xc3\x01" + crc_64_avro(canonical.encode()).to_bytes(8, "little")
