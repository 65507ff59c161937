"""A list that was sent, and its report: what became of each row, by number, column and rule; and never a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from connectors.gateway.clients.clients import Client
    from connectors.municipal.mapping import Mapping
    from connectors.municipal.rows import ReadList
    from schemas.refusals import Refusal

_OUTCOMES = ("accepted", "repeated", "refused", "unavailable")


@dataclass(frozen=True, slots=True)
class SentList:
    """A list that was sent: its name and mapping, by whom and when. ``of`` is what stands for it in the database."""

    name: str
    mapping: Mapping
    client: Client
    of: bytes
    at: datetime
    believe_missing: bool = False

    @property
    def topic(self) -> str:
        """Returns the topic of its statements."""
        return self.mapping.topic


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row; ``problems`` are (column, refusal). ``claim_code`` as in ``LineOutcome``."""

    row: int
    outcome: str
    event_id: UUID | None = None
    problems: tuple[tuple[str | None, Refusal], ...] = ()
    claim_code: str | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Returns it as the report has it."""
        event_id = {} if self.event_id is None else {"event_id": str(self.event_id)}
        refused = [{"column": column, **refusal.as_dict()} for column, refusal in self.problems]
        code = {} if self.claim_code is None else {"claim_code": self.claim_code}
        return {"row": self.row, "outcome": self.outcome} | event_id | ({"refused": refused} if refused else {}) | code


@dataclass(frozen=True, slots=True)
class MissingReport:
    """What became of statements that a snapshot does not have any more.

    ``missing`` were there last time; ``told`` of them were told as ended, ``unavailable`` were not confirmed.
    ``withheld`` says why nothing was told.
    """

    missing: int = 0
    told: int = 0
    withheld: Refusal | None = None
    unavailable: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Returns it as the report has it."""
        withheld = {} if self.withheld is None else {"withheld": self.withheld.as_dict()}
        unavailable = {"unavailable": self.unavailable} if self.unavailable else {}
        return {"rows": self.missing, "told_as_ended": self.told} | unavailable | withheld


def report_of(
    name: str, mapping: Mapping, read: ReadList, rows: Sequence[RowReport], missing: MissingReport | None
) -> dict[str, Any]:
    """Returns the report of a list as JSON."""
    counts = Counter(row.outcome for row in rows)
    return {
        "list": name,
        "event": str(mapping.event),
        "mode": "changes" if read.is_part else str(mapping.mode),
        "rows": len(rows),
        **{outcome: counts[outcome] for outcome in _OUTCOMES},
        "ignored": read.ignored,
        **({"above_names": read.above} if read.above else {}),
        **({} if missing is None else {"missing": missing.as_dict()}),
        "report": [row.as_dict() for row in rows],
    }


def reasons_in(report: dict[str, Any]) -> dict[int, str]:
    """Returns why rows failed, by their numbers, in words for the column that says so."""
    return {row["row"]: "; ".join(map(_reason, row["refused"])) for row in report["report"] if "refused" in row}


def _reason(refused: dict[str, Any]) -> str:
    where = refused["column"] or refused["field"]
    return f"{where}: {refused['rule']} ({refused['help']})"
