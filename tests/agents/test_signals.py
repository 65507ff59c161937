"""Signals between young people and programmes: slots that are shared, free places that everyone must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.bookings import decode_bookings
from schemas.events import Consent, Person, Referral, Reply
from schemas.instants import days_of, moment_of
from streams.agents.join_pathways import INTAKE
from streams.engine.processor import StoredRecord
from streams.log.refold import fold_partition
from streams.log.signals import SignalsSeen, compare_signals
from tests.agents.intake import ROOTS
from tests.agents.town import Town
from tests.domain.catalogues import a_catalogue
from tests.domain.story import a_consent, a_person, a_referral, a_step, an_id, at, header

BEGINS = at("2019-05-01 08:00")
MONDAY = at("2019-05-06 10:00")
WEDNESDAYS = [days_of(date(2019, 5, 8) + timedelta(weeks=week)) for week in range(9)]
SETTLED = timedelta(minutes=16)


def a_youth(number: int) -> str:
    return f"{number:032x}"


def about(number: int, *events: Any) -> list[Any]:
    """Returns the events, each about another young person and with another id."""
    return [
        one.model_copy(update={"youth_id": a_youth(number), "event_id": an_id(f"{one.event_id}/{number}")})
        for one in events
    ]


def of_copenhagen() -> Person:
    return a_person(municipality="0101", birth_date="2003-05-01")


def consents(when: datetime = BEGINS) -> Consent:
    return a_consent("consent", when, purpose="bridging")


def bridging(when: datetime, name: str = "bridging", asked_by: str = "headspace") -> Referral:
    fields = {"referred_from": asked_by, "programme": None, "status": "proposed", "decision": None, "bridging": True}
    return a_referral(name, when, **fields)


def a_town(partitions: int = 4, *, twice: bool = False, begins: datetime = BEGINS) -> Town:
    return Town(partitions, a_catalogue(), begins, twice=twice)


def ask(town: Town, when: datetime, *numbers: int) -> None:
    """Lets headspace ask for bridging for young people of København, who agree to it."""
    for number in numbers:
        town.tell(when, *about(number, of_copenhagen(), consents(when - timedelta(days=1)), bridging(when)))
    town.wait_until(when + SETTLED)


def taken(town: Town) -> dict[int, int]:
    [value] = town.state(b"\x00bookings/psykinfo-adviser")
    return {day: len(needs) for day, needs in decode_bookings(value).get("koebenhavn", {}).items()}


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("twice", [False, True])
def test_case_35_the_adviser_is_offered_for_the_next_adviser_day_with_a_free_slot(
    partitions: int, *, twice: bool
) -> None:
    town = a_town(partitions, twice=twice)
    ask(town, MONDAY, *range(1, 7))

    offers = [one for one in town.handovers() if one[0] == "offered"]

    assert [day for *_, day in offers] == [WEDNESDAYS[0]] * 4 + [WEDNESDAYS[1]] * 2
    assert {programme for _, programme, *_ in offers} == {"psykinfo-adviser"}
    assert taken(town) == {WEDNESDAYS[0]: 4, WEDNESDAYS[1]: 2}


def test_the_clock_of_the_first_contact_runs_from_the_appointment() -> None:
    town = a_town()
    ask(town, MONDAY, *range(1, 11))
    last = max(
        (one for pathway in town.pathways() for one in pathway.handovers), key=lambda one: one.appointment_on or 0
    )
    youth = next(one.youth_id for one in town.pathways() if last in one.handovers)
    base = header("accepted", MONDAY, youth_id=youth, source="psykinfo-adviser", subject=last.handover_id)
    reply = Reply.model_validate(base | {"programme": "psykinfo-adviser", "status": "accepted"})
    town.tell(MONDAY + timedelta(hours=1), reply)
    [accepted] = town.pathway(youth).handovers

    assert last.appointment_on == WEDNESDAYS[2]
    assert days_of(moment_of(accepted.clock_at).date()) in (WEDNESDAYS[2] + 6, WEDNESDAYS[2] + 7)


def test_case_35_after_the_pilot_a_person_decides() -> None:
    day = at("2020-04-02 10:00")
    town = a_town(begins=day)
    ask(town, day, 1)

    [need] = town.pathway(a_youth(1)).needs

    assert (need.state, need.reason_code) == ("with_person", "no_programme")
    assert ("psykinfo-adviser", "not_valid") in [(one.programme, one.outcome) for one in need.options]
    assert town.handovers() == []


def test_the_last_day_of_the_pilot_is_the_last_with_slots() -> None:
    day = at("2020-03-23 10:00")
    town = a_town(begins=at("2020-03-20 10:00"))
    ask(town, day, *range(1, 6))

    appointments = [appointment for statement, _, _, appointment in town.handovers() if statement == "offered"]

    assert appointments == [days_of(date(2020, 3, 25))] * 4
    [left] = [need for one in town.pathways() for need in one.needs if need.state != "offered"]
    assert (left.state, left.reason_code) == ("with_person", "no_programme")
    assert [one.outcome for one in left.options if one.programme == "psykinfo-adviser"] == ["no_free_slot"]


def test_a_slot_whose_offer_is_withdrawn_is_for_the_next_one() -> None:
    town = a_town()
    ask(town, MONDAY, *range(1, 5))
    later = MONDAY + timedelta(hours=2)
    town.tell(later, *about(2, a_consent("no", later, decision="withdrawn", purpose="bridging")))
    ask(town, later + timedelta(hours=1), 9)

    assert ("withdrawn", "psykinfo-adviser", "consent_withdrawn", WEDNESDAYS[0]) in town.handovers()
    assert town.handovers()[-1] == ("offered", "psykinfo-adviser", None, WEDNESDAYS[0])
    assert taken(town) == {WEDNESDAYS[0]: 4}


def test_slots_that_are_declined_are_free_again() -> None:
    town = a_town()
    ask(town, MONDAY, *range(1, 5))
    for number in range(1, 5):
        answer = Reply.model_validate(
            header(f"reply-{number}", MONDAY, youth_id=a_youth(number), source="psykinfo-adviser")
            | {"programme": "psykinfo-adviser", "status": "declined", "reason_code": "no_capacity"}
            | {"subject": town.pathway(a_youth(number)).handovers[0].handover_id}
        )
        town.tell(MONDAY + timedelta(hours=1), answer)

    assert taken(town) == {}
    assert {need.state for one in town.pathways() for need in one.needs} == {"with_person"}


def test_nobody_waits_for_ever_for_a_slot() -> None:
    """Whatever becomes of the signals, each need has an owner and a clock, and asks again."""
    town = a_town(begins=at("2019-05-01 08:00"))
    ask(town, MONDAY, *range(1, 4 * len(WEDNESDAYS)))
    town.wait_until(MONDAY + timedelta(days=40))

    for pathway in town.pathways():
        for need in pathway.needs:
            assert need.state == "closed" or need.owner
    assert all(count <= 4 for count in taken(town).values())


def free_places(town: Town, when: datetime, programme: str, places: int) -> None:
    fields = header(f"places-{when}", when, youth_id=None, source=programme, subject=programme)
    told = {"programme": programme, "status": "free_capacity", "free_places": places}
    town.tell(when, Reply.model_validate(fields | told))


def test_a_programme_that_told_of_no_free_places_is_passed_over_until_it_tells_otherwise() -> None:
    start = at("2026-02-02 10:00")
    town = a_town(begins=at("2026-01-01 08:00"))
    free_places(town, start - timedelta(hours=1), "ungevaerftet", 0)

    def leave(number: int, when: datetime) -> None:
        consent = a_consent("consent", when - timedelta(days=1))
        town.tell(when, *about(number, a_person(), consent, a_step("slhj", when, "discharged_home")))
        town.wait_until(when + SETTLED)

    leave(1, start)
    free_places(town, start + timedelta(hours=1), "ungevaerftet", 3)
    leave(2, start + timedelta(hours=2))

    assert [one[:2] for one in town.handovers()] == [("offered", "headspace"), ("offered", "ungevaerftet")]
    options = town.pathway(a_youth(1)).needs[0].options
    assert (options[0].programme, options[0].outcome) == ("ungevaerftet", "no_free_places")


def test_free_places_told_later_move_no_offer_that_has_left() -> None:
    start = at("2026-02-02 10:00")
    town = a_town(begins=at("2026-01-01 08:00"))
    consent = a_consent("consent", start - timedelta(days=1))
    town.tell(start, *about(1, a_person(), consent, a_step("slhj", start, "discharged_home")))
    town.wait_until(start + SETTLED)
    free_places(town, start + timedelta(hours=1), "ungevaerftet", 0)
    town.tell(start + timedelta(hours=2), *about(1, a_consent("again", start + timedelta(hours=2))))

    assert [one[:2] for one in town.handovers()] == [("offered", "ungevaerftet")]


def test_no_free_places_are_not_believed_for_ever() -> None:
    start = at("2026-02-02 10:00")
    town = a_town(begins=at("2025-12-01 08:00"))
    free_places(town, start - timedelta(days=30), "ungevaerftet", 0)
    consent = a_consent("consent", start - timedelta(days=1))
    town.tell(start, *about(1, a_person(), consent, a_step("slhj", start, "discharged_home")))
    town.wait_until(start + SETTLED)

    assert [one[:2] for one in town.handovers()] == [("offered", "ungevaerftet")]


def findings(town: Town, logs: Sequence[Sequence[StoredRecord]]) -> list[tuple[str, int]]:
    """Returns what a replay of the logs says of their signals: what, and in how many."""
    seen = []
    for number, log in enumerate(logs):
        folded = fold_partition(log, (number, len(logs)), ROOTS)
        signals = SignalsSeen()
        signals.note_found(log)
        signals.note_written(folded.outputs.get(INTAKE, []))
        seen.append(signals)
    ends = {number: len(log) for number, log in enumerate(town.logs)}
    return sorted(Counter(one.what for one in compare_signals(seen, ends)).items())


def test_a_replay_finds_the_signals_that_it_writes_and_misses_or_doubles_none() -> None:
    town = a_town()
    ask(town, MONDAY, *range(1, 7))
    free_places(town, MONDAY + timedelta(hours=1), "ungevaerftet", 0)
    places = [
        (number, index)
        for number, log in enumerate(town.logs)
        for index, record in enumerate(log)
        if b"slot_answer" in (record.value or b"")
    ]
    number, index = places[0]
    one_lost = [list(log) for log in town.logs]
    del one_lost[number][index]
    one_doubled = [list(log) for log in town.logs]
    one_doubled[number].append(one_doubled[number][index]._replace(offset=len(town.logs[number])))

    assert len(places) == 6
    assert findings(town, town.logs) == []
    assert findings(town, one_lost) == [("missing", 1)]
    assert findings(town, one_doubled) == [("unexpected", 1)]
