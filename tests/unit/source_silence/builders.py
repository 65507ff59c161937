"""Sources with a rhythm, as their events came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.source_silence.rhythm import LastMessage, Rhythm
from connectors.source_silence.silences import Silences
from schemas.identifiers import derived_id

SOURCE = "sor:265161000016000"
#: A Monday, eight in the morning in Danish time.
BEGIN = datetime(2026, 9, 7, 8, 0, tzinfo=ZoneInfo("Europe/Copenhagen")).astimezone(UTC)
FRIDAY = BEGIN + timedelta(days=4)


def heard_at(at: datetime) -> LastMessage:
    """Returns an event, whose id goes by its time."""
    return LastMessage(at, derived_id("test-event", at.isoformat()))


def office_hours(weeks: int, begin: datetime = BEGIN) -> list[LastMessage]:
    """Returns what a source says every two hours from 8 to 16, Monday to Friday."""
    days = [begin + timedelta(days=day) for day in range(7 * weeks) if day % 7 < 5]
    return [heard_at(day + timedelta(hours=hour)) for day in days for hour in range(0, 9, 2)]


def a_rhythm(events: Iterable[LastMessage], set_to: timedelta | None = None) -> Rhythm:
    """Returns the rhythm of a source that said so much."""
    rhythm = Rhythm(set_to)
    for event in events:
        rhythm.heard(event)
    return rhythm


def silences_of(events: Iterable[LastMessage]) -> Silences:
    """Returns what is known of one source that said so much."""
    silences = Silences({})
    for event in events:
        silences.heard(SOURCE, event)
    return silences
