"""Records become rows: in order, once, and the same whenever the database is made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from aiokafka.structs import ConsumerRecord
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from connectors.read_model.feed import FetchedRecord
from connectors.read_model.projection import OvertakenError, forget_all, progress_of, project
from connectors.read_model.tables import (
    HANDOVER_EVENTS,
    HANDOVERS,
    INTERVENTIONS,
    NEEDS,
    NOTICES,
    TABLES,
    open_read_model,
)
from schemas.identifiers import derived_id
from schemas.topics import kafka_name
from streams.log.following import record_as_json
from tests.unit.read_model.builders import (
    NOW,
    YOUTH_ID,
    a_decision,
    a_notice,
    a_view,
    an_answer,
    broken,
    handover_id,
    told,
)

pytestmark = pytest.mark.long

REPLY = derived_id("reply")


@pytest.fixture
def engine(database: str) -> Engine:
    return open_read_model(database)


def rows_of(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        order = list(table.primary_key)
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(*order))]


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows_of(engine, table) for table in TABLES.sorted_tables}


def test_a_handover_is_as_its_programme_was_last_told(engine: Engine) -> None:
    records = [
        told("one", (3, 5)),
        told("one", (3, 6), type="reminded", event_id=derived_id("second")),
        told("one", (3, 9), type="withdrawn", state="withdrawn", reason_code="expired", reply_by=None),
    ]

    project(engine, records)

    [handover] = rows_of(engine, HANDOVERS)
    assert (handover["state"], handover["reason_code"], handover["reply_by"]) == ("withdrawn", "expired", None)
    assert [row["offset"] for row in rows_of(engine, HANDOVER_EVENTS)] == [5, 6, 9]


def test_a_record_is_kept_in_the_form_that_subscribe_prints(engine: Engine) -> None:
    record = told("one", (3, 5))
    fetched = ConsumerRecord(
        record.topic, 3, 5, record.timestamp, 0, record.key, record.value, None, 0, 0, tuple(record.headers)
    )

    project(engine, [record])

    assert rows_of(engine, HANDOVER_EVENTS)[0]["record"] == record_as_json(fetched)


@pytest.mark.parametrize("state", [None, "withdrawn"])
def test_a_refused_reply_changes_no_handover(engine: Engine, state: str | None) -> None:
    project(engine, [told("one", (0, 0))])
    before = rows_of(engine, HANDOVERS)

    project(engine, [an_answer(REPLY, "one", type="reply_refused", state=state, reason_code="unknown_handover")])

    assert rows_of(engine, HANDOVERS) == before
    assert len(rows_of(engine, HANDOVER_EVENTS)) == 2


def test_the_same_handover_id_on_two_topics_is_two_handovers(engine: Engine) -> None:
    project(engine, [told("one", (0, 0)), told("one", (0, 0), programme="stime", state="accepted")])

    assert [(row["programme"], row["state"]) for row in rows_of(engine, HANDOVERS)] == [
        ("headspace", "offered"),
        ("stime", "accepted"),
    ]


def test_a_view_replaces_all_needs_of_its_young_person_and_nobody_elses(engine: Engine) -> None:
    other = "f" * 32
    project(engine, [a_view("a", "b", place=(0, 0)), a_view("c", place=(1, 0), youth_id=other)])

    project(engine, [a_view("b", place=(0, 1), state="closed", reason_code="fulfilled")])

    needs = {UUID(row["need_id"]): (row["youth_id"], row["state"]) for row in rows_of(engine, NEEDS)}
    assert needs == {derived_id("need", "b"): (YOUTH_ID, "closed"), derived_id("need", "c"): (other, "open")}


def test_a_need_has_what_its_owner_is_shown(engine: Engine) -> None:
    project(engine, [a_view("a", clock_at=NOW)])

    [need] = rows_of(engine, NEEDS)
    assert need["options"] == [{"programme": "headspace", "outcome": "age"}]
    assert (need["owner"], need["since"], need["clock_at"], need["age_band"]) == ("Helsingør", NOW, NOW, "15-17")


def test_an_erased_pathway_leaves_no_need(engine: Engine) -> None:
    project(engine, [a_view("a", place=(0, 0))])

    project(engine, [FetchedRecord(kafka_name("pathways"), 0, 1, 0, YOUTH_ID.encode(), None)])

    assert rows_of(engine, NEEDS) == []


def test_a_need_that_two_linked_pathways_have_stands_for_both(engine: Engine) -> None:
    project(engine, [a_view("a", place=(0, 0)), a_view("a", place=(1, 0), youth_id="f" * 32)])

    assert len(rows_of(engine, NEEDS)) == 2


def test_any_batching_gives_the_same_database(engine: Engine, new_database: Callable[[], str]) -> None:
    other = open_read_model(new_database())
    records = a_log()
    project(engine, records)

    for record in records:
        project(other, [record])

    assert everything(other) == everything(engine)


def test_deleted_and_projected_again_it_is_the_same(engine: Engine) -> None:
    project(engine, a_log())
    before = everything(engine)

    forget_all(engine)
    emptied = everything(engine)
    project(engine, a_log())

    assert set(map(len, emptied.values())) == {0}
    assert everything(engine) == before


def test_what_is_projected_is_never_projected_again(engine: Engine) -> None:
    project(engine, a_log())
    before = everything(engine)

    with pytest.raises(OvertakenError):
        project(engine, [a_notice("another", (0, 1)), told("one", (3, 5))])

    assert everything(engine) == before


def test_progress_passes_over_markers_of_transactions(engine: Engine) -> None:
    project(engine, [told("one", (3, 5))])
    project(engine, [told("two", (3, 9))])

    assert progress_of(engine) == {(kafka_name("handovers.headspace"), 3): 10}


def test_a_record_that_cannot_be_read_is_named_counted_and_passed_over(engine: Engine) -> None:
    with capture_logs() as logs:
        projected = project(engine, [broken((0, 0)), told("one", (0, 1)), a_notice("one", (0, 0))])

    [line] = [one for one in logs if one["event"] == "record_unreadable"]
    assert (line["event_id"], line["offset"], line["log_level"]) == (str(derived_id("broken")), 0, "error")
    assert "Berggren" not in str(logs)
    assert projected.unreadable == {kafka_name("handovers.headspace"): 1}
    assert projected.taken == {kafka_name("handovers.headspace"): 1, kafka_name("notices"): 1}
    assert [row["handover_id"] for row in rows_of(engine, HANDOVERS)] == [handover_id("one")]


def test_a_notice_is_kept_with_what_it_is_about(engine: Engine) -> None:
    project(engine, [a_notice("one", (2, 4), due_at=NOW)])

    [notice] = rows_of(engine, NOTICES)
    assert (notice["kind"], notice["recipient"], notice["due_at"]) == ("escalated", "Helsingør", NOW)


def test_a_decision_is_kept_with_who_decided_it_in_what_role(engine: Engine) -> None:
    project(engine, [a_decision("one", (1, 0), action="offered", programme="headspace"), a_decision("one", (1, 1))])

    [decision] = rows_of(engine, INTERVENTIONS)
    assert (decision["need_id"], decision["action"]) == (str(derived_id("need", "one")), "assigned")
    assert (decision["actor"], decision["role"], decision["said_at"]) == ("Helsingør", "owner", NOW)


def test_an_erasure_takes_what_was_decided_before_however_often_it_is_projected(engine: Engine) -> None:
    erased = {"action": "erased", "actor": "operations", "role": "erasure"}
    records = [a_decision("one", (0, 0)), a_decision("other", (0, 1), youth_id="f" * 32)]

    project(engine, [*records, a_decision("gone", (0, 2), **erased)])

    assert [row["youth_id"] for row in rows_of(engine, INTERVENTIONS)] == ["f" * 32]


def a_log() -> list[FetchedRecord]:
    """Returns a little of everything, in an order that keeps each partition's own."""
    return [
        told("one", (3, 5)),
        a_notice("one", (0, 0)),
        a_view("a", "b", place=(0, 0)),
        broken((3, 6)),
        told("two", (1, 0), programme="stime"),
        an_answer(REPLY, "one", (3, 7)),
        a_view("b", place=(0, 4)),
        a_decision("one", (0, 0)),
        an_answer(REPLY, "one", (3, 8), type="reply_refused", reason_code="not_in_this_state"),
    ]
