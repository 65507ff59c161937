"""The wire formats: Avro single-object encoding, and Confluent framing where a schema registry is used.

Single-object encoding is ``C3 01``, the CRC-64-AVRO fingerprint of the writer's schema (8 bytes, little
endian), then the Avro body (Avro 1.12, "Single-object encoding"). Confluent framing is ``00``, the schema's
id (4 bytes, big endian), then the body. Readers take both.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from datetime import date, datetime
from typing import Any
from uuid import UUID

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form
from pydantic import BaseModel

from schemas.avro import avro_schema
from schemas.instants import days_of, milliseconds_of
from schemas.published import published_schemas
from schemas.refusals import Refusal, RefusedError

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
_HEADER_BYTES = {SINGLE_OBJECT: 10, CONFLUENT: 5}
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
        self.model = model
        self.prefix = SINGLE_OBJECT + schema_fingerprint(schema)
        self._writer = fastavro.parse_schema(_without_logical_types(schema))
        self._schema_by_id = schema_by_id
        self._writers = {self.prefix: self._writer}
        for version in published_schemas(model.__name__):
            plain = fastavro.parse_schema(_without_logical_types(version))
            self._writers[SINGLE_OBJECT + schema_fingerprint(version)] = plain

    def encode_raw(self, record: dict[str, Any]) -> bytes:
        """Encodes a record whose times, dates and ids are already numbers and text."""
        buffer = io.BytesIO()
        buffer.write(self.prefix)
        fastavro.schemaless_writer(buffer, self._writer, record)
        return buffer.getvalue()

    def encode(self, record: BaseModel) -> bytes:
        """Encodes a model."""
        return self.encode_raw(raw_of(record))

    def decode_raw(self, value: bytes) -> dict[str, Any]:
        """Decodes a record into numbers and text.

        Raises RefusedError where the value is empty, of an unknown framing or fingerprint, or cut short.
        """
        writer = self._writers.get(value[:10]) or self._other_writer(value)
        start = _HEADER_BYTES[value[:2] if value[:2] == SINGLE_OBJECT else CONFLUENT]
        body = io.BytesIO(value)
        body.seek(start)
        try:
            record = fastavro.schemaless_reader(body, writer, self._writer if writer is not self._writer else None,
                                                return_record_name=True, return_record_name_override=True)
        except (EOFError, ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
            raise _refused("avro_body", "value", "the body is a whole Avro record of the schema it names") from error
        if body.read(1):
            raise _refused("avro_body", "value", "nothing follows the record's last field")
        return record  # type: ignore[return-value]

    def _other_writer(self, value: bytes) -> Any:
        if not value:
            raise _refused("empty_value", "value", "a record has a value")
        if value[:2] == SINGLE_OBJECT:
            raise _refused("unknown_fingerprint", "value[2:10]", "the fingerprint is one of a published schema")
        if value[:1] == CONFLUENT and self._schema_by_id is not None and len(value) > _HEADER_BYTES[CONFLUENT]:
            return fastavro.parse_schema(
                _without_logical_types(self._schema_by_id(int.from_bytes(value[1:5], "big"))))
        raise _refused("unknown_framing", "value[0:2]", "a value starts with C3 01, or with 00 and a registered schema id")


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


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != "logicalType"}
    return schema


def _without_logical_types(schema: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(_plain(schema)))  # type: ignore[no-any-return]
