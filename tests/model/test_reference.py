"""The reference model itself: each row of the consent table, and the bullets under it, read off the specification."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.catalogues import first_catalogue
from tests.model.reference import Statement, WhyNot, Wish, in_force, why_not
from tests.model.reference_needs import after_working_days
from tests.model.steps import at, day_of_moment

NOW = at("2026-02-02 10:00")
Y, HOLDER, OTHER = "young_person", "custody_holder", "other_custody_holder"


def born(age: int) -> int:
    """Returns the birth day of somebody who has just turned so many years old on 1 January 2026."""
    return day_of_moment(at(f"{2026 - age}-01-01 12:00"))


def said(*givers: str, when: str = "2026-02-01 12:00", **changes: Any) -> Statement:
    """Builds a named consent to aftercare."""
    fields: dict[str, Any] = {
        "said_at": at(when),
        "decision": "given",
        "givers": frozenset(givers),
        "custody": "UNKNOWN",
        "unable": False,
        "scope": "named",
        "receiver": None,
        "purpose": "aftercare",
        "subject": f"said {when}",
    }
    return Statement(**(fields | changes))


def ended(*givers: str, when: str = "2026-02-01 18:00", **changes: Any) -> Statement:
    """Builds a withdrawal of all that is named."""
    return said(*givers, when=when, **({"decision": "withdrawn", "purpose": None} | changes))


def wish(age: int, identity: str = "named", **changes: Any) -> Wish:
    """Builds an offer of aftercare by headspace at NOW."""
    fields: dict[str, Any] = {
        "kind": "aftercare",
        "programme": "headspace",
        "moment": NOW,
        "lowest_age": 12,
        "born": born(age),
    }
    return Wish(**(fields | {"identity": identity} | changes))


NAMED_GIVING = [
    (18, (Y,), {}, None),
    (18, (HOLDER,), {"custody": "sole"}, WhyNot.GIVER),
    (15, (Y,), {}, None),
    (17, (HOLDER, OTHER), {"custody": "joint"}, WhyNot.GIVER),
    (17, (HOLDER,), {"custody": "sole", "unable": True}, None),
    (17, (HOLDER,), {"custody": "joint", "unable": True}, WhyNot.GIVER),
    (17, (HOLDER, OTHER), {"custody": "joint", "unable": True}, None),
    (17, (HOLDER,), {"unable": True}, WhyNot.CUSTODY_UNKNOWN),
    (14, (Y,), {"custody": "sole"}, WhyNot.GIVER),
    (14, (HOLDER,), {"custody": "sole"}, None),
    (14, (OTHER,), {"custody": "sole"}, WhyNot.UNREADABLE),
    (14, (HOLDER,), {"custody": "joint"}, WhyNot.GIVER),
    (14, (HOLDER, OTHER), {"custody": "joint"}, None),
    (14, (HOLDER, OTHER), {}, WhyNot.CUSTODY_UNKNOWN),
]


@pytest.mark.parametrize(("age", "givers", "changes", "expected"), NAMED_GIVING)
def test_who_can_give_by_name(age: int, givers: tuple[str, ...], changes: dict[str, Any], expected: Any) -> None:
    assert why_not(wish(age), [said(*givers, **changes)]) == expected


@pytest.mark.parametrize("identity", ["named", "anonymous"])
def test_two_holders_may_say_it_each_for_themselves(identity: str) -> None:
    one, other = said(HOLDER, custody="joint"), said(OTHER, custody="joint", when="2026-02-01 13:00")

    assert why_not(wish(14, identity), [one]) == WhyNot.GIVER
    assert why_not(wish(14, identity), [one, other]) is None


@pytest.mark.parametrize(
    ("age", "giver", "expected"),
    [(14, Y, None), (12, Y, None), (11, Y, WhyNot.TOO_YOUNG), (14, HOLDER, WhyNot.GIVER), (15, Y, None), (18, Y, None)],
)
def test_who_can_give_anonymously(age: int, giver: str, expected: Any) -> None:
    assert why_not(wish(age, "anonymous"), [said(giver, scope="anonymous", custody="sole")]) == expected


ENDING = [
    (18, (Y,), {}, (Y,), True),
    (18, (Y,), {}, (HOLDER,), False),
    (17, (Y,), {}, (HOLDER,), False),
    (17, (Y,), {}, (Y,), True),
    (17, (HOLDER,), {"custody": "sole", "unable": True}, (HOLDER,), True),
    (17, (HOLDER,), {"custody": "sole", "unable": True}, (OTHER,), False),
    (14, (HOLDER,), {"custody": "sole"}, (HOLDER,), True),
    (14, (HOLDER,), {"custody": "sole"}, (Y,), False),
    (14, (HOLDER, OTHER), {"custody": "joint"}, (OTHER,), True),
]


@pytest.mark.parametrize(("age", "givers", "changes", "enders", "ends"), ENDING)
def test_who_can_end_by_name(
    age: int, givers: tuple[str, ...], changes: dict[str, Any], enders: tuple[str, ...], ends: bool
) -> None:
    reason = why_not(wish(age), [said(*givers, **changes), ended(*enders, **changes)])

    assert reason == (WhyNot.ENDED if ends else None)


@pytest.mark.parametrize(("ender", "ends"), [(Y, True), (HOLDER, False)])
def test_below_fifteen_y_alone_ends_what_is_anonymous(ender: str, ends: bool) -> None:
    given = said(Y, scope="anonymous", custody="sole")
    reason = why_not(wish(14, "anonymous"), [given, ended(ender, scope="anonymous", custody="sole")])

    assert reason == (WhyNot.ENDED if ends else None)


def test_an_anonymous_offer_leaves_under_a_named_consent_only_where_that_is_itself_in_force() -> None:
    assert why_not(wish(16, "anonymous"), [said(Y)]) is None
    assert why_not(wish(13, "anonymous"), [said(HOLDER, custody="joint")]) == WhyNot.GIVER


def test_refusing_to_be_named_does_not_end_an_anonymous_agreement() -> None:
    agreed, refused = said(Y, scope="anonymous"), said(Y, decision="refused")

    assert why_not(wish(16, "anonymous"), [agreed, refused]) is None
    assert why_not(wish(16), [agreed, refused]) == WhyNot.NO_CONSENT


def test_receiver_and_purpose_bind_all_that_is_named() -> None:
    both = said(Y, receiver="headspace", purpose="plan")

    assert why_not(wish(16), [both]) == WhyNot.NO_CONSENT
    assert why_not(wish(16, kind="plan"), [both]) is None
    assert why_not(wish(16, kind="plan", programme="alliancen-plan"), [both]) == WhyNot.NO_CONSENT


def test_an_end_with_a_receiver_ends_what_goes_there_and_no_more() -> None:
    statements = [said(Y), ended(Y, receiver="headspace")]

    assert why_not(wish(16), statements) == WhyNot.ENDED
    assert why_not(wish(16, programme="ungevaerftet"), statements) is None


@pytest.mark.parametrize(
    ("given", "moment", "expected"),
    [
        ("2025-02-02 12:00", "2026-02-02 23:59", None),
        ("2025-02-02 12:00", "2026-02-03 00:00", WhyNot.LAPSED),
        ("2024-02-29 12:00", "2025-02-28 23:59", None),
        ("2024-02-29 12:00", "2025-03-01 00:00", WhyNot.LAPSED),
    ],
)
def test_it_lapses_a_year_after_it_was_given(given: str, moment: str, expected: Any) -> None:
    consent = said(Y, when=given)

    assert why_not(wish(18, moment=at(moment)), [consent]) == expected
    assert why_not(wish(18, moment=at(moment), under_way=True), [consent]) is None


def test_from_the_fifteenth_birthday_nothing_new_is_told_on_what_holders_gave() -> None:
    birth = day_of_moment(at("2011-02-02 12:00"))
    consent = said(HOLDER, custody="sole")

    assert why_not(wish(0, born=birth, moment=at("2026-02-01 23:59")), [consent]) is None
    assert why_not(wish(0, born=birth, moment=at("2026-02-02 00:00")), [consent]) == WhyNot.OUTGROWN
    assert why_not(wish(0, born=birth, moment=at("2026-02-02 00:00"), under_way=True), [consent]) is None


@pytest.mark.parametrize(
    ("given", "end", "ends"),
    [
        ("2026-02-01 12:00", "2026-02-01 00:00", True),  # a day beside a time
        ("2026-02-01 12:00", "2026-02-01 12:00:30", True),  # the same minute
        ("2026-02-01 12:00:30", "2026-02-01 12:00", True),
        ("2026-02-01 12:01", "2026-02-01 12:00", False),
        ("2026-02-01 00:00", "2026-02-01 09:00", True),  # a day beside a time, the other way round
        ("2026-02-01 12:00", "2026-01-31 00:00", False),
    ],
)
def test_where_two_statements_cannot_be_ordered_the_end_wins(given: str, end: str, ends: bool) -> None:
    reason = why_not(wish(16), [said(Y, when=given), ended(Y, when=end)])

    assert reason == (WhyNot.ENDED if ends else None)


@pytest.mark.parametrize("change", [{"scope": "UNKNOWN"}, {"decision": "UNKNOWN"}, {"purpose": "UNKNOWN"}])
def test_what_cannot_be_read_neither_gives_nor_ends(change: dict[str, Any]) -> None:
    assert why_not(wish(16), [said(Y, **change)]) is not None
    assert why_not(wish(16), [said(Y), ended(Y, **change)]) is None


def test_a_giver_that_is_unknown_neither_gives_nor_ends() -> None:
    assert why_not(wish(16), [said(Y, "UNKNOWN")]) == WhyNot.UNREADABLE
    assert why_not(wish(16), [said(Y), ended(Y, "UNKNOWN")]) is None


def test_an_unknown_birth_date_carries_nothing() -> None:
    assert why_not(wish(0, born=None), [said(Y)]) == WhyNot.AGE_UNKNOWN


def test_the_consents_in_force_are_named() -> None:
    named, anonymous = said(Y), said(Y, scope="anonymous", when="2026-02-01 13:00")

    assert in_force(wish(16), [named, anonymous]) == ((named,), None)
    assert set(in_force(wish(16, "anonymous"), [named, anonymous])[0]) == {named, anonymous}


@pytest.mark.parametrize(
    ("offered", "count", "due"),
    [
        ("2026-02-06 15:00", 1, "2026-02-09 15:00"),  # over a weekend
        ("2026-04-01 10:00", 2, "2026-04-08 10:00"),  # the Wednesday before Easter
        ("2026-03-27 10:00", 1, "2026-03-30 10:00"),  # over the night to summer time
        ("2025-12-23 10:00", 1, "2025-12-29 10:00"),  # over Christmas
    ],
)
def test_working_days_pass_over_weekends_and_danish_days_off(offered: str, count: int, due: str) -> None:
    assert after_working_days(at(offered), count, first_catalogue().holidays) == at(due)
