"""Stage 2 over whole logs: batching, units that become known, the calendar."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from schemas.internal import CalendarSet
from schemas.outputs import HandoverEvent, Notice
from schemas.pathway import decode_pathway
from schemas.topics import kafka_name
from streams.agents import steering
from streams.engine.limits import TransactionLimits
from tests.agents.entries import (
    a_setting,
    a_tick,
    as_it_was,
    discharged,
    letters_of,
    of,
    statements_of,
)
from tests.agents.intake import PSEUDONYMS, Fold, a_log, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    MONDAY,
    UNKNOWN_UNIT,
    YOUTH,
    header,
)


def test_a_tick_after_the_settle_time_lets_the_offer_leave_under_the_programmes_pseudonym() -> None:
    fold = Fold().take(a_log([*discharged(), a_tick(MONDAY + timedelta(minutes=16))]))

    [offer] = fold.decoded("handovers.ungevaerftet", HandoverEvent)
    assert offer["type"] == "offered"
    [handover] = decode_pathway(fold.state(YOUTH.encode()) or b"").handovers
    assert offer["youth_id"] == PSEUDONYMS.pseudonym_of("ungevaerftet", YOUTH, handover.handover_id)
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
    assert [one["type"] for one in fold.decoded("handovers.ungevaerftet", HandoverEvent)] == ["offered"]


def test_a_calendar_record_sets_the_time_and_fires_what_is_due() -> None:
    fields = header("calendar", MONDAY) | {"youth_id": None, "calendar_at": MONDAY + timedelta(days=1)}
    fold = Fold().take(a_log([*discharged(), (MONDAY + timedelta(seconds=1), CalendarSet.model_validate(fields))]))

    statements = [one["type"] for one in fold.decoded("handovers.ungevaerftet", HandoverEvent)]
    assert statements == ["offered"]
    assert fold._task.state.next_due() is not None


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


@pytest.mark.parametrize(("days", "notices"), [(13, 1), (15, 2), (41, 2), (43, 3), (98, 3), (99, 4), (180, 4)])
def test_a_need_that_waits_for_a_unit_is_told_again_ever_more_rarely_and_never_stuck(days: int, notices: int) -> None:
    fold = Fold().take(a_log([*discharged(UNKNOWN_UNIT), a_tick(MONDAY + timedelta(days=days))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["unknown_unit"] * notices


def test_only_units_are_waited_for() -> None:
    fold = Fold().take(a_log([*discharged(UNKNOWN_UNIT), a_tick(MONDAY + timedelta(days=20))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["unknown_unit"] * 2
    waited_for = [key for key, _ in fold.store.states() if key.startswith(b"\0waiting/")]
    assert waited_for == [b"\0waiting/" + UNKNOWN_UNIT.encode()]
