"""An owner's list of needs: which of them, the most urgent first, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from connectors.pages.listing import Listed, choices, finds, page_of
from connectors.pages.needs import CLOSED, need_of, seen_by, wanted_needs
from connectors.pages.words import KINDS, NEED_STATES, OWNER_REASONS, REASONS, TRIGGERS
from connectors.read_model.tables import NEEDS, reading

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine

    from connectors.pages.listing import Asked
    from connectors.pages.names import Names
    from connectors.pages.needs import Jurisdiction, NeedRow

MINE, UNDER_WAY = "mine", "under_way"
#: What a list may be narrowed down to, beside each state; closed ones are listed where they are asked for alone.
STATUSES = {MINE: "Venter på jer", UNDER_WAY: "I gang", **NEED_STATES, "with_person": "Afventer stillingtagen"}


class NeedList:
    """Reads the read model; calls block and raise ReadModelUnavailableError."""

    def __init__(self, engine: Engine, names: Names) -> None:
        """Takes the engine of the read model's database, and the names by which rows are found."""
        self._engine = engine
        self._names = names

    def page(self, seen: Jurisdiction, asked: Asked) -> tuple[Listed[NeedRow], dict[str, int]]:
        """Returns a page of needs, and how many of all wanted wait for the owner (MINE) and are under way.

        First what waits for the owner, then the rest; each by its next deadline, what has none last. Closed ones: the
        last that was closed first.
        """
        section = _section_of(seen)
        wanted = wanted_needs().where(seen_by(seen), *self._conditions(seen, asked))
        order = [section == UNDER_WAY, NEEDS.c.clock_at.is_(None), NEEDS.c.clock_at, NEEDS.c.since, NEEDS.c.need_id]
        if asked.chosen.get("status") == CLOSED:
            order = [NEEDS.c.updated_at.desc(), NEEDS.c.need_id]

        def work(connection: Connection) -> tuple[Listed[Any], dict[str, int]]:
            counted = select(section.label("section"), func.count()).where(
                seen_by(seen), *self._conditions(seen, asked)
            )
            counts = {row[0]: row[1] for row in connection.execute(counted.group_by("section"))}
            return page_of(connection, wanted, order, asked.number), counts

        listed, counts = reading(self._engine, work)
        rows = tuple(need_of(row) for row in listed.rows)
        return Listed(rows, listed.total, listed.number), counts

    def municipalities(self, seen: Jurisdiction) -> dict[str, str]:
        """Returns the municipalities of the needs that an owner sees, in the order of their names."""
        return choices(self._engine, NEEDS.c.municipality, seen_by(seen), self._names.municipality)

    def _conditions(self, seen: Jurisdiction, asked: Asked) -> list[ColumnElement[bool]]:
        need, names, chosen = NEEDS.c, self._names, asked.chosen
        status = chosen.get("status", "")
        if status in NEED_STATES:
            conditions = [need.state == status]
        else:
            conditions = [need.state != CLOSED]
            if status:
                conditions.append(_section_of(seen) == status)
        conditions += [getattr(need, name) == chosen[name] for name in ("kind", "municipality") if name in chosen]
        means = (
            (need.kind, KINDS),
            (need.state, NEED_STATES),
            (need.trigger, TRIGGERS),
            (need.reason_code, REASONS | OWNER_REASONS),
            (need.municipality, names.municipalities),
            (need.owner, names.owners | names.sources | names.programmes),
            (need.programme, names.programmes),
        )
        return conditions + finds(asked, (need.need_id, need.age_band), means)


def _section_of(seen: Jurisdiction) -> ColumnElement[str]:
    return case(((NEEDS.c.owner == seen.owner) & (NEEDS.c.state == "with_person"), MINE), else_=UNDER_WAY)
