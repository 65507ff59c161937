"""What is old and closed leaves the read model when it leaves the topics, and what is open stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from connectors.gateway.composition import prune_all
from connectors.read_model.projection import project
from connectors.read_model.retention import prune
from connectors.read_model.tables import (
    HANDOVER_EVENTS,
    HANDOVERS,
    INTERVENTIONS,
    NEEDS,
    NOTICES,
    TABLES,
    open_read_model,
)
from schemas.topics import entry_of
from tests.unit.gateway.builders import a_gateway
from tests.unit.read_model.builders import NOW, a_decision, a_notice, a_view, handover_id, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from connectors.read_model.feed import FetchedRecord

DAYS = entry_of("handovers").retention_days or 0
HORIZON = NOW - timedelta(days=DAYS)
BEFORE, AFTER = HORIZON - timedelta(milliseconds=1), HORIZON
CLOSED: list[dict[str, Any]] = [
    {"type": "reply_accepted", "state": "declined"},
    {"type": "reply_accepted", "state": "fulfilled"},
    {"type": "reply_accepted", "state": "ended"},
    {"type": "reply_accepted", "state": "deleted"},
    {"type": "withdrawn", "state": "withdrawn", "reply_by": None, "reason_code": "expired"},
]
OPEN: list[dict[str, Any]] = [
    {"type": "announced", "state": "announced"},
    {"state": "offered"},
    {"type": "reply_accepted", "state": "waitlisted"},
    {"type": "reply_accepted", "state": "accepted"},
    {"type": "reply_accepted", "state": "in_contact"},
    {"type": "withdrawn", "state": "withdrawn", "reply_by": NOW},
]


@pytest.fixture
def engine(database: str) -> Engine:
    return open_read_model(database)


def everything(engine: Engine) -> dict[str, list[Any]]:
    """Returns every row of every table but the progress, in order."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in TABLES.sorted_tables
            if table.name != "progress"
        }


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(table)).all())


def said_at(moment: datetime) -> dict[str, Any]:
    return {"occurred_at": moment}


@pytest.mark.parametrize("changes", CLOSED)
def test_what_ended_leaves_with_its_records_when_the_topic_lets_go_of_them(
    engine: Engine, changes: dict[str, Any]
) -> None:
    project(
        engine, [told("old", (0, 0), **changes, **said_at(BEFORE)), told("new", (0, 1), **changes, **said_at(AFTER))]
    )

    assert prune(engine, NOW) == 2
    with engine.connect() as connection:
        assert connection.scalars(select(HANDOVERS.c.handover_id)).all() == [handover_id("new")]
        assert connection.scalars(select(HANDOVER_EVENTS.c.handover_id)).all() == [handover_id("new")]


@pytest.mark.parametrize("changes", OPEN)
def test_what_is_open_stays_however_long_ago_it_was_told_of(engine: Engine, changes: dict[str, Any]) -> None:
    project(engine, [told("old", (0, 0), **changes, **said_at(BEFORE))])

    prune(engine, NOW)

    assert (count(engine, HANDOVERS), count(engine, HANDOVER_EVENTS)) == (1, 0)


def test_notices_leave_and_needs_stay_as_their_pathway_shows_them(engine: Engine) -> None:
    project(engine, [a_notice("old", (0, 0), **said_at(BEFORE)), a_notice("new", (0, 1), **said_at(AFTER))])
    project(engine, [a_view("one", state="closed", since=BEFORE)])

    assert prune(engine, NOW) == 1
    assert (count(engine, NOTICES), count(engine, NEEDS)) == (1, 1)


def test_decisions_leave_when_notices_do(engine: Engine) -> None:
    project(engine, [a_decision("old", (0, 0), **said_at(BEFORE)), a_decision("new", (0, 1), **said_at(AFTER))])

    assert prune(engine, NOW) == 1
    assert count(engine, INTERVENTIONS) == 1


def test_one_made_anew_from_what_the_topics_have_left_holds_the_same(new_database: Callable[[], str]) -> None:
    closed = {"type": "reply_accepted", "state": "ended"}
    expired: list[FetchedRecord] = [
        told("gone", (0, 0), **said_at(BEFORE - timedelta(days=9))),
        told("gone", (0, 1), **closed, **said_at(BEFORE)),
        a_notice("gone", (0, 0), **said_at(BEFORE)),
    ]
    kept: list[FetchedRecord] = [
        told("open", (0, 2), **said_at(AFTER)),
        told("ended", (0, 3), **said_at(AFTER)),
        told("ended", (0, 4), **closed, **said_at(NOW)),
        a_notice("kept", (0, 1), **said_at(AFTER)),
        a_view("one"),
    ]
    grown, anew = (open_read_model(new_database()) for _ in range(2))
    project(grown, expired)
    project(grown, kept)
    project(anew, kept)

    prune(grown, NOW)
    prune(anew, NOW)

    assert everything(grown) == everything(anew)
    assert count(anew, HANDOVERS) == 2


async def test_the_gateway_prunes_it_with_its_own_tables(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as gateway:
        gateway.log.append(a_notice("old", (0, 0), **said_at(BEFORE)))
        await gateway.log.wait_until_taken()
        desk = gateway.app.state.desk

        pruned = prune_all(desk)

        # The gateway's own task may have been there first; what counts is that the row was there, and goes.
        own = {"receipts", "statements", "list_rows", "replies", "unknown_receivers", "claim_codes"}
        assert set(pruned) == own | {"read_model"}
        assert desk.read_model.projector.is_current
        assert count(desk.read_model.engine, NOTICES) == 0
