"""Stage 2 over whole logs: batching, units that become known, the calendar, dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.vault.sealing import OriginalRecord, unseal_record
from schemas.codec import codec
from schemas.events import Envelope
from schemas.instants import milliseconds_of
from schemas.internal import CalendarSet, CatalogueVersion, Intake, Tick
from schemas.outputs import HandoverEvent, Notice
from schemas.pathway import decode_pathway
from schemas.topics import kafka_name
from streams.agents import join_pathways, steering
from streams.agents.dead_letters import SEALED_FOR
from streams.domain.pathways import Folded, pass_time, take
from streams.engine.limits import TransactionLimits
from streams.engine.processor import StoredRecord
from tests.agents.intake import PSEUDONYMS, SEALING_KEY, Fold, a_log, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    UNKNOWN_UNIT,
    YOUTH,
    a_consent,
    a_person,
    a_step,
    an_anonymous_consent,
    an_id,
    at,
    envelope,
)

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


OTHER = "0" * 31 + "1"


@dataclass
class Letter:
    """A dead letter of stage 2, opened."""

    code: str
    reasons: dict[str, str]
    original: OriginalRecord


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


def of(youth_id: str, entries: list[Entry]) -> list[Entry]:
    """Returns the same events about another young person, under ids of their own."""
    changes = {"youth_id": youth_id}
    return [
        (when, event.model_copy(update=changes | {"event_id": an_id(f"{event.event_id}{youth_id}")}))
        for when, event in entries
        if event.youth_id is not None
    ]


def statements_of(fold: Fold, youth_id: str = YOUTH) -> list[str]:
    """Returns what ungevaerftet was told about a young person."""
    pseudonym = PSEUDONYMS.pseudonym_of("ungevaerftet", youth_id)
    told = fold.decoded("handovers.ungevaerftet", HandoverEvent)
    return [one["statement"] for one in told if one["youth_id"] == pseudonym]


def a_setting(when: datetime, calendar_at: datetime) -> Entry:
    """Builds a record that sets the calendar."""
    fields = envelope(f"calendar-{when}", when) | {"youth_id": None, "calendar_at": calendar_at}
    return when, CalendarSet.model_validate(fields)


def test_case_21_a_conflicting_duplicate_is_a_dead_letter_and_its_source_is_told() -> None:
    conflicting = a_step("slhj", MONDAY + timedelta(hours=1), "discharged_home")
    log = a_log([*discharged(), (MONDAY, conflicting), a_tick(MONDAY + timedelta(minutes=16))])
    fold = Fold().take(log)

    [letter] = letters_of(fold)
    assert (letter.code, letter.original) == ("conflicting_duplicate", as_it_was(log[5]))
    assert letter.reasons["exception.message"].startswith("event_id: an event id is used for one content only; ")
    [notice] = fold.decoded("notices", Notice)
    assert (notice["kind"], notice["recipient"]) == ("conflicting_duplicate", conflicting.source)
    [offer] = fold.decoded("handovers.ungevaerftet", HandoverEvent)
    assert offer["occurred_on"] == milliseconds_of(MONDAY) // 86_400_000


def test_a_conflicting_duplicate_told_twice_is_two_dead_letters_and_one_notice() -> None:
    conflicting = a_step("slhj", MONDAY + timedelta(hours=1), "discharged_home")
    fold = Fold().take(a_log([*discharged(), (MONDAY, conflicting), (MONDAY, conflicting)]))

    assert [letter.code for letter in letters_of(fold)] == ["conflicting_duplicate"] * 2
    assert len(fold.decoded("notices", Notice)) == 1


def test_a_statement_that_cant_be_folded_is_a_dead_letter_and_the_stream_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(pathway: Any, name: str, event: dict[str, Any], *rest: Any) -> Folded:
        if event["event_id"] == str(an_id("stin")):
            raise ZeroDivisionError
        return take(pathway, name, event, *rest)

    monkeypatch.setattr(join_pathways, "take", failing)
    log = a_log([*discharged(), a_tick(MONDAY + timedelta(minutes=16))])
    fold = Fold().take(log)

    [letter] = letters_of(fold)
    assert (letter.code, letter.original) == ("fold_failed", as_it_was(log[3]))
    assert letter.reasons["offset"] == "3"
    assert statements_of(fold) == ["offered"]


def test_a_deadline_that_cant_be_folded_puts_one_pathway_aside_and_the_others_still_fire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(pathway: Any, *rest: Any) -> Folded:
        if pathway.youth_id == YOUTH:
            raise ZeroDivisionError
        return pass_time(pathway, *rest)

    monkeypatch.setattr(join_pathways, "pass_time", failing)
    later = MONDAY + timedelta(days=1)
    fold = Fold().take(a_log([*discharged(), *of(OTHER, discharged()), a_tick(later)]))

    [notice] = fold.decoded("notices", Notice)
    assert (notice["kind"], notice["recipient"], notice["youth_id"]) == ("stuck", "operations", YOUTH)
    assert notice["reason_code"] == "deadline_failed"
    assert statements_of(fold) == []
    assert statements_of(fold, OTHER) == ["offered"]
    assert letters_of(fold) == []


def test_the_next_event_about_one_who_was_put_aside_starts_the_clocks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    later = MONDAY + timedelta(hours=1)
    log = a_log([*discharged(), a_tick(later), (later, a_person("touch")), a_tick(later + timedelta(days=1))])
    with monkeypatch.context() as patched:
        patched.setattr(join_pathways, "pass_time", lambda *_: 1 / 0)
        fold = Fold().take(log[:6])

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["stuck"]
    assert statements_of(fold.take(log[6:])) == ["offered", "reminded"]


def test_a_statement_for_which_a_pathway_has_no_room_is_a_dead_letter_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = Fold().take(a_log(discharged()))
    before = fold.state(YOUTH.encode())
    assert before is not None
    monkeypatch.setattr(join_pathways, "PATHWAY_BYTES_MAX", len(before))
    log = a_log([(MONDAY, a_consent("one-more", MONDAY)), *of(OTHER, discharged()[:2])])
    fold.take(log)

    [letter] = letters_of(fold)
    assert (letter.code, letter.original) == ("pathway_full", as_it_was(log[0]))
    assert fold.state(YOUTH.encode()) == before
    assert fold.state(OTHER.encode()) is not None


def test_a_deadline_for_which_a_pathway_has_no_room_puts_it_aside_and_the_stream_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = Fold().take(a_log(discharged()))
    before = fold.state(YOUTH.encode())
    assert before is not None
    monkeypatch.setattr(join_pathways, "PATHWAY_BYTES_MAX", len(before))
    fold.take(a_log([a_tick(MONDAY + timedelta(days=1))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["stuck"]


def test_a_statement_for_which_a_pathway_has_no_room_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Fold().take(a_log(discharged()))
    monkeypatch.setattr(join_pathways, "PATHWAY_BYTES_MAX", 1)
    [record] = a_log([(MONDAY, a_consent("one-more", MONDAY))])
    [changes] = fold._task.fold(join_pathways.INTAKE, [record])

    assert changes.counts == {("dead_letters", "pathway_full"): 1}


def test_a_catalogue_that_does_not_allow_the_calendar_refuses_it() -> None:
    strict = msgspec.structs.replace(a_catalogue(), calendar_allowed=False)
    setting = a_setting(MONDAY, MONDAY + timedelta(days=30))
    log = a_log([(MONDAY, a_version(strict, MONDAY)), *discharged()[1:], setting, a_tick(MONDAY)])
    fold = Fold().take(log)

    [letter] = letters_of(fold)
    assert (letter.code, letter.original) == ("calendar_refused", as_it_was(log[5]))
    assert letter.reasons["exception.message"].startswith("calendar_at: ")
    assert statements_of(fold) == []
    assert fold.state(steering.CALENDAR_KEY) is None


def test_the_calendar_never_goes_back() -> None:
    settings = [a_setting(MONDAY, MONDAY + timedelta(days=9)), a_setting(MONDAY, MONDAY + timedelta(days=1))]
    fold = Fold().take(a_log([*discharged(), settings[0]]))
    set_to = fold.state(steering.CALENDAR_KEY)

    assert fold.take(a_log([settings[1]])).state(steering.CALENDAR_KEY) == set_to


def test_what_a_calendar_record_fires_is_the_same_bytes_whatever_a_transaction_holds() -> None:
    several = [entry for number in range(1, 5) for entry in of(f"{number:032x}", discharged())]
    setting = a_setting(MONDAY + timedelta(seconds=1), MONDAY + timedelta(days=3))
    log = a_log([discharged()[0], *several, setting, a_tick(MONDAY + timedelta(hours=1))])
    whole = Fold().take(log)

    assert Fold(TransactionLimits(changed_keys_max=1)).take(log).written == whole.written


def test_a_catalogue_version_that_cant_be_read_is_a_dead_letter_and_the_one_before_it_stands() -> None:
    fields = envelope("catalogue-2", MONDAY) | {"youth_id": None, "version": 2, "content": '{"version": 2}'}
    broken = CatalogueVersion.model_validate(fields)
    fold = Fold().take(a_log([*discharged(), (MONDAY, broken), a_tick(MONDAY + timedelta(minutes=16))]))

    assert len(letters_of(fold)) == 1
    assert statements_of(fold) == ["offered"]


def test_a_need_that_waits_for_a_unit_is_told_again_every_fortnight_and_never_stuck() -> None:
    fold = Fold().take(a_log([*discharged(UNKNOWN_UNIT), a_tick(MONDAY + timedelta(days=30))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["unknown_unit"] * 3


def test_only_units_are_waited_for() -> None:
    fold = Fold().take(a_log([*discharged(UNKNOWN_UNIT), a_tick(MONDAY + timedelta(days=20))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["unknown_unit"] * 2
    waited_for = [key for key, _ in fold.store.states() if key.startswith(b"\0waiting/")]
    assert waited_for == [b"\0waiting/" + UNKNOWN_UNIT.encode()]


def test_a_null_value_and_a_truncated_one_are_dead_letters_with_the_records_bytes() -> None:
    log = a_log(discharged())
    cut = [log[4]._replace(value=(log[4].value or b"")[:length]) for length in (0, 1, 9, 10, 40, -1)]
    fold = Fold().take([*log[:4], log[4]._replace(value=None), *cut, log[4]])

    letters = letters_of(fold)
    assert [letter.original.value for letter in letters] == [None, *(record.value for record in cut)]
    assert [letter.code for letter in letters[:3]] == ["null_value", "empty_value", "unknown_framing"]
    pathway = decode_pathway(fold.state(YOUTH.encode()) or b"")
    assert len(pathway.facts) == 4
    assert codec(Intake).decode_raw(log[4].value or b"")["body"][1]["event_id"] == str(an_id("slhj"))
