"""A need's history: who did what, told from decisions, notices and what programmes were told and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from connectors.pages.links import ABOUT_CONSENT
from connectors.pages.words import ACTS, DECISIONS, NOTICES_SENT, OWNER_REASONS, REASONS, TOLD, said
from connectors.read_model.tables import HANDOVER_EVENTS, INTERVENTIONS, NOTICES, reading
from schemas.identifiers import derived_text
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

    from connectors.pages.names import Names
    from connectors.pages.needs import NeedRow
    from connectors.vault.pseudonyms import Pseudonyms

_ENTRIES_MAX = 200
#: More handovers of one need are not looked for.
_ATTEMPTS_MAX = 12
_OWNER_ROLE = "owner"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what when; ``why`` in words where a reason was given. ``asks_consent`` where it is being asked for it."""

    said_at: datetime
    who: str
    what: str
    why: str = ""
    asks_consent: bool = False


class History:
    """Reads the read model; calls block and raise ReadModelUnavailableError."""

    def __init__(self, engine: Engine, names: Names, pseudonyms: Pseudonyms) -> None:
        """Takes the engine of the read model's database, the names of those who did something, and their ids' keys."""
        self._engine = engine
        self._names = names
        self._pseudonyms = pseudonyms

    def of(self, need: NeedRow) -> list[Entry]:
        """Returns what is known to have happened to a need, oldest first; of more than 200 each the latest 200."""
        decided, noticed = INTERVENTIONS.c.need_id == need.need_id, NOTICES.c.subject == need.need_id
        events = HANDOVER_EVENTS.c
        told = or_(
            *(
                (events.programme == programme) & (events.need_id == told_as)
                for programme, told_as in self._told_as(need)
            )
        )

        def work(connection: Connection) -> list[Entry]:
            entries = [
                *(self._decided(row) for row in _latest(connection, INTERVENTIONS, decided)),
                *(self._told(row) for row in sorted(_latest(connection, HANDOVER_EVENTS, told), key=_is_offer)),
                *(self._noticed(row) for row in _latest(connection, NOTICES, noticed)),
            ]
            return sorted(entries, key=lambda one: one.said_at)

        return reading(self._engine, work)

    def _told_as(self, need: NeedRow) -> list[tuple[str, str]]:
        """Returns each programme that may have been told of a need, and the ids by which its topic names the need.

        It has one under the young person's own pseudonym there, and one for each handover that has a pseudonym of its
        own; both under each root that pseudonyms were made with.
        """
        aliases = [
            (programme, self._pseudonyms.alias_of(programme, need.youth_id, only, key_id))
            for programme in self._names.programmes
            for only in (None, *_handover_ids(need.need_id, programme))
            for key_id in self._pseudonyms.key_ids
        ]
        return [(programme, alias.ids.shown(need.need_id)) for programme, alias in aliases]

    def _decided(self, row: Any) -> Entry:
        who = self._names.party(row.actor) + ("" if row.role == _OWNER_ROLE else f" ({row.role})")
        what = said(row.action, DECISIONS)
        if row.programme:
            what = f"{what} til {self._names.programme(row.programme)}"
        return Entry(row.said_at, who, what, _why(row.reason_code))

    def _told(self, row: Any) -> Entry:
        said_at = self._said_at(row)
        reason = row.record["event"].get("reason_code")
        what = said(row.type, TOLD)
        if row.type == "reply_accepted" and reason:
            return Entry(said_at, self._names.programme(row.programme), f"{what}: {said(reason, ACTS)}")
        return Entry(said_at, self._names.programme(row.programme), what, _why(reason))

    def _said_at(self, row: Any) -> datetime:
        """Returns when a programme was told: each handover's times are shown early by its own measure."""
        alias = self._pseudonyms.alias_under(row.programme, row.record["event"]["youth_id"])
        return row.said_at if alias is None else moment_of(alias.ids.later(milliseconds_of(row.said_at)))

    def _noticed(self, row: Any) -> Entry:
        asks = row.kind in ABOUT_CONSENT
        return Entry(
            row.said_at, self._names.party(row.recipient), said(row.kind, NOTICES_SENT), _why(row.reason_code), asks
        )


def _is_offer(row: Any) -> bool:
    """Tells what comes last of what is said at once: an offer follows from what ended the one before."""
    return bool(row.type == "offered")


def _handover_ids(need_id: str, programme: str) -> list[str]:
    """Returns the ids that a need's handovers to a programme have, whether or not there were so many."""
    return [derived_text("handover", need_id, programme, str(attempt)) for attempt in range(1, _ATTEMPTS_MAX + 1)]


def _why(reason: str | None) -> str:
    return said(reason, OWNER_REASONS, REASONS, ACTS)


def _latest(connection: Connection, table: Any, about: ColumnElement[bool]) -> list[Any]:
    wanted = select(table).where(about).order_by(table.c.said_at.desc())
    return list(reversed(connection.execute(wanted.limit(_ENTRIES_MAX)).all()))
