"""Law 5 on whole logs in memory: what balances, and what a removed or doubled record does to the books."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from schemas.topics import kafka_name
from streams.log.accounting import account_of
from streams.log.books import Account
from streams.log.replaying import replay_snapshot
from tests.unit.cli.logs import HOME, INTAKE, OFFERS, PARTITIONS, ROOTS, MemorySnapshot, a_snapshot


def the_account(snapshot: MemorySnapshot) -> Account:
    return account_of(snapshot, replay_snapshot(snapshot, ROOTS))


def what(account: Account) -> set[tuple[str, str]]:
    return {(finding.what, finding.topic) for finding in account.findings}


def test_a_whole_log_balances_with_a_repeat_and_a_dead_letter_among_it() -> None:
    account = the_account(a_snapshot())

    assert account.findings == []
    assert account.needs_opened == sum(account.needs_by_state.values()) > 0
    assert account.as_dict()["needs"]["by_reason"] == {"discharged_home": account.needs_opened}
    readable = sum((line for (source, _), line in account.events.items() if source != "unreadable"), Counter())
    assert (readable["in"], readable["folded"], readable["duplicate"]) == (9, 8, 1)
    [unreadable] = [line for (source, _), line in account.events.items() if source == "unreadable"]
    assert (unreadable["in"], unreadable["dead_letter"]) == (1, 1)
    assert account.outputs[OFFERS][0] == account.outputs[OFFERS][1] > 0


@pytest.mark.parametrize("index", range(1, 6))
def test_an_intake_record_that_is_missing_is_named_by_the_public_record_it_came_from(index: int) -> None:
    account = the_account(a_snapshot().without(INTAKE, index))

    assert ("unbalanced", "") in what(account)
    [missing] = [one for one in account.findings if one.text.startswith("became neither")]
    assert missing.what == "missing"


@pytest.mark.parametrize("index", range(7))
def test_any_intake_record_that_stands_twice_does_not_balance(index: int) -> None:
    account = the_account(a_snapshot().doubled(INTAKE, index))

    assert "doubled" in {finding.what for finding in account.findings}


def test_a_catalogue_version_that_one_partition_lacks_is_found() -> None:
    snapshot = a_snapshot().without(INTAKE, -1)

    assert ("missing", INTAKE) in what(the_account(snapshot))


@pytest.mark.parametrize("topic", [OFFERS, kafka_name("pathways"), kafka_name("dead-letters")])
def test_an_output_that_is_missing_is_found(topic: str) -> None:
    assert what(the_account(a_snapshot().without(topic, -1))) != set()


def test_a_handover_that_stands_twice_is_found() -> None:
    assert ("doubled", OFFERS) in what(the_account(a_snapshot().doubled(OFFERS, 0)))


def test_public_records_and_dead_letters_that_have_expired_do_not_count_against_the_books() -> None:
    snapshot = a_snapshot()
    public = {place for place in snapshot.held if place[0] in (kafka_name("discharges"), kafka_name("persons"))}
    begins = snapshot.extent.begins | {topic: [1000] * PARTITIONS for topic, _ in public}
    held = {place: [] if place in public else records for place, records in snapshot.held.items()}

    account = the_account(MemorySnapshot(replace(snapshot.extent, begins=begins), held))

    assert account.findings == []


def test_what_no_stage_has_taken_yet_is_under_way_and_balances() -> None:
    snapshot = a_snapshot()
    last = snapshot.held[INTAKE, HOME][-1].offset
    behind = {
        "merge_intake": snapshot.extent.before["merge_intake"],
        "join_pathways": {number: {INTAKE: 0} for number in range(PARTITIONS)},
    }
    kept = {
        place: records
        for place, records in snapshot.held.items()
        if place[0] in snapshot.extent.begins
        and "handovers" not in place[0]
        and "pathways" not in place[0]
        and "notices" not in place[0]
        and "disclosures" not in place[0]
    }

    account = the_account(MemorySnapshot(replace(snapshot.extent, before=behind, after=behind), kept))

    assert last > 0
    assert account.findings == []
    assert sum(line["under_way"] for line in account.events.values()) == 9
