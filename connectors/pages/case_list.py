"""A programme's worklist: what is to be done, the most urgent first, a page at a time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, null, or_, select

from connectors.pages.listing import Listed, choices, finds, page_of
from connectors.pages.words import CASE_STATES, IDENTITIES, KINDS, REASONS, TRIGGERS
from connectors.pages.worklist import WorklistItem
from connectors.read_model.tables import HANDOVERS, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

    from connectors.pages.listing import Asked
    from connectors.pages.names import Names
    from connectors.read_model.handovers import Scope

OVERDUE, PAST = "overdue", "past"
#: What is open, the most urgent first.
TASKS = (OVERDUE, "offered", "accepted", "withdrawn", "waitlisted", "in_contact", "announced")
STATUSES = {OVERDUE: "Fristen er overskredet", **{state: CASE_STATES[state] for state in TASKS[1:]}, PAST: "Afsluttet"}
_C = HANDOVERS.c
_DUE = case(
    (_C.state.in_(("offered", "withdrawn")), _C.reply_by), (_C.state == "accepted", _C.first_contact_by), else_=null()
)
_STATE = func.coalesce(_C.state, "UNKNOWN")
# What was withdrawn with nothing to delete asks nothing more of the programme.
_OPEN = and_(_STATE.in_(TASKS), or_(_STATE != "withdrawn", _C.reply_by.is_not(None)))


class CaseList:
    """Reads the read model; calls block and raise ReadModelUnavailableError."""

    def __init__(self, engine: Engine, names: Names) -> None:
        """Takes the engine of the read model's database, and the names by which rows are found."""
        self._engine = engine
        self._names = names

    def page(self, reach: Scope, asked: Asked, now: datetime) -> tuple[Listed[WorklistItem], dict[str, int]]:
        """Returns a page of handovers within reach, and how many of all wanted each task has.

        Tasks come in their order, in each the next deadline first, then the one that was offered first. Past ones: the
        last that ended first.
        """
        task = _task(now)
        conditions = [reach.of(HANDOVERS), *self._conditions(asked, task)]
        rank = case({name: number for number, name in enumerate(TASKS)}, value=task, else_=len(TASKS))
        order: list[Any] = [rank, _DUE.is_(None), _DUE, _C.offered_at, _C.handover_id]
        if asked.chosen.get("status") == PAST:
            order = [_C.updated_at.desc(), _C.handover_id]

        def work(connection: Connection) -> tuple[Listed[Any], dict[str, int]]:
            counted = select(task.label("section"), func.count()).where(*conditions).group_by("section")
            counts = {row[0]: row[1] for row in connection.execute(counted)}
            return page_of(connection, select(HANDOVERS).where(*conditions), order, asked.number), counts

        listed, counts = reading(self._engine, work)
        return Listed(
            tuple(WorklistItem.model_validate(row) for row in listed.rows), listed.total, listed.number
        ), counts

    def municipalities(self, reach: Scope) -> dict[str, str]:
        """Returns the municipalities of the handovers within reach, in the order of their names."""
        return choices(self._engine, _C.municipality, reach.of(HANDOVERS), self._names.municipality)

    def latest(self, reach: Scope) -> datetime | None:
        """Returns when something within reach changed last."""
        wanted = select(func.max(_C.updated_at)).where(reach.of(HANDOVERS))
        found: datetime | None = reading(self._engine, lambda connection: connection.scalar(wanted))
        return found

    def _conditions(self, asked: Asked, task: ColumnElement[str]) -> list[ColumnElement[bool]]:
        chosen, status = asked.chosen, asked.chosen.get("status")
        conditions = [~_OPEN if status == PAST else _OPEN]
        if status not in (None, PAST):
            conditions.append(task == status)
        columns = {"kind": _C.need_kind, "municipality": _C.municipality, "site": _C.site}
        conditions += [column == chosen[name] for name, column in columns.items() if name in chosen]
        sites = {site: name for known in self._names.sites.values() for site, name in known.items()}
        means = (
            (_C.need_kind, KINDS),
            (_C.state, CASE_STATES),
            (_C.identity, IDENTITIES),
            (_C.trigger, TRIGGERS),
            (_C.reason_code, REASONS),
            (_C.municipality, self._names.municipalities),
            (_C.site, sites),
        )
        return conditions + finds(asked, (_C.handover_id, _C.age_band), means)


def by_task(cases: Sequence[WorklistItem], now: datetime) -> list[tuple[str, list[WorklistItem]]]:
    """Returns the tasks of a page's rows, each with its rows, in their order."""
    return [(task, list(some)) for task, some in groupby(cases, lambda one: task_of(one, now))]


def task_of(one: WorklistItem, now: datetime) -> str:
    """Returns what a handover asks of its programme: to do it at once, or what its state asks for."""
    return OVERDUE if one.due_at is not None and one.due_at <= now else one.state


def _task(now: datetime) -> Any:
    return case((_DUE <= now, OVERDUE), else_=_STATE)  # noqa: SIM300 the column is what is compared
