"""The partition of a key: Kafka's default partitioner (murmur2 of the key, Apache Kafka's ``Utils.murmur2``)."""

from __future__ import annotations

from struct import iter_unpack

_M = 0x5BD1E995
_SEED = 0x9747B28C
_32 = 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Returns the partition of a key among so many.

    >>> partition_of(b"1f0e9d8c7b6a59483726150493827160", 12) in range(12)
    True
    """
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for (k,) in iter_unpack("<I", data[:whole]):
        mixed = k * _M & _32
        h = (h * _M & _32) ^ ((mixed ^ mixed >> 24) * _M & _32)
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _32
    h = (h ^ h >> 13) * _M & _32
    return h ^ h >> 15
