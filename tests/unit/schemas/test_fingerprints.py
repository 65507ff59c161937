"""Fingerprints: Avro 1.12, "Schema fingerprints"; the vectors are those of the specification's own test suite."""

from __future__ import annotations

import json

import fastavro
import pytest

from schemas.avro import avro_schema
from schemas.codec import codec, schema_fingerprint
from schemas.events import Person


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
