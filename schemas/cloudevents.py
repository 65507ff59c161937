"""CloudEvents 1.0 in Kafka's binary mode: an event's header mirrored in headers; the payload is authoritative."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from schemas.instants import milliseconds_of, moment_of
from schemas.topics import kafka_name, short_name

if TYPE_CHECKING:
    from schemas.events import EventHeader

CONTENT_TYPE = b"application/avro"


def headers_of(event: EventHeader, topic: str) -> list[tuple[str, bytes]]:
    """Returns the record headers of an event on a topic, given by either of its names.

    The order is fixed, so that the same event always gives the same bytes. ``ce_subject`` is what the event is
    about, its ``subject``; who it is about is the record's key alone.
    """
    return _headers(topic, str(event.event_id), event.source, milliseconds_of(event.occurred_at), event.subject)


def headers_of_raw(fields: dict[str, Any], topic: str) -> list[tuple[str, bytes]]:
    """Returns the same headers for a record in its raw form (``codec.raw_of``)."""
    return _headers(topic, fields["event_id"], fields["source"], fields["occurred_at"], fields["subject"])


def _headers(topic: str, event_id: str, source: str, occurred_at: int, subject: str) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", _source(source)),
        ("ce_type", _type(topic)),
        ("ce_time", _timestamp(occurred_at)),
        ("ce_subject", subject.encode()),
        ("content-type", CONTENT_TYPE),
    ]


@lru_cache(maxsize=1024)
def _source(source: str) -> bytes:
    return f"/sources/{quote(source, safe='')}".encode()


@lru_cache(maxsize=1024)
def _type(topic: str) -> bytes:
    return kafka_name(short_name(topic)).encode()


@lru_cache(maxsize=1024)
def _timestamp(milliseconds: int) -> bytes:
    return moment_of(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
