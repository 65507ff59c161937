"""Bounds what a packed batch of records may become, for consumers of what others write.

aiokafka unpacks a batch to whatever it holds, and a few bytes may hold gigabytes. The broker can't be asked to unpack
in its place (``compression.type``): it makes room for a record of any size that a packed batch names, and ends for want
of memory.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNPACKED_BYTES_MAX = 1024 * 1024
_GZIP_WINDOW_BITS = 31


def bound_unpacking() -> None:
    """Has all consumers of this process refuse, with CorruptRecordException, a batch that unpacks to more.

    Of Kafka's codecs gzip is read; for the others aiokafka raises UnsupportedCodecError. The name in aiokafka is none
    that it calls public: `tests/unit/kafka/test_unpacking.py` fails where an upgrade changes it.
    """
    vars(sys.modules[DefaultRecordBatch.__module__])["gzip_decode"] = unpacked


def unpacked(packed: Buffer) -> bytes:
    """Returns what is packed by gzip; raises CorruptRecordException where that is too much, or broken.

    >>> import gzip
    >>> unpacked(gzip.compress(b"course"))
    b'course'
    """
    unpacking = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        content = unpacking.decompress(packed, UNPACKED_BYTES_MAX)
    except zlib.error as error:
        raise CorruptRecordException("a packed batch is broken") from error
    if not unpacking.eof or unpacking.unused_data:
        raise CorruptRecordException(f"a packed batch holds more than {UNPACKED_BYTES_MAX} bytes, or ends early")
    return content
