"""Batches of records as a stranger may pack them, which no client that means well does."""

from __future__ import annotations

import gzip
import struct

import kafka.record.default_records as records
import pytest
from kafka import KafkaProducer

_ZSTD = b"\x28\xb5\x2f\xfd\x00\x58"  # the magic number, and a frame with a window of 2 MiB (RFC 8878 §3.1.1)
_RAW, _REPEATED = 0, 1


def pack_by_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has kafka-python pack by zstd: what ends in many zeros, such as a value of zeros, gets smaller."""
    monkeypatch.setitem(KafkaProducer._COMPRESSORS, "zstd", (lambda: True, records.DefaultRecordBatch.CODEC_ZSTD))
    monkeypatch.setattr(records.codecs, "has_zstd", lambda: True)
    monkeypatch.setattr(records, "zstd_encode", _zstd)


def pack_a_lie(monkeypatch: pytest.MonkeyPatch, record_bytes: int) -> None:
    """Has kafka-python's gzip hold a record that says to be so large, and is not."""
    monkeypatch.setattr(records, "gzip_encode", lambda _data: gzip.compress(_varint(record_bytes) + bytes(100)))


def _zstd(data: bytes) -> bytes:
    start = data.rstrip(b"\x00")
    return _ZSTD + _block(_RAW, len(start)) + start + _block(_REPEATED, len(data) - len(start), last=True) + b"\x00"


def _block(kind: int, size: int, *, last: bool = False) -> bytes:
    return struct.pack("<I", last | kind << 1 | size << 3)[:3]


def _varint(number: int) -> bytes:
    left, digits = number << 1, b""
    while left > 0x7F:
        digits += bytes([left & 0x7F | 0x80])
        left >>= 7
    return digits + bytes([left])
