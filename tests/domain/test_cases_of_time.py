"""Cases of docs/specification/cases.md where time passes: settling, lasting, coming of age, reminding, forgetting."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from schemas.pathway import NEVER
from tests.domain.catalogues import a_catalogue
from tests.domain.story import (
    COPENHAGEN,
    MONDAY,
    SETTLED,
    Story,
    a_consent,
    a_course,
    a_discharged_story,
    a_letter,
    a_named_consent,
    a_person,
    a_referral,
    a_step,
    an_anonymous_consent,
    at,
)

SETTLE = timedelta(minutes=15)


def a_planned_story(*consents: object) -> Story:
    """Tells on Thursday 5 February of a discharge planned for the Monday after."""
    told = at("2026-02-05 10:00")
    admitted = a_step("stin", told - timedelta(days=20), "admitted")
    plan = a_step("plan", told, "discharge_planned", planned_at=at("2026-02-09 12:00"))
    return Story().tell(told, a_person(), admitted, plan, *consents).wait_until(told + SETTLE)  # type: ignore[arg-type]


def test_case_41_a_reminder_that_falls_due_while_the_discharge_settles_waits_for_it() -> None:
    story = a_planned_story()
    story.tell(at("2026-02-09 10:05"), a_step("slhj", at("2026-02-09 10:00"), "discharged_home"))
    story.wait_until(at("2026-02-09 10:19"))
    meanwhile = [kind for kind, _ in story.notices()]
    story.wait_until(at("2026-02-09 10:20"))

    assert meanwhile == ["consent_wanted"]
    assert [kind for kind, _ in story.notices()] == ["consent_wanted", "consent_reminder"]
    assert story.pathway.needs[0].trigger == "discharge"


@pytest.mark.parametrize("state", ["awaiting_consent", "announced", "with_person"])
@pytest.mark.parametrize("minutes", range(0, 30, 3))
def test_case_41_no_clock_of_a_need_is_due_again_at_once_while_it_settles(state: str, minutes: int) -> None:
    consents = [a_consent("consent", at("2026-02-04 12:00"))] if state == "announced" else []
    story = a_planned_story(*consents)
    if state == "with_person":
        story.wait_until(at("2026-02-13 12:00"))
    clocks = [need.clock_at for need in story.pathway.needs] + [one.clock_at for one in story.pathway.handovers]
    due = min(clock for clock in clocks if clock != NEVER)
    told = datetime.fromtimestamp(due / 1000, COPENHAGEN) - timedelta(minutes=minutes)
    story.tell(told, a_step("slhj", told, "discharged_home")).wait_until(told + timedelta(days=2))

    assert story.pathway.needs[0].trigger == "discharge"


def test_case_43_what_goes_on_for_years_keeps_the_consent_that_it_rests_on() -> None:
    story = Story().tell(
        MONDAY, a_person(municipality="0101"), a_named_consent("named", "2026-02-01 12:00", "young_person")
    )
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "headspace", "first_contact")
    story.wait_until(MONDAY + timedelta(days=900))

    assert story.needs() == [("aftercare", "taken_over", None)]
    assert story.to_programmes("withdrawn") == []
    assert "deletion_overdue" not in [kind for kind, _ in story.notices()]


def test_case_61_after_a_death_nobody_hears_of_letters_stays_or_receipts() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.tell(MONDAY + timedelta(hours=2), a_step("stin-2", MONDAY, "admitted", episode_id="elsewhere"))
    died = MONDAY + timedelta(hours=3)
    story.tell(died, a_step("mors", died, "deceased"))
    said = len(story.said)
    story.tell(died + timedelta(days=1), a_letter("letter", died, "psychiatry_social_disability"))
    story.tell(died + timedelta(days=2), a_step("stin-3", died + timedelta(days=1), "admitted", episode_id="third"))
    story.tell(died + timedelta(days=3), a_referral("referral", died)).wait_until(died + timedelta(days=400))

    assert story.to_programmes()[-1] == ("withdrawn", "ungevaerftet", None)
    assert len(story.said) == said


def test_case_61_what_is_told_of_a_death_that_is_undone_is_told_then() -> None:
    story = Story().tell(MONDAY, a_person(), a_step("stin", MONDAY - timedelta(days=3), "admitted"))
    mors = a_step("mors", MONDAY, "deceased")
    story.tell(MONDAY, mors, a_letter("letter", MONDAY, "psychiatry_social_disability"))
    story.wait_until(MONDAY + timedelta(days=1))
    silent = story.notices()
    undone = MONDAY + timedelta(days=2)
    story.tell(undone, a_step("an-mors", undone, "deceased", cancels=mors.event_id))

    assert silent == []
    assert story.notices() == [("correspondence", "municipality-0217")]


def test_case_62_nobody_is_reminded_on_a_day_that_is_no_working_day() -> None:
    story = a_discharged_story(
        an_anonymous_consent(), "2026-12-10 10:00", a_catalogue(without=("ungevaerftet", "headspace"))
    )
    story.wait_until(at("2027-12-31 12:00"))

    told = story.when("escalated")
    assert told[:2] == [at("2026-12-10 10:15"), at("2026-12-28 10:15")]
    closed = a_catalogue().holidays
    epoch = date(1970, 1, 1)
    assert all(one.weekday() < 5 and (one.date() - epoch).days not in closed for one in told)


@pytest.mark.parametrize("accepted", ["2026-12-17 10:00", "2026-12-18 10:00", "2026-03-26 10:00"])
def test_case_62_a_missing_first_contact_is_asked_for_on_working_days(accepted: str) -> None:
    when = at(accepted)
    story = Story().tell(when - timedelta(days=1), a_person(municipality="0101"))
    story.tell(when - timedelta(days=1), a_named_consent("named", "2026-03-01 12:00", "young_person"))
    story.tell(when - timedelta(days=1), a_step("slhj", when, "discharged_home"))
    story.wait_until(when).reply(when, "headspace", "accepted").wait_until(when + timedelta(days=300))

    closed = a_catalogue().holidays
    moments = [*story.when("reminded"), *story.when("escalated")]
    assert moments
    assert all(one.weekday() < 5 and (one.date() - date(1970, 1, 1)).days not in closed for one in moments)


def test_case_65_a_reminder_and_a_new_wish_at_one_moment_are_two_notices_with_two_ids() -> None:
    story = Story().tell(
        MONDAY - SETTLE,
        a_person(birth_date=date(2008, 2, 4), municipality="0101"),
        a_consent("anonymous", at("2026-02-01 12:00"), purpose="plan"),
    )
    born = story.pathway.facts[0]
    assert born is not None
    midnight = at("2026-02-02 00:00")
    story = Story().tell(
        midnight - SETTLE,
        a_person(birth_date=date(2008, 2, 4), municipality="0751"),
        a_named_consent(
            "holders", "2026-01-01 12:00", "custody_holder", purpose="plan", youth_unable=True, custody="joint"
        ),
        a_step("slhj", midnight - timedelta(hours=1), "discharged_home"),
    )
    story.wait_until(at("2026-02-20 12:00"))

    ids = [said.fields["event_id"] for _, said in story.said if said.topic == "notices"]
    assert len(ids) == len(set(ids))
    reasons = [said.fields["reason_code"] for _, said in story.said if said.fields.get("need_kind") == "plan"]
    assert {"custody_holders_wanted", "own_consent_wanted"} <= set(reasons)


def test_case_69_an_acceptance_on_the_birthday_stands_and_the_identity_waits_for_the_young_persons_own_consent() -> (
    None
):
    told = at("2026-04-30 12:00")
    story = Story().tell(
        told,
        a_person(birth_date=date(2011, 5, 1), municipality="0101"),
        a_named_consent("holder", "2026-04-29 12:00", "custody_holder", custody="sole"),
        a_step("slhj", told, "discharged_home"),
    )
    story.wait_until(told + SETTLE).reply(at("2026-05-01 10:00"), "headspace", "accepted")
    story.reply(at("2026-05-01 11:00"), "headspace", "identity_wanted")
    refused = story.to_programmes()[-1]
    story.tell(at("2026-05-01 12:00"), a_named_consent("own", "2026-05-01 11:30", "young_person"))
    story.reply(at("2026-05-01 13:00"), "headspace", "identity_wanted")

    assert ("reply_accepted", "headspace", "accepted") in story.to_programmes()
    assert refused == ("reply_refused", "headspace", "own_consent_wanted")
    assert ("consent_wanted", "sor:900000000000001") in story.notices()
    assert story.to_programmes()[-1][0] == "identity_granted"
    assert story.disclosures[-1]["consent_id"] == "own"


def test_case_70_a_later_consent_by_name_takes_no_anonymous_offer_back() -> None:
    story = Story().tell(MONDAY, a_person(municipality="0101"), an_anonymous_consent())
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)
    later = MONDAY + timedelta(hours=20)
    story.tell(later, a_named_consent("named", "2026-02-03 06:00", "young_person")).wait_until(later + SETTLE)

    assert story.to_programmes() == [("offered", "headspace", None)]
    assert [one.identity for one in story.pathway.handovers] == ["anonymous"]


@pytest.mark.parametrize("waits_for", ["receipt", "person", "unit", "contact"])
def test_case_71_whatever_nobody_answers_is_told_ever_more_rarely(waits_for: str) -> None:
    story = Story().tell(MONDAY, a_person(municipality="0101"))
    if waits_for != "unit":
        story.tell(MONDAY, a_named_consent("named", "2026-02-01 12:00", "young_person"))
    unit = {"unit": "900000000009999"} if waits_for == "unit" else {}
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home", **unit)).wait_until(SETTLED)
    if waits_for in ("receipt", "contact"):
        story.reply(MONDAY + timedelta(hours=1), "headspace", "accepted")
    if waits_for == "receipt":
        told = MONDAY + timedelta(hours=2)
        story.tell(told, a_named_consent("no", "2026-02-02 11:00", "young_person", decision="withdrawn"))
    story.wait_until(MONDAY + timedelta(days=365))
    first_year = len(story.notices())
    story.wait_until(MONDAY + timedelta(days=730))

    assert 3 <= first_year <= 8
    assert len(story.notices()) - first_year <= 5


def test_case_71_a_persons_answer_ends_the_wait_for_a_receipt() -> None:
    story = Story().tell(
        MONDAY, a_person(municipality="0101"), a_named_consent("named", "2026-02-01 12:00", "young_person")
    )
    story.tell(MONDAY, a_step("slhj", MONDAY, "discharged_home")).wait_until(SETTLED)
    story.tell(
        MONDAY + timedelta(hours=1), a_named_consent("no", "2026-02-02 11:00", "young_person", decision="withdrawn")
    )
    story.wait_until(at("2026-02-20 12:00"))
    asked = story.notices().count(("deletion_overdue", "municipality-0101"))
    story.decide(at("2026-02-20 12:00"), "escalation_answered").wait_until(at("2027-02-20 12:00"))

    assert asked == 1
    assert story.notices().count(("deletion_overdue", "municipality-0101")) == 1


def test_case_70_a_consent_by_name_that_opens_another_programme_takes_no_offer_back() -> None:
    story = Story().tell(
        MONDAY,
        a_person(municipality="0101"),
        an_anonymous_consent(),
        a_course("active", MONDAY - timedelta(days=700), "opus-young", "active"),
        a_course("end", MONDAY, "opus-young", "completed"),
    )
    story.wait_until(SETTLED)
    later = MONDAY + timedelta(hours=20)

    story.tell(later, a_named_consent("named", "2026-02-03 06:00", "young_person")).wait_until(later + SETTLE)

    assert len(story.offers()) == 1
    assert story.to_programmes("withdrawn") == []


def test_case_72_what_is_fulfilled_after_more_than_400_days_is_shown_before_it_is_forgotten() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "first_contact")
    ended = MONDAY + timedelta(days=500)
    story.wait_until(ended).reply(ended, "ungevaerftet", "fulfilled")
    shown = [(need["state"], need["reason_code"]) for need in story.views[-1]["needs"]]
    story.wait_until(ended + timedelta(days=401))

    assert shown == [("closed", "fulfilled")]
    assert (story.pathway.needs, story.pathway.handovers) == ((), ())
    assert story.views[-1]["needs"] == []


def test_case_63_a_need_tells_why_in_its_view_and_its_notices() -> None:
    for event, reason in (
        (a_course("course", MONDAY, "stime", "dropped_out"), "dropped_out"),
        (a_referral("referral", MONDAY, reason_code="not_target_group"), "not_target_group"),
    ):
        story = Story().tell(MONDAY, a_person(), event).wait_until(SETTLED)
        assert story.views[-1]["needs"][0]["trigger_reason"] == reason
        assert story.said[-1][1].fields["trigger_reason"] == reason


def test_case_66_a_handover_runs_to_its_end_whatever_becomes_of_its_programme_in_the_catalogue() -> None:
    told = at("2026-06-01 09:00")
    story = Story().tell(
        told,
        a_person(),
        a_course("active", at("2024-06-01 09:00"), "opus-young", "active"),
        a_course("completed", told, "opus-young", "completed"),
        a_named_consent("consent", "2026-05-30 09:00", "young_person"),
    )
    story.wait_until(told + SETTLE).reply(told + timedelta(hours=1), "unik-recovery-young", "accepted")
    story = story.under(a_catalogue(2, without=("unik-recovery-young",)))
    story.tell(told + timedelta(hours=2), a_person("touch")).wait_until(told + timedelta(days=3))
    story.reply(told + timedelta(days=3), "unik-recovery-young", "first_contact")

    assert story.to_programmes("withdrawn") == []
    assert story.needs() == [("aftercare", "taken_over", None)]


def test_case_66_a_unit_that_reference_data_later_calls_somatic_takes_nothing_back() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story = story.under(a_catalogue(2, units={"900000000001001": "somatic"}))
    story.tell(MONDAY + timedelta(hours=2), a_person("touch"))

    assert story.needs() == [("aftercare", "taken_over", None)]


def test_case_68_a_plan_is_needed_where_somebody_lived_when_it_arose() -> None:
    events = [
        a_person("home", occurred_at=at("2026-01-01 08:00")),
        a_person("away", occurred_at=at("2026-01-20 08:00"), municipality="0751"),
        a_person("back", occurred_at=at("2026-01-25 08:00"), municipality="0217"),
        a_step("slhj", MONDAY, "discharged_home"),
    ]
    found = []
    for order in (events, events[::-1], [events[1], events[3], events[0], events[2]]):
        story = Story()
        for number, event in enumerate(order):
            story.tell(MONDAY + timedelta(hours=number), event)
        found.append(
            {kind for kind, state, _ in story.wait_until(MONDAY + timedelta(days=1)).needs() if state != "closed"}
        )

    assert found == [{"aftercare"}] * 3


def test_case_72_is_shown_though_the_consent_was_told_anew_every_few_months() -> None:
    story = a_discharged_story(an_anonymous_consent()).wait_until(SETTLED)
    story.reply(MONDAY + timedelta(hours=1), "ungevaerftet", "accepted")
    story.reply(MONDAY + timedelta(hours=2), "ungevaerftet", "first_contact")
    for days in (150, 300, 450):
        told = MONDAY + timedelta(days=days)
        story.tell(told, a_consent(f"consent-{days}", told))
    ended = MONDAY + timedelta(days=500)

    story.wait_until(ended).reply(ended, "ungevaerftet", "fulfilled")

    assert [(need["state"], need["reason_code"]) for need in story.views[-1]["needs"]] == [("closed", "fulfilled")]
