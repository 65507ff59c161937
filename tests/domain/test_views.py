"""The public view says who has a need, since when, and when its clock runs out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from schemas.instants import moment_of
from tests.domain.story import COPENHAGEN, Story, a_discharged_story, an_anonymous_consent, at

OFFERED_AT = at("2026-02-02 10:15")


def an_offered_story() -> Story:
    """Tells of a need that is offered to Ungeværftet."""
    return a_discharged_story(an_anonymous_consent()).wait_until(OFFERED_AT)


def waiting(story: Story) -> tuple[str, datetime, str | None, datetime | None]:
    """Returns state, since when, programme and clock of the one need, in Danish times."""
    [need] = story.views[-1]["needs"]
    return need["state"], danish(need["since"]), need["programme"], need["clock_at"] and danish(need["clock_at"])


def danish(milliseconds: int) -> datetime:
    return moment_of(milliseconds).astimezone(COPENHAGEN)


def test_an_offer_waits_since_it_left_until_the_programme_has_to_have_answered() -> None:
    story = an_offered_story()
    reply_by = danish(story.pathway.handovers[0].reply_by)

    assert waiting(story) == ("offered", OFFERED_AT, "ungevaerftet", reply_by)


def test_the_reminder_on_the_way_moves_no_clock_that_is_shown() -> None:
    story = an_offered_story()
    before = waiting(story)
    story.wait_until(moment_of(story.pathway.next_due))

    assert [one[0] for one in story.to_programmes()] == ["offered", "reminded"]
    assert waiting(story) == before


@pytest.mark.parametrize(
    ("status", "changes", "state", "clock"),
    [
        ("accepted", {}, "taken_over", "2026-02-09 11:00"),
        ("waitlisted", {"waitlisted_until": date(2026, 2, 20)}, "offered", "2026-02-21 00:00"),
    ],
)
def test_after_an_answer_the_clock_is_the_first_contacts_or_the_waiting_lists(
    status: str, changes: dict[str, Any], state: str, clock: str
) -> None:
    story = an_offered_story().reply(at("2026-02-02 11:00"), "ungevaerftet", status, **changes)

    assert waiting(story) == (state, OFFERED_AT, "ungevaerftet", at(clock))


def test_what_waits_for_consent_or_a_person_has_no_programme_and_its_own_clock() -> None:
    story = a_discharged_story().wait_until(OFFERED_AT)
    need = story.pathway.needs[0]

    assert waiting(story) == ("awaiting_consent", OFFERED_AT, None, danish(need.clock_at))
