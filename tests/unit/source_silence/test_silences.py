"""One notice when a source falls silent, one when it is back; whoever reads the topics anew tells nothing twice."""

from __future__ import annotations

from datetime import timedelta

from connectors.source_silence.silences import Silences
from schemas.codec import codec
from schemas.codes import NoticeKind
from schemas.outputs import Notice
from tests.unit.source_silence.builders import SOURCE, heard_at, office_hours, silences_of

EVENTS = office_hours(3)
LATER = EVENTS[-1].at + timedelta(days=7)


def tell(silences: Silences, after: timedelta = timedelta(days=7)) -> list[Notice]:
    """Returns what is due so long after the last event, and has it told."""
    due = silences.due(EVENTS[-1].at + after)
    for notice in due:
        silences.told(notice)
    return due


def test_a_source_that_falls_silent_is_told_of_once() -> None:
    silences = silences_of(EVENTS)

    early, first, again = tell(silences, timedelta(days=1)), tell(silences), tell(silences, timedelta(days=30))

    assert (early, again) == ([], [])
    assert [(one.kind, one.subject, one.recipient) for one in first] == [
        (NoticeKind.SILENT_SOURCE, SOURCE, "operations")
    ]
    assert first[0].causation_id == EVENTS[-1].event_id


def test_a_source_that_is_back_is_told_of_once_and_may_fall_silent_again() -> None:
    silences = silences_of(EVENTS)
    [silent] = tell(silences)
    silences.heard(SOURCE, heard_at(LATER))

    back, again = tell(silences), tell(silences)
    later = tell(silences, timedelta(days=60))

    assert [(one.kind, one.correlation_id) for one in back] == [(NoticeKind.SOURCE_BACK, silent.event_id)]
    assert again == []
    assert [one.kind for one in later] == [NoticeKind.SILENT_SOURCE]
    assert later[0].event_id != silent.event_id


def test_after_a_restart_what_stands_on_the_topic_is_not_told_again_and_what_does_not_has_the_same_id() -> None:
    [silent] = tell(silences_of(EVENTS))
    knowing, unknowing = silences_of(EVENTS), silences_of(EVENTS)
    knowing.told(silent)

    assert tell(knowing, timedelta(days=9)) == []
    assert tell(unknowing, timedelta(days=9)) == [silent]


def test_after_a_restart_a_source_that_came_back_meanwhile_is_told_of() -> None:
    [silent] = tell(silences_of(EVENTS))
    restarted = silences_of([heard_at(LATER)])
    restarted.told(silent)

    assert [one.kind for one in tell(restarted)] == [NoticeKind.SOURCE_BACK]


def test_of_a_silence_that_nobody_saw_nothing_is_told() -> None:
    assert tell(silences_of([*EVENTS, heard_at(LATER)]), timedelta(days=7, hours=1)) == []


def test_notices_of_other_kinds_say_nothing_of_sources() -> None:
    silences = silences_of(EVENTS)
    [silent] = silences.due(LATER)
    silences.told(silent.model_copy(update={"kind": NoticeKind.STUCK}))

    assert silences.due(LATER) == [silent]


def test_a_notice_of_a_source_goes_through_its_topics_form() -> None:
    [silent] = tell(silences_of(EVENTS))

    assert codec(Notice).decode(codec(Notice).encode(silent)) == silent
