"""Stage 2 over whole logs: batching, units that become known, the calendar, dead letters."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.events import Envelope
from schemas.internal import CalendarSet, Tick
from schemas.outputs import HandoverEvent, Notice
from schemas.topics import kafka_name
from streams.engine.limits import TransactionLimits
from streams.engine.processor import StoredRecord
from tests.agents.intake import PSEUDONYMS, Fold, a_log, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import UNKNOWN_UNIT, YOUTH, a_person, a_step, an_anonymous_consent, at, envelope

MONDAY = at("2026-02-02 10:00")
Entry = tuple[datetime, Envelope]


def a_tick(when: datetime) -> Entry:
    return when, Tick.model_validate(envelope(f"tick-{when}", when) | {"youth_id": None})


def discharged(unit: str = "900000000001001") -> list[Entry]:
    return [
        (MONDAY - timedelta(days=1), a_version(a_catalogue(), MONDAY)),
        (MONDAY, a_person()),
        (MONDAY, an_anonymous_consent()),
        (MONDAY, a_step("stin", MONDAY - timedelta(days=3), "admitted", unit=unit)),
        (MONDAY, a_step("slhj", MONDAY, "discharged_home", unit=unit)),
    ]


def test_a_tick_after_the_settle_time_lets_the_offer_leave_under_the_programmes_pseudonym() -> None:
    fold = Fold().take(a_log([*discharged(), a_tick(MONDAY + timedelta(minutes=16))]))

    [offer] = fold.decoded("handovers.ungevaerftet", HandoverEvent)
    assert offer["statement"] == "offered"
    assert offer["youth_id"] == PSEUDONYMS.pseudonym_of("ungevaerftet", YOUTH)
    assert YOUTH.encode() not in fold.written[kafka_name("handovers.ungevaerftet")][0].value


def test_any_batching_and_any_transaction_size_gives_the_same_bytes() -> None:
    log = a_log([*discharged(), a_tick(MONDAY + timedelta(days=20))])
    whole = Fold().take(log)

    for fold in (Fold().take(log, 1), Fold().take(log, 3), Fold(TransactionLimits(changed_keys_max=1)).take(log, 4)):
        assert fold.written == whole.written
        assert fold.state(YOUTH.encode()) == whole.state(YOUTH.encode())


def test_reference_data_that_names_the_unit_lets_the_need_go_on_at_once() -> None:
    later = MONDAY + timedelta(days=1)
    version = a_version(a_catalogue(2, units={UNKNOWN_UNIT: "child_psychiatry"}), later)
    fold = Fold().take(a_log([*discharged(UNKNOWN_UNIT), (later, version), a_tick(later)]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["unknown_unit"]
    assert [one["statement"] for one in fold.decoded("handovers.ungevaerftet", HandoverEvent)] == ["offered"]


def test_a_calendar_record_sets_the_time_and_fires_what_is_due() -> None:
    fields = envelope("calendar", MONDAY) | {"youth_id": None, "calendar_at": MONDAY + timedelta(days=1)}
    fold = Fold().take(a_log([*discharged(), (MONDAY + timedelta(seconds=1), CalendarSet.model_validate(fields))]))

    statements = [one["statement"] for one in fold.decoded("handovers.ungevaerftet", HandoverEvent)]
    assert statements == ["offered"]
    assert fold._task.state.next_due() is not None


def test_bytes_that_are_no_intake_record_become_a_dead_letter_and_the_rest_is_folded() -> None:
    entries = discharged()
    log = a_log(entries)
    broken = StoredRecord(99, log[-1].timestamp, b"k", b"\xc3\x01broken")
    fold = Fold().take([*log, broken, *a_log([a_tick(MONDAY + timedelta(hours=1))])])

    [letter] = fold.written[kafka_name("dead-letters")]
    assert dict(letter.headers)["__connect.errors.class.name"] == b"unknown_fingerprint"
    assert len(fold.decoded("handovers.ungevaerftet", HandoverEvent)) == 1
