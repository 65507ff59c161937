"""CloudEvents headers mirror the envelope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.cloudevents import headers_of
from schemas.events import Enrolment

EVENT = Enrolment.model_validate(
    {
        "event_id": UUID(int=1),
        "source": "Helsingør Kommune",
        "correlation_id": UUID(int=2),
        "occurred_at": datetime(2026, 1, 10, 9, 30, tzinfo=UTC) + timedelta(microseconds=1_999),
        "sent_at": datetime(2026, 1, 10, tzinfo=UTC),
        "recorded_at": datetime(2026, 1, 10, tzinfo=UTC),
        "youth_id": "0" * 32,
        "subject": "course-8",
        "programme": "stime",
        "status": "active",
        "status_at": datetime(2026, 1, 10, tzinfo=UTC),
    }
)


def test_headers_are_in_kafkas_binary_mode_and_a_fixed_order() -> None:
    assert headers_of(EVENT, "enrolments") == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"00000000-0000-0000-0000-000000000001"),
        ("ce_source", b"/sources/Helsing%C3%B8r%20Kommune"),
        ("ce_type", b"brobygger.enrolments.v1"),
        ("ce_time", b"2026-01-10T09:30:00.001Z"),
        ("ce_subject", b"course-8"),
        ("content-type", b"application/avro"),
    ]


def test_either_name_of_a_topic_gives_the_same_headers() -> None:
    assert headers_of(EVENT, "brobygger.enrolments.v1") == headers_of(EVENT, "enrolments")


def test_no_header_tells_who_an_event_is_about() -> None:
    assert EVENT.youth_id is not None
    assert EVENT.youth_id.encode() not in b" ".join(value for _, value in headers_of(EVENT, "enrolments"))
    assert headers_of(EVENT.model_copy(update={"youth_id": None}), "enrolments") == headers_of(EVENT, "enrolments")
