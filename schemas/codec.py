"""The wire formats: Avro single-object encoding, and Confluent framing where a schema registry is used.

Single-object encoding is ``C3 01``, the CRC-64-AVRO fingerprint of the writer's schema (8 bytes, little
endian), then the Avro body (Avro 1.12, "Single-object encoding"). Confluent framing is ``00``, the schema's
id (4 bytes, big endian), then the body. Readers take both.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import fingerprint, to_parsing_canonical_form
from pydantic import BaseModel, ValidationError

from schemas.avro import avro_schema
from schemas.compiled import compiled_reader, compiled_writer
from schemas.instants import date_of, days_of, milliseconds_of, moment_of
from schemas.published import published_schemas
from schemas.refusals import Refusal, RefusedError
from schemas.rules import first_refusal_of, refusal_for

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
_CORRECT = "correct the field and send it again"
_SINGLE_OBJECT_BYTES, _CONFLUENT_BYTES = 10, 5
_BROKEN_BODY = (
    EOFError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    SchemaResolutionError,
)
SchemaById = Callable[[int], dict[str, Any]]


def schema_fingerprint(schema: dict[str, Any]) -> bytes:
    """Returns the 8-byte CRC-64-AVRO fingerprint of a schema's parsing canonical form."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


class Codec:
    """Encodes and decodes the records of one model.

    ``raw`` readers give times as milliseconds, dates as days and ids as text, which is what the fold
    works on; ``decode`` gives a validated model.
    """

    def __init__(self, model: type[BaseModel], schema_by_id: SchemaById | None = None) -> None:
        """Prepares the writer's schema and a reader of every published version of it."""
        schema = avro_schema(model)
        plain = _without_logical_types(schema)
        self.model = model
        self.prefix = SINGLE_OBJECT + schema_fingerprint(schema)
        self._reader_schema = fastavro.parse_schema(plain)
        self._read = compiled_reader(plain)
        self._write = compiled_writer(plain, self.prefix)
        self._schema_by_id = schema_by_id
        self._times = _times_in(schema, "")
        self._older = {
            SINGLE_OBJECT + schema_fingerprint(version): fastavro.parse_schema(_without_logical_types(version))
            for version in published_schemas(model.__name__)
        }

    def encode_raw(self, record: dict[str, Any]) -> bytes:
        """Encodes a record whose times, dates and ids are already numbers and text."""
        return self._write(record)

    def encode(self, record: BaseModel) -> bytes:
        """Encodes a model whose rules are all kept, so that ``decode`` takes what is written.

        Raises ValidationError where a rule is broken: nothing has asked for them since a ``model_copy``.
        """
        return self._write(raw_of(self.model.model_validate(dict(record))))

    def decode_raw(self, value: bytes) -> dict[str, Any]:
        """Decodes a record into numbers and text.

        Raises RefusedError where the value is empty, of an unknown framing or fingerprint, cut short or too long.
        """
        try:
            if value[:_SINGLE_OBJECT_BYTES] == self.prefix:
                record, end = self._read(value, _SINGLE_OBJECT_BYTES)
            else:
                record, end = self._decode_other(value)
        except _BROKEN_BODY as error:
            raise _refused("avro_body", "value", "the body is a whole Avro record of the schema it names") from error
        if end != len(value):
            raise _refused("avro_body", "value", "the record's fields fill the value to its end and no further")
        return record  # type: ignore[no-any-return]

    def decode(self, value: bytes) -> BaseModel:
        """Decodes a record into a validated model; raises RefusedError, naming the first field that breaks a rule."""
        return self.validated(self.decode_raw(value))

    def validated(self, record: dict[str, Any]) -> BaseModel:
        """Returns the model of a raw record, all its rules applied; raises RefusedError as ``decode`` does."""
        timed = self._times(record) if self._times is not None else record
        try:
            return self.model.model_validate(timed)
        except ValidationError as error:
            raise RefusedError(first_refusal_of(error, _CORRECT)) from error

    def _decode_other(self, value: bytes) -> tuple[Any, int]:
        writer = self._older.get(value[:_SINGLE_OBJECT_BYTES]) or self._other_writer(value)
        body = io.BytesIO(value)
        body.seek(_SINGLE_OBJECT_BYTES if value[:2] == SINGLE_OBJECT else _CONFLUENT_BYTES)
        record = fastavro.schemaless_reader(
            body, writer, self._reader_schema, return_record_name=True, return_record_name_override=True
        )
        return record, body.tell()

    def _other_writer(self, value: bytes) -> Any:
        if not value:
            raise _refused("empty_value", "value", "a record has a value")
        if value[:2] == SINGLE_OBJECT:
            raise _refused("unknown_fingerprint", "value[2:10]", "the fingerprint is one of a published schema")
        if value[:1] == CONFLUENT and self._schema_by_id is not None and len(value) > _CONFLUENT_BYTES:
            return fastavro.parse_schema(_without_logical_types(self._schema_by_id(int.from_bytes(value[1:5], "big"))))
        raise _refused(
            "unknown_framing", "value[0:2]", "a value starts with C3 01, or with 00 and a registered schema id"
        )


def _refused(code: str, field: str, rule: str) -> RefusedError:
    return RefusedError(Refusal(code, field, rule, "encode the record with a schema of schemas/avro and send it again"))


@cache
def codec(model: type[BaseModel]) -> Codec:
    """Returns the one codec of a model without a schema registry."""
    return Codec(model)


def raw_of(record: BaseModel) -> dict[str, Any]:
    """Returns a model's fields with times as milliseconds, dates as days and ids as text.

    A field that holds one of several models becomes fastavro's pair of full name and record.
    """
    return {name: _raw(getattr(record, name), name) for name in type(record).model_fields}


def _raw(value: Any, name: str) -> Any:
    if isinstance(value, BaseModel):
        inner = raw_of(value)
        return (f"brobygger.{type(value).__name__}", inner) if name == "body" else inner
    return _RAW.get(type(value), _same)(value)


def _same(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_raw(item, "") for item in value]
    return value


_RAW: dict[type, Callable[[Any], Any]] = {
    datetime: milliseconds_of,
    date: days_of,
    UUID: str,
}


_TIMES: dict[str, tuple[Callable[[int], Any], str]] = {
    "timestamp-millis": (moment_of, "impossible_time"),
    "date": (date_of, "impossible_date"),
}


def _times_in(schema: Any, path: str) -> Callable[[Any], Any] | None:
    """Returns what turns the numbers of a schema's value into times and dates, None where it has none.

    Pydantic takes a number for seconds or milliseconds by its size.
    """
    branch = next((one for one in (schema if isinstance(schema, list) else [schema]) if isinstance(one, dict)), {})
    if branch.get("logicalType") in _TIMES:
        return partial(_time, path, *_TIMES[branch["logicalType"]])
    if branch.get("type") == "array":
        items = _times_in(branch["items"], path)
        return None if items is None else lambda values: [items(one) for one in values]
    fields = [
        (field["name"], read)
        for field in branch.get("fields", ())
        if (read := _times_in(field["type"], f"{path}.{field['name']}".removeprefix("."))) is not None
    ]
    return partial(_with_times, fields) if fields else None


def _time(path: str, read: Callable[[int], Any], code: str, number: int) -> Any:
    try:
        return read(number)
    except (OverflowError, ValueError) as error:
        raise RefusedError(refusal_for(code, path, _CORRECT)) from error


def _with_times(fields: list[tuple[str, Callable[[Any], Any]]], record: dict[str, Any]) -> dict[str, Any]:
    return record | {name: read(record[name]) for name, read in fields if record[name] is not None}


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != "logicalType"}
    return schema


def _without_logical_types(schema: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(_plain(schema)))  # type: ignore[no-any-return]
