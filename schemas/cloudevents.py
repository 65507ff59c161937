"""CloudEvents 1.0 in Kafka's binary mode: the envelope mirrored in headers; the payload is authoritative."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from schemas.topics import kafka_name, short_name

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.events import Envelope

CONTENT_TYPE = b"application/avro"


def headers_of(event: Envelope, topic: str) -> list[tuple[str, bytes]]:
    """Returns the record headers of an event on a topic, given by either of its names.

    The order is fixed, so that the same event always gives the same bytes. ``ce_subject`` is the youth
    id (the programme's pseudonym on its own topics) and absent where no young person is meant.
    """
    attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", str(event.event_id)),
        ("ce_source", f"/sources/{quote(event.source, safe='')}"),
        ("ce_type", kafka_name(short_name(topic))),
        ("ce_time", _timestamp(event.occurred_at)),
    ]
    if event.youth_id is not None:
        attributes.append(("ce_subject", event.youth_id))
    return [(name, value.encode()) for name, value in attributes] + [("content-type", CONTENT_TYPE)]


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
