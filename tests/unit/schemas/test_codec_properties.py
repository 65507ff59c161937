"""Every model there and back, byte for byte as fastavro; hostile bytes are read or refused, and nothing else."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas import codec as codec_module
from schemas.avro import avro_schema
from schemas.codec import codec, raw_of
from schemas.codes import NeedKind
from schemas.compiled import ValueReader, ValueWriter, compiled_reader, compiled_writer, long_bytes, read_long
from schemas.internal import Intake
from tests.unit.schemas.records import MODELS, NAMES, models_of, records, refused_or_read


def a_quarter() -> int:
    """Returns a quarter of the examples of this run, for a property that is tried for each model."""
    return settings().max_examples // 4


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


@cache
def compiled_both_ways(model: type[BaseModel]) -> tuple[ValueWriter, ValueReader]:
    """Returns a model's compiled writer and reader of bodies."""
    return compiled_writer(plain_schema(model), b""), compiled_reader(plain_schema(model))


# There and back.


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
@settings(max_examples=a_quarter())
@given(data=st.data())
def test_decode_of_encode_is_identity(model: type[BaseModel], data: st.DataObject) -> None:
    record = data.draw(models_of(model))

    assert codec(model).decode_raw(codec(model).encode(record)) == raw_of(record)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
@settings(max_examples=a_quarter())
@given(data=st.data())
def test_writer_and_reader_agree_with_fastavro_byte_for_byte_and_value_for_value(
    model: type[BaseModel], data: st.DataObject
) -> None:
    write, read = compiled_both_ways(model)
    raw = raw_of(data.draw(models_of(model)))
    body = by_fastavro(model, raw)

    assert write(raw) == body
    assert read(body, 0) == (read_by_fastavro(model, body), len(body))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_is_written_as_fastavro_writes_it_and_read_back(number: int) -> None:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, "long", number)

    assert long_bytes(number) == body.getvalue()
    assert read_long(body.getvalue(), 0) == (number, len(body.getvalue()))


@given(st.integers(max_value=-(2**63) - 1) | st.integers(2**63))
def test_a_number_of_more_bits_is_not_written(number: int) -> None:
    with pytest.raises(OverflowError):
        long_bytes(number)


def with_numbers(value: Any, data: st.DataObject) -> Any:
    """Returns a raw value whose numbers are any others."""
    match value:
        case bool() | str() | None:
            return value
        case int():
            return data.draw(st.integers(-(2**65), 2**65))
        case dict():
            return {name: with_numbers(one, data) for name, one in value.items()}
        case _:
            return type(value)(with_numbers(one, data) for one in value)


@settings(max_examples=2 * a_quarter())
@given(records(), st.data())
def test_no_number_is_written_that_is_not_read(record: BaseModel, data: st.DataObject) -> None:
    raw, both = with_numbers(raw_of(record), data), codec(type(record))
    try:
        value = both.encode_raw(raw)
    except OverflowError:
        return

    assert both.decode_raw(value) == raw


ANY: dict[type, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**65), 2**65),
    datetime: st.datetimes(timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
    ),
    date: st.dates(),
    tuple: st.lists(st.sampled_from(NeedKind)).map(tuple),
}


@settings(max_examples=2 * a_quarter())
@given(records(), st.data())
def test_whatever_was_copied_into_a_model_nothing_is_written_that_is_refused(
    record: BaseModel, data: st.DataObject
) -> None:
    assume(not isinstance(record, Intake))  # which is read as numbers and text alone
    drawn = {name: data.draw(ANY[type(value)]) for name, value in record if type(value) in ANY}
    copied = record.model_copy(update=dict([data.draw(st.sampled_from(sorted(drawn.items())))]))
    try:
        value = codec(type(record)).encode(copied)
    except ValidationError:
        return

    assert codec(type(record)).encode(codec(type(record)).decode(value)) == value


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


@settings(max_examples=a_quarter())
@given(records())
def test_a_record_cut_short_anywhere_is_refused(record: BaseModel) -> None:
    reader = codec(type(record))
    whole = reader.encode(record)

    assert None not in {refused_or_read(reader.decode_raw, whole[:length]) for length in range(len(whole))}


@given(records(), st.data())
def test_flipped_bytes_are_read_or_refused_and_nothing_else(record: BaseModel, data: st.DataObject) -> None:
    reader = codec(type(record))
    value = bytearray(reader.encode(record))
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))

    refused_or_read(reader.decode_raw, bytes(value))


@given(st.sampled_from(MODELS), st.binary(max_size=300))
def test_any_bytes_after_the_right_prefix_are_read_or_refused(model: type[BaseModel], body: bytes) -> None:
    reader = codec(model)

    refused_or_read(reader.decode_raw, reader.prefix + body)
    assert refused_or_read(reader.decode_raw, body) is not None
