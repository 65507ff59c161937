"""What lists tell of courses, as the fold takes it: a row that vanished and is back, and one about somebody else."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.story import MONDAY, SETTLED, Story, a_course, a_person, an_anonymous_consent, an_id

GONE = SETTLED + timedelta(days=1)
GONE_SETTLED = GONE + timedelta(minutes=20)


def a_vanished_course() -> Story:
    """Returns the story of a course that goes on, and then is missing from its list."""
    active = a_course("active", MONDAY, "stime", "active")
    gone = a_course("gone", GONE, "stime", "dropped_out", reason_code="left_the_list")
    return Story().tell(MONDAY, a_person(), an_anonymous_consent(), active).wait_until(SETTLED).tell(GONE, gone)


def test_a_course_that_vanished_from_its_list_is_a_need_once_it_has_settled() -> None:
    story = a_vanished_course()

    assert story.offers() == []
    assert story.wait_until(GONE_SETTLED).offers() == [("ungevaerftet", "helsingoer")]


def test_a_row_that_is_back_before_its_end_has_settled_makes_no_need() -> None:
    story = a_vanished_course()
    back = a_course("back", GONE, "stime", "dropped_out", cancels=an_id("gone"))

    story.tell(GONE + timedelta(minutes=5), back).wait_until(GONE_SETTLED)

    assert story.offers() == []
    assert [need for need in story.pathway.needs if need.state != "closed"] == []


def test_a_row_that_is_back_later_withdraws_the_offer() -> None:
    story = a_vanished_course().wait_until(GONE_SETTLED)
    back = a_course("back", GONE, "stime", "dropped_out", cancels=an_id("gone"))

    story.tell(GONE_SETTLED + timedelta(hours=1), back)

    assert [handover.state for handover in story.pathway.handovers] == ["withdrawn"]
    assert [need.state for need in story.pathway.needs] == ["closed"]


def test_steps_that_were_about_somebody_else_are_all_taken_back() -> None:
    story = a_vanished_course().wait_until(GONE_SETTLED)

    story.tell(
        GONE_SETTLED + timedelta(hours=1),
        a_course("cancel-active", MONDAY, "stime", "active", cancels=an_id("active")),
        a_course("cancel-gone", GONE, "stime", "dropped_out", cancels=an_id("gone")),
    )

    assert [need.state for need in story.pathway.needs] == ["closed"]
