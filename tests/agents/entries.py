"""What a test puts into the intake log, and what a fold of it could not take or told a programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.vault.sealing import OriginalRecord, unseal_record
from schemas.events import EventHeader
from schemas.internal import CalendarSet, Tick
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from streams.agents.dead_letters import SEALED_FOR
from streams.engine.processor import StoredRecord
from tests.agents.intake import PSEUDONYMS, SEALING_KEY, Fold, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    MONDAY,
    YOUTH,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
    header,
)

Entry = tuple[datetime, EventHeader]
OTHER = "0" * 31 + "1"


@dataclass
class Letter:
    """A dead letter of stage 2, opened."""

    code: str
    reasons: dict[str, str]
    original: OriginalRecord


def a_tick(when: datetime) -> Entry:
    return when, Tick.model_validate(header(f"tick-{when}", when) | {"youth_id": None})


def discharged(unit: str = "900000000001001") -> list[Entry]:
    return [
        (MONDAY - timedelta(days=1), a_version(a_catalogue(), MONDAY)),
        (MONDAY, a_person()),
        (MONDAY, an_anonymous_consent()),
        (MONDAY, a_step("stin", MONDAY - timedelta(days=3), "admitted", unit=unit)),
        (MONDAY, a_step("slhj", MONDAY, "discharged_home", unit=unit)),
    ]


def a_setting(when: datetime, calendar_at: datetime) -> Entry:
    """Builds a record that sets the calendar."""
    fields = header(f"calendar-{when}", when) | {"youth_id": None, "calendar_at": calendar_at}
    return when, CalendarSet.model_validate(fields)


def of(youth_id: str, entries: list[Entry]) -> list[Entry]:
    """Returns the same events about another young person, under ids of their own."""
    changes = {"youth_id": youth_id}
    return [
        (when, event.model_copy(update=changes | {"event_id": an_id(f"{event.event_id}{youth_id}")}))
        for when, event in entries
        if event.youth_id is not None
    ]


def letters_of(fold: Fold) -> list[Letter]:
    """Returns what a fold could not take."""
    letters = []
    for one in fold.written.get(kafka_name("dead-letters"), []):
        reasons = {name.removeprefix("__connect.errors."): text.decode() for name, text in one.headers}
        original = unseal_record(SEALING_KEY, one.value, SEALED_FOR)
        letters.append(Letter(reasons["class.name"], reasons, original))
    return letters


def as_it_was(record: StoredRecord) -> OriginalRecord:
    """Returns a record as a dead letter holds it."""
    return OriginalRecord(record.key, record.value)


def statements_of(fold: Fold, youth_id: str = YOUTH) -> list[str]:
    """Returns what ungevaerftet was told about a young person."""
    told = fold.decoded("handovers.ungevaerftet", HandoverEvent)
    return [one["type"] for one in told if PSEUDONYMS.youth_of("ungevaerftet", one["youth_id"]) == youth_id]
