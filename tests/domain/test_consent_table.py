"""The consent table (docs/specification/consents.md), each row and rule by its number, against the module alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.codec import raw_of
from schemas.codes import NeedKind
from schemas.events import Consent
from schemas.facts import ConsentFact, fact_of
from schemas.instants import days_of, milliseconds_of
from streams.domain.consents import Asker, basis_of, consents_of, last_word, missing_for, standing_consents
from tests.domain.story import a_consent, at

DECIDED = at("2026-06-15 12:00")
GIVEN = at("2026-06-01 12:00")
ENDED = at("2026-06-10 12:00")
HEADSPACE = Asker("headspace", "aftercare", 12)
YOUTH, HOLDER, OTHER = "young_person", "custody_holder", "other_custody_holder"
BOTH = ("named", "anonymous")


def aged(years: int) -> int:
    """Returns the birth day of somebody who has been of an age since the New Year."""
    return days_of(date(2026 - years, 1, 1))


def facts(*events: Any) -> list[ConsentFact]:
    made = [fact_of("Consent", raw_of(event), milliseconds_of(DECIDED)) for event in events]
    return standing_consents([fact for fact in made if isinstance(fact, ConsentFact)])


def given(*givers: str, when: datetime = GIVEN, name: str = "given", **changes: Any) -> Any:
    return a_consent(name, when, given_by=givers, **({"scope": "named"} | changes))


def ended(*givers: str, when: datetime = ENDED, name: str = "ended", **changes: Any) -> Any:
    fields = {"scope": "named", "decision": "withdrawn", "purpose": None}
    return a_consent(name, when, given_by=givers, **(fields | changes))


def is_in_force(scope: str, birth_day: int | None, *events: Any, asker: Asker = HEADSPACE) -> bool:
    now = milliseconds_of(DECIDED)
    return missing_for(consents_of(facts(*events), birth_day, now), asker, scope, now) is None


@pytest.mark.parametrize(
    ("age", "scope", "givers", "changes", "in_force"),
    [
        (18, "named", (YOUTH,), {}, True),  # C1
        (18, "named", (HOLDER,), {"custody": "sole"}, False),
        (18, "named", (HOLDER,), {"custody": "sole", "youth_unable": True}, False),
        (18, "anonymous", (YOUTH,), {}, True),
        (17, "named", (YOUTH,), {}, True),  # C2
        (15, "named", (YOUTH,), {}, True),
        (17, "named", (HOLDER,), {"custody": "sole"}, False),
        (15, "named", (HOLDER, OTHER), {"custody": "joint"}, False),
        (15, "anonymous", (YOUTH,), {}, True),
        (15, "anonymous", (HOLDER,), {"custody": "sole"}, False),
        (17, "named", (HOLDER,), {"custody": "sole", "youth_unable": True}, True),  # C3
        (15, "named", (HOLDER,), {"custody": "joint", "youth_unable": True}, False),
        (15, "named", (HOLDER, OTHER), {"custody": "joint", "youth_unable": True}, True),
        (15, "named", (HOLDER,), {"youth_unable": True}, False),
        (16, "named", (YOUTH,), {"youth_unable": True}, False),
        (14, "named", (HOLDER,), {"custody": "sole"}, True),  # C4
        (14, "named", (YOUTH,), {"custody": "sole"}, False),
        (13, "named", (HOLDER,), {"custody": "joint"}, False),  # C5
        (13, "named", (OTHER,), {"custody": "joint"}, False),
        (13, "named", (HOLDER, OTHER), {"custody": "joint"}, True),
        (14, "named", (HOLDER, OTHER), {}, False),  # C6
        (12, "anonymous", (YOUTH,), {}, True),  # C7
        (11, "anonymous", (YOUTH,), {}, False),
        (14, "anonymous", (HOLDER, OTHER), {"custody": "joint"}, False),
        (16, "anonymous", (YOUTH,), {"youth_unable": True}, True),
        (14, "anonymous", (YOUTH,), {"scope": "named"}, False),  # C13
        (13, "anonymous", (HOLDER,), {"scope": "named", "custody": "joint"}, False),
        (13, "anonymous", (HOLDER, OTHER), {"scope": "named", "custody": "joint"}, True),
        (16, "anonymous", (YOUTH,), {"scope": "named"}, True),
        (16, "named", (YOUTH,), {"scope": "anonymous"}, False),  # C12
    ],
)
def test_rule_c1_to_c7_who_can_give(
    age: int, scope: str, givers: tuple[str, ...], changes: dict[str, Any], in_force: bool
) -> None:
    assert is_in_force(scope, aged(age), given(*givers, **({"scope": scope} | changes))) is in_force


@pytest.mark.parametrize(
    ("age", "scope", "gave", "ends", "changes", "in_force"),
    [
        (18, "named", (YOUTH,), (YOUTH,), {}, False),  # C1
        (18, "named", (YOUTH,), (HOLDER,), {}, True),
        (18, "anonymous", (YOUTH,), (HOLDER,), {}, True),
        (17, "named", (YOUTH,), (YOUTH,), {}, False),  # C2
        (17, "named", (YOUTH,), (HOLDER,), {}, True),
        (15, "anonymous", (YOUTH,), (HOLDER,), {}, True),
        (17, "named", (HOLDER,), (HOLDER,), {"custody": "sole", "youth_unable": True}, False),  # C3
        (17, "named", (HOLDER,), (YOUTH,), {"custody": "sole", "youth_unable": True}, False),
        (17, "named", (HOLDER,), (OTHER,), {"custody": "sole", "youth_unable": True}, True),
        (17, "named", (HOLDER, OTHER), (OTHER,), {"custody": "joint", "youth_unable": True}, False),
        (14, "named", (HOLDER,), (HOLDER,), {"custody": "sole"}, False),  # C4
        (14, "named", (HOLDER,), (OTHER,), {"custody": "sole"}, True),
        (14, "named", (HOLDER,), (YOUTH,), {"custody": "sole"}, True),
        (14, "named", (HOLDER, OTHER), (OTHER,), {"custody": "joint"}, False),  # C5
        (14, "named", (HOLDER, OTHER), (HOLDER,), {"custody": "joint"}, False),
        (14, "anonymous", (YOUTH,), (YOUTH,), {}, False),  # C7
        (14, "anonymous", (YOUTH,), (HOLDER,), {}, True),
        (14, "anonymous", (YOUTH,), (HOLDER, OTHER), {}, True),
    ],
)
def test_rule_c1_to_c7_who_can_end(
    age: int, scope: str, gave: tuple[str, ...], ends: tuple[str, ...], changes: dict[str, Any], in_force: bool
) -> None:
    told = (given(*gave, **({"scope": scope} | changes)), ended(*ends, scope=scope))

    assert is_in_force(scope, aged(age), *told) is in_force


def test_rule_c8_what_the_young_person_gave_at_fourteen_comes_into_force_on_no_birthday() -> None:
    born = days_of(date(2011, 6, 5))

    assert not is_in_force("named", born, given(YOUTH))
    assert is_in_force("named", born, given(YOUTH, when=at("2026-06-05 00:00")))


def test_rule_c8_what_holders_gave_at_fourteen_is_no_ground_for_anything_new_from_the_fifteenth_birthday() -> None:
    assert not is_in_force("named", days_of(date(2011, 6, 15)), given(HOLDER, custody="sole"))
    assert is_in_force("named", days_of(date(2011, 6, 16)), given(HOLDER, custody="sole"))


def test_rule_c10_joint_holders_may_give_in_two_statements_and_both_must_stand() -> None:
    told = [given(HOLDER, custody="joint", name="one"), given(OTHER, custody="joint", name="two")]

    assert is_in_force("named", aged(13), *told)
    assert not is_in_force("named", aged(13), *told, ended(OTHER))


def test_rule_c10_the_custody_last_told_counts_and_one_left_out_takes_nothing_back() -> None:
    later = GIVEN + timedelta(days=1)
    sole = given(HOLDER, custody="sole")

    assert not is_in_force("named", aged(13), sole, given(HOLDER, custody="joint", when=later, name="more"))
    assert is_in_force("named", aged(13), sole, given(HOLDER, when=later, name="more"))


@pytest.mark.parametrize("scope", BOTH)
@pytest.mark.parametrize("beside", [[], [given(HOLDER, custody="joint", name="one")]])
def test_rule_c4_another_holder_of_a_sole_custody_counts_for_nothing(scope: str, beside: list[Consent]) -> None:
    """No door takes such a statement; a log that holds one all the same puts nothing in force by it."""
    now = milliseconds_of(DECIDED)
    contradicting = raw_of(given(OTHER, name="other")) | {"custody": "sole"}
    told = [fact_of("Consent", event, now) for event in (*map(raw_of, beside), contradicting)]
    consents = consents_of([one for one in told if isinstance(one, ConsentFact)], aged(13), now)

    assert missing_for(consents, HEADSPACE, scope, now) == "custody_holders_wanted"


@pytest.mark.parametrize("scope", BOTH)
def test_rule_c11_an_unknown_birth_date_puts_nothing_in_force(scope: str) -> None:
    assert not is_in_force(scope, None, given(YOUTH, scope=scope))


@pytest.mark.parametrize(
    ("receiver", "purpose", "in_force"),
    [
        ("headspace", None, True),
        (None, "aftercare", True),
        ("headspace", "aftercare", True),
        ("headspace", "plan", False),
        ("ungevaerftet", "aftercare", False),
        ("ungevaerftet", None, False),
        (None, "plan", False),
    ],
)
@pytest.mark.parametrize("scope", BOTH)
def test_rule_c14_a_consent_binds_by_all_that_it_names(
    scope: str, receiver: str | None, purpose: str | None, in_force: bool
) -> None:
    assert is_in_force(scope, aged(16), given(YOUTH, scope=scope, receiver=receiver, purpose=purpose)) is in_force


@pytest.mark.parametrize(
    ("receiver", "purpose", "in_force"),
    [
        (None, None, False),
        ("headspace", None, False),
        (None, "aftercare", False),
        ("headspace", "aftercare", False),
        ("ungevaerftet", None, True),
        (None, "plan", True),
        ("headspace", "plan", True),
    ],
)
def test_rule_c17_an_end_reaches_what_it_names(receiver: str | None, purpose: str | None, in_force: bool) -> None:
    told = (given(YOUTH), ended(YOUTH, receiver=receiver, purpose=purpose))

    assert is_in_force("named", aged(16), *told) is in_force


def test_rule_c17_an_end_that_names_a_consent_ends_it_whatever_else_it_says_and_no_other() -> None:
    told = (given(YOUTH, receiver="headspace"), ended(YOUTH, subject="given", purpose="plan", scope="anonymous"))

    assert not is_in_force("named", aged(16), *told)
    assert is_in_force("named", aged(16), *told, given(YOUTH, name="other"))


@pytest.mark.parametrize(("ends", "stays"), [BOTH, BOTH[::-1]])
@pytest.mark.parametrize("same_form", [True, False])
@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_rule_c18_ends_count_per_scope_on_one_form_too(ends: str, stays: str, same_form: bool, decision: str) -> None:
    form: dict[str, Any] = {"subject": "form"} if same_form else {}
    told = (
        given(YOUTH, scope=stays, name="one", **form),
        given(YOUTH, scope=ends, name="two", when=GIVEN - timedelta(days=1), **form),
        ended(YOUTH, scope=ends, when=GIVEN, decision=decision, **form),
    )

    assert is_in_force(stays, aged(16), *told)
    assert is_in_force("named", aged(16), *told) is (stays == "named")


@pytest.mark.parametrize(
    ("gives", "ends", "in_force"),
    [
        ("2026-06-01 12:00", "2026-06-01", False),  # a day beside a time
        ("2026-06-01", "2026-06-01 08:00", False),
        ("2026-06-01", "2026-06-01", False),
        ("2026-06-01 12:00:40", "2026-06-01 12:00:10", False),  # the same minute
        ("2026-06-01 12:01", "2026-06-01 12:00:59", True),
        ("2026-06-02", "2026-06-01", True),
        ("2026-06-02 00:00", "2026-06-01", True),
        ("2026-06-02", "2026-06-01 23:59", True),
        ("2026-06-01 12:00", "2026-06-02", False),
    ],
)
def test_rule_c19_where_two_cannot_be_ordered_the_end_wins(gives: str, ends: str, in_force: bool) -> None:
    def dated(text: str) -> dict[str, Any]:
        whole = len(text) == len("2026-06-01")
        return {"when": at(text), "occurred_on": date.fromisoformat(text) if whole else None}

    assert is_in_force("named", aged(16), given(YOUTH, **dated(gives)), ended(YOUTH, **dated(ends))) is in_force


@pytest.mark.parametrize(
    "unreadable",
    [{"decision": "UNKNOWN"}, {"scope": "UNKNOWN"}, {"given_by": (YOUTH, "UNKNOWN")}, {"purpose": "UNKNOWN"}],
)
def test_rule_c22_what_cannot_be_read_neither_gives_nor_ends(unreadable: dict[str, Any]) -> None:
    gives = given(YOUTH, receiver="headspace").model_copy(update=unreadable)
    ends = ended(YOUTH).model_copy(update=unreadable)

    assert not is_in_force("named", aged(16), gives)
    assert is_in_force("named", aged(16), given(YOUTH), ends)


@pytest.mark.parametrize("pointer", ["revises", "cancels"])
def test_rule_c22_what_cannot_be_read_corrects_nothing(pointer: str) -> None:
    first = given(YOUTH)
    later = given(YOUTH, name="later").model_copy(update={"decision": "UNKNOWN", pointer: first.event_id})

    assert is_in_force("named", aged(16), first, later)


def test_rule_c31_a_disclosure_rests_on_what_carried_it() -> None:
    now = milliseconds_of(DECIDED)
    told = facts(
        given(YOUTH, name="named"),
        given(YOUTH, name="anonymous", scope="anonymous", when=GIVEN + timedelta(days=1)),
    )
    consents = consents_of(told, aged(16), now)

    basis = [basis_of(consents, HEADSPACE, scope, now) for scope in BOTH]
    assert [one.subject for one in basis if one is not None] == ["named", "anonymous"]


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        ([ended(YOUTH, scope="anonymous", decision="refused")], True),
        ([ended(YOUTH, decision="refused")], True),
        ([ended(HOLDER, decision="refused")], False),  # at 16 the young person's word alone counts
        ([ended(YOUTH, scope="anonymous", purpose="plan")], False),
        ([ended(YOUTH, scope="anonymous", receiver="headspace")], False),
        ([given(YOUTH, scope="anonymous"), ended(YOUTH, scope="anonymous")], True),
        ([given(YOUTH, scope="anonymous"), ended(YOUTH, decision="refused", when=GIVEN)], False),
        ([given(YOUTH), ended(YOUTH, scope="anonymous")], False),
        ([ended(YOUTH, scope="anonymous"), given(YOUTH, scope="anonymous", when=DECIDED)], False),
        ([ended(YOUTH, scope="anonymous"), given(HOLDER, custody="sole", when=DECIDED)], True),
    ],
)
def test_rule_c26_what_ends_a_need(events: list[Any], ends: bool) -> None:
    now = milliseconds_of(DECIDED)
    word = last_word(consents_of(facts(*events), aged(16), now), NeedKind.AFTERCARE, 0, now)

    assert (word is not None) is ends


def test_rule_c21_that_what_an_end_left_in_force_lapses_is_no_withdrawal() -> None:
    told = facts(given(YOUTH, scope="anonymous"), ended(YOUTH, decision="refused"))
    later = milliseconds_of(GIVEN + timedelta(days=400))

    assert last_word(consents_of(told, aged(16), later), NeedKind.AFTERCARE, 0, later) is None


def test_rule_c3_that_a_fourteen_year_old_cannot_judge_is_no_finding_about_the_fifteen_year_old() -> None:
    holder = given(HOLDER, custody="sole", youth_unable=True)

    assert is_in_force("named", days_of(date(2011, 6, 16)), holder)
    assert not is_in_force("named", days_of(date(2011, 6, 5)), holder)
