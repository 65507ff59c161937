"""What a pathway makes of letters: a stay that they alone tell, corrected, cancelled, moved and told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.events import EventHeader
from schemas.facts import StayFact
from schemas.instants import milliseconds_of
from streams.domain.stays import stays_of
from tests.domain.story import PSYCHIATRY, YOUTH, Story, a_consent, at
from tests.unit.medcom_edi.builders import Notice, a_letter, edited, local, translation_of

DISCHARGED = at("2025-12-10 10:00")
SETTLED = DISCHARGED + timedelta(minutes=15)
SENDER = (PSYCHIATRY, "SOR:SST", "sorkode")
ADMISSION = Notice(
    kind="20",
    identifier="EPIC1",
    patient_status=("HS", "indlagt"),
    sender=SENDER,
    authorised=local("2025-12-01T09:00"),
    happened=local("2025-12-01T09:00"),
)
DISCHARGE = Notice(
    identifier="EPIC2", sender=SENDER, authorised=local("2025-12-10T10:00"), happened=local("2025-12-10T10:00")
)
CORRECTED, CANCELLED = ("M", "rettetbrev"), ("C", "annulleretbrev")


def said_by(*bodies: bytes) -> list[EventHeader]:
    """Returns the events of letters, of the story's young person."""
    return [event.model_copy(update={"youth_id": YOUTH}) for body in bodies for _, event in translation_of(body).events]


def a_story(*bodies: bytes) -> Story:
    """Tells a consent and letters when the young person was discharged, and waits until they have settled."""
    consent = a_consent("consent", DISCHARGED - timedelta(days=1))
    return Story().tell(DISCHARGED, consent, *said_by(*bodies)).wait_until(SETTLED)


@pytest.mark.parametrize("notices", [(ADMISSION, DISCHARGE), (DISCHARGE, ADMISSION), (DISCHARGE,)])
def test_a_stay_that_notices_alone_tell_is_offered_once_in_any_order(notices: tuple[Notice, ...]) -> None:
    edifact = a_story(*(notice.edifact() for notice in notices))
    oioxml = a_story(*(notice.oioxml() for notice in notices))

    assert edifact.offers() == oioxml.offers() == [("ungevaerftet", "helsingoer")]


def test_a_letter_in_both_syntaxes_is_one() -> None:
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact(), DISCHARGE.oioxml())

    assert story.outcomes[-2:] == ["duplicate", "duplicate"]
    assert len(story.offers()) == 1


def test_a_discharge_that_is_cancelled_within_the_settle_time_makes_no_need() -> None:
    cancelled = DISCHARGE.but(status=CANCELLED, identifier="EPIC3")

    assert a_story(ADMISSION.edifact(), DISCHARGE.edifact(), cancelled.oioxml()).needs() == []


def test_a_discharge_that_is_corrected_to_a_move_after_the_offer_is_withdrawn() -> None:
    moved = DISCHARGE.but(status=CORRECTED, patient_status=("MH", "flyttet_til_sygehus"), identifier="EPIC3")
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact()).tell(
        SETTLED + timedelta(hours=1), *said_by(moved.edifact())
    )

    assert story.to_programmes("withdrawn") == [("withdrawn", "ungevaerftet", "discharge_cancelled")]


def test_a_corrected_time_makes_no_second_offer() -> None:
    corrected = DISCHARGE.but(
        status=CORRECTED, happened=local("2025-12-10T09:15"), authorised=local("2025-12-10T10:30")
    )
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact())
    story.tell(SETTLED + timedelta(hours=1), *said_by(corrected.edifact())).wait(hours=1)

    assert len(story.offers()) == len(story.pathway.needs) == 1


def test_a_corrected_day_goes_on_with_what_was_taken_over_in_any_order() -> None:
    """Rule F14: the notice told the 9th, and it was the 10th; the correction may come first."""
    wrong = DISCHARGE.but(happened=local("2025-12-09T10:00"), authorised=local("2025-12-10T09:00"))
    right = DISCHARGE.but(status=CORRECTED, identifier="EPIC3", authorised=local("2025-12-10T10:30"))

    for first, then in ((wrong, right), (right, wrong)):
        story = a_story(ADMISSION.edifact(), first.edifact())
        story.reply(SETTLED + timedelta(hours=1), "ungevaerftet", "accepted")
        story.tell(SETTLED + timedelta(hours=2), *said_by(then.oioxml())).wait(hours=1)

        assert [need[1:] for need in story.needs()] == [("taken_over", None)]
        assert story.pathway.handovers[-1].occurred_at == milliseconds_of(DISCHARGED)


def test_a_cancellation_after_a_corrected_day_voids_all_of_it() -> None:
    wrong = DISCHARGE.but(happened=local("2025-12-09T10:00"), authorised=local("2025-12-10T09:00"))
    right = DISCHARGE.but(status=CORRECTED, identifier="EPIC3", authorised=local("2025-12-10T10:30"))
    void = right.but(status=CANCELLED, identifier="EPIC4", authorised=local("2025-12-10T11:30"))

    for notices in ((wrong, right, void), (void, right, wrong), (wrong, void)):
        assert a_story(ADMISSION.edifact(), *(notice.edifact() for notice in notices)).needs() == []


def test_a_correction_is_about_the_notice_of_its_course_that_is_nearest_in_time() -> None:
    back = ADMISSION.but(identifier="EPIC5", happened=local("2025-12-20T09:00"), authorised=local("2025-12-20T09:05"))
    again = DISCHARGE.but(identifier="EPIC6", happened=local("2025-12-28T09:00"), authorised=local("2025-12-28T09:05"))
    void = DISCHARGE.but(
        status=CANCELLED, identifier="EPIC7", happened=local("2025-12-10T10:05"), authorised=local("2025-12-28T10:00")
    )
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact())

    story.tell(DISCHARGED + timedelta(days=19), *said_by(back.edifact(), again.oioxml(), void.edifact())).wait(hours=1)

    stays = stays_of([fact for fact in story.pathway.facts if isinstance(fact, StayFact)]).stays
    assert [stay.ended_at for stay in stays] == [milliseconds_of(at("2025-12-28 09:00"))]


def test_two_discharges_of_a_course_on_one_day_are_both_folded() -> None:
    """Case 55 in letters before FHIR: home at ten, back at eleven, and there to stay."""
    back = ADMISSION.but(identifier="EPIC5", happened=local("2025-12-10T11:00"), authorised=local("2025-12-10T11:05"))
    again = DISCHARGE.but(identifier="EPIC6", happened=local("2025-12-10T15:00"), authorised=local("2025-12-10T15:05"))
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact(), back.edifact())
    assert story.offers() == []

    story.tell(DISCHARGED + timedelta(hours=6), *said_by(again.oioxml())).wait_until(DISCHARGED + timedelta(hours=7))

    assert story.outcomes[-2:] == ["folded", "folded"]
    assert len(story.offers()) == len(story.pathway.needs) == 1


def test_the_epikrise_after_the_notice_makes_no_second_need() -> None:
    letter = edited(a_letter("DIS01_1"), "0108584940", "0105104840")
    letter = edited(
        edited(letter, "DTM+90:199811131000", "DTM+90:202512010900"), "DTM+91:199901111300", "DTM+91:202512101000"
    )
    letter = edited(edited(letter, "DTM+137:199901151012", "DTM+137:202512121012"), "2001060:SKS", f"{PSYCHIATRY}:SOR")
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact())
    story.tell(SETTLED + timedelta(days=2), *said_by(letter)).wait(hours=1)

    assert len(story.pathway.needs) == 1


def test_a_death_closes_what_is_open() -> None:
    dead = DISCHARGE.but(
        patient_status=("DE", "doed"), identifier="EPIC9", notification="AB12", status=("N", "nytbrev")
    )
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact()).tell(
        SETTLED + timedelta(days=1), *said_by(dead.edifact())
    )

    assert [need[1:] for need in story.needs()] == [("closed", "deceased")]


def test_a_second_discharge_of_a_course_is_folded() -> None:
    back = ADMISSION.but(identifier="EPIC5", happened=local("2025-12-20T09:00"), authorised=local("2025-12-20T09:05"))
    again = DISCHARGE.but(identifier="EPIC6", happened=local("2025-12-28T09:00"), authorised=local("2025-12-28T09:05"))
    story = a_story(ADMISSION.edifact(), DISCHARGE.edifact())

    story.tell(DISCHARGED + timedelta(days=19), *said_by(back.edifact(), again.oioxml()))

    assert story.outcomes[-4:] == ["folded"] * 4
