"""Stage 2 over what it cannot fold: one dead letter or one pathway put aside, and the stream goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.codec import codec
from schemas.instants import milliseconds_of
from schemas.internal import CatalogueVersion, Intake
from schemas.outputs import HandoverEvent, Notice
from schemas.pathway import decode_pathway
from schemas.topics import kafka_name
from streams.agents import join_pathways, room
from streams.domain.pathways import Transition, apply_event, fire_deadlines
from streams.engine.processor import StoredRecord
from tests.agents.entries import (
    OTHER,
    a_tick,
    as_it_was,
    discharged,
    letters_of,
    of,
    statements_of,
)
from tests.agents.intake import Fold, a_log
from tests.domain.story import (
    MONDAY,
    YOUTH,
    a_consent,
    a_person,
    a_step,
    an_id,
    header,
)


def test_bytes_that_are_no_intake_record_become_a_dead_letter_and_the_rest_is_folded() -> None:
    entries = discharged()
    log = a_log(entries)
    broken = StoredRecord(99, log[-1].timestamp, b"k", b"\xc3\x01broken")
    fold = Fold().take([*log, broken, *a_log([a_tick(MONDAY + timedelta(hours=1))])])

    [letter] = fold.written[kafka_name("dead-letters")]
    assert dict(letter.headers)["__connect.errors.class.name"] == b"unknown_fingerprint"
    assert len(fold.decoded("handovers.ungevaerftet", HandoverEvent)) == 1


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
    def failing(pathway: Any, name: str, event: dict[str, Any], *rest: Any) -> Transition:
        if event["event_id"] == str(an_id("stin")):
            raise ZeroDivisionError
        return apply_event(pathway, name, event, *rest)

    monkeypatch.setattr(join_pathways, "apply_event", failing)
    log = a_log([*discharged(), a_tick(MONDAY + timedelta(minutes=16))])
    fold = Fold().take(log)

    [letter] = letters_of(fold)
    assert (letter.code, letter.original) == ("fold_failed", as_it_was(log[3]))
    assert letter.reasons["offset"] == "3"
    assert statements_of(fold) == ["offered"]


def test_a_deadline_that_cant_be_folded_puts_one_pathway_aside_and_the_others_still_fire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(pathway: Any, *rest: Any) -> Transition:
        if pathway.youth_id == YOUTH:
            raise ZeroDivisionError
        return fire_deadlines(pathway, *rest)

    monkeypatch.setattr(join_pathways, "fire_deadlines", failing)
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
        patched.setattr(join_pathways, "fire_deadlines", lambda *_: 1 / 0)
        fold = Fold().take(log[:6])

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["stuck"]
    assert statements_of(fold.take(log[6:])) == ["offered", "reminded"]


def test_a_statement_for_which_a_pathway_has_no_room_is_a_dead_letter_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = Fold().take(a_log(discharged()))
    before = fold.state(YOUTH.encode())
    assert before is not None
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", len(before))
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
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", len(before))
    fold.take(a_log([a_tick(MONDAY + timedelta(days=1))]))

    assert [one["kind"] for one in fold.decoded("notices", Notice)] == ["stuck"]


def test_a_statement_for_which_a_pathway_has_no_room_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Fold().take(a_log(discharged()))
    monkeypatch.setattr(room, "PATHWAY_BYTES_MAX", 1)
    [record] = a_log([(MONDAY, a_consent("one-more", MONDAY))])
    [changes] = fold._task.fold(join_pathways.INTAKE, [record])

    assert changes.counts == {("dead_letters", "pathway_full"): 1}


def test_a_catalogue_version_that_cant_be_read_is_a_dead_letter_and_the_one_before_it_stands() -> None:
    fields = header("catalogue-2", MONDAY) | {"youth_id": None, "version": 2, "content": '{"version": 2}'}
    broken = CatalogueVersion.model_validate(fields)
    fold = Fold().take(a_log([*discharged(), (MONDAY, broken), a_tick(MONDAY + timedelta(minutes=16))]))

    assert len(letters_of(fold)) == 1
    assert statements_of(fold) == ["offered"]


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
