"""Stage 1: where a record goes and comes from, and how many that cannot be taken are too many."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.codec import codec
from schemas.events import Reply
from schemas.topics import kafka_name
from streams.agents.dead_letters import TooManyDeadLettersError
from streams.partitioning import partition_of
from tests.agents.merges import (
    GOOD,
    PARTITIONS,
    Merge,
    a_record,
    altered,
)
from tests.domain.story import MONDAY, YOUTH, a_person, a_step, at, header


def test_a_record_cut_short_at_any_byte_is_one_dead_letter() -> None:
    whole = codec(type(GOOD)).encode(GOOD)
    records = [a_record(value=whole[:length]) for length in range(len(whole))]
    merge = Merge(count_max=len(whole)).take("discharges", [*records, a_record()])

    assert [original.value for original, _ in merge.letters()] == [record.value for record in records]
    assert len(merge.merged()) == 1


def test_a_merged_record_says_where_it_came_from_and_lies_in_its_young_persons_partition() -> None:
    merge = Merge().take("discharges", [a_record()])

    [merged] = merge.merged()
    [(partition, written)] = merge.written[kafka_name("intake")]
    assert (merged["origin_topic"], merged["origin_partition"], merged["origin_offset"]) == (
        kafka_name("discharges"),
        3,
        7,
    )
    assert (partition, written.key) == (partition_of(YOUTH.encode(), PARTITIONS), YOUTH.encode())


def test_free_capacity_is_keyed_by_its_programme_and_told_about_nobody() -> None:
    fields = header("capacity", MONDAY) | {"youth_id": None, "source": "headspace", "programme": "headspace"}
    reply = Reply.model_validate(fields | {"status": "free_capacity", "free_places": 3})
    merge = Merge().take("replies", [a_record(reply, key=b"headspace"), a_record(reply, key=b"ungevaerftet")])

    assert len(merge.merged()) == 1
    assert [reasons["class.name"] for _, reasons in merge.letters()] == ["wrong_key"]


def test_dead_letters_up_to_the_limit_are_written_and_one_more_stops_the_worker() -> None:
    broken = [a_record(value=b"")] * 5

    assert len(Merge(count_max=5).take("discharges", broken).letters()) == 5
    with pytest.raises(TooManyDeadLettersError, match="merge_intake partition 3: more than 5 of 1000"):
        Merge(count_max=5).take("discharges", [*broken, a_record(value=b"")])


def test_dead_letters_far_apart_never_reach_the_limit() -> None:
    month = [a_record(value=b""), *[a_record()] * 9] * 40
    merge = Merge(count_max=5, window=40).take("discharges", month)

    assert len(merge.letters()) == 40


def test_a_release_that_reads_nothing_is_stopped_before_its_offset_passes_the_records() -> None:
    merge = Merge(count_max=5)
    with pytest.raises(TooManyDeadLettersError):
        merge.take("discharges", [a_record(value=b"")] * 100)

    assert merge.written == {}
    assert merge._task.state.offsets == {}


def test_the_earliest_and_latest_dates_are_taken() -> None:
    old = a_person("old", birth_date=date(1850, 1, 1))
    planned = a_step("late", MONDAY, "discharge_planned", planned_at=at("2199-12-31 12:00"))
    merge = Merge().take("persons", [a_record(old)]).take("discharges", [a_record(planned)])

    assert len(merge.merged()) == 2


@pytest.mark.parametrize(
    ("field", "value"), [("event_id", "no-uuid"), ("cancels", "no-uuid"), ("source", ""), ("unit", "u" * 200_000)]
)
def test_a_record_that_breaks_a_rule_of_its_model_is_a_dead_letter(field: str, value: str) -> None:
    merge = Merge().take("discharges", [a_record(value=altered(GOOD, **{field: value}))])

    assert len(merge.letters()) == 1
    assert merge.merged() == []
