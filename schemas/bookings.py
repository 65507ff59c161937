"""A programme's own state: which of its slots are taken, at each site and day, by which need."""

from __future__ import annotations

import msgspec

#: Needs by site and day (days since 1970-01-01): ``{"koebenhavn": {20546: ["<need id>/1"]}}``.
Bookings = dict[str, dict[int, list[str]]]

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Bookings] = msgspec.msgpack.Decoder(Bookings)


def encode_bookings(bookings: Bookings) -> bytes:
    """Returns the stored form."""
    return _encoder.encode(bookings)


def decode_bookings(value: bytes | None) -> Bookings:
    """Returns the bookings of a stored form, none where there is none."""
    return {} if value is None else _decoder.decode(value)
