"""Takes lists: each row read, compared with what it said before, published and kept; or refused by itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from connectors.gateway.lists.missing import what_is_missing
from connectors.gateway.lists.report import RowReport, SentList, report_of
from connectors.gateway.lists.rows import AcceptedRow, KnownRow
from connectors.gateway.lists.steps import RowChange, can_resume, event_of, row_change_of, row_content_of, unchanged
from connectors.gateway.statements.acceptance import LineOutcome, accept_read, code_again
from connectors.municipal.fields import FIELDS
from schemas.events import UNNUMBERED
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from connectors.gateway.clients.clients import Client
    from connectors.gateway.ports import Desk
    from connectors.gateway.statements.reading import StatementReader
    from connectors.gateway.tables import Fingerprints
    from connectors.municipal.mapping import Mapping
    from connectors.municipal.rows import ListRow, ReadList

_ROWS_AT_ONCE = 500
_DUPLICATE = Refusal(
    "duplicate_row",
    "row",
    "a statement stands in one row of a list; the first one was taken",
    "leave one out; where a list tells every step of a thing, the mapping says so (steps = true)",
)
_NOT_TRIED = Refusal(
    "broker_unavailable", "", "a statement is taken once the broker has confirmed it", "send the same list again"
)


@dataclass(slots=True)
class _Entry:
    """A row on its way. ``outcome`` is set where nothing of it is to be published."""

    row: ListRow
    mark: bytes = b""
    content: bytes = b""
    saying: RowChange = field(default_factory=lambda: RowChange([]))
    outcome: RowReport | None = None


@dataclass(slots=True)
class _SeenRows:
    """The rows of a list so far: each content by its mark with the row it stood in, and which rows are copies."""

    first: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    copies: dict[int, int] = field(default_factory=dict)


async def take_list(desk: Desk, sent: SentList, read: ReadList) -> dict[str, Any]:
    """Returns the report.

    The broker has confirmed whatever is reported as accepted. A list that is cut off anywhere may be sent again, and
    doubles nothing. Raises what the stores raise; then, too, all of it may be sent again.
    """
    reports: list[RowReport] = []
    met = _SeenRows()
    for start in range(0, len(read.rows), _ROWS_AT_ONCE):
        rows = read.rows[start : start + _ROWS_AT_ONCE]
        if any(report.outcome == "unavailable" for report in reports):
            reports += [RowReport(row.number, "unavailable", None, ((None, _NOT_TRIED),)) for row in rows]
        else:
            reports += await _take_rows(desk, sent, list(_entries(desk.fingerprints, sent, rows, met)))
    reports = _with_copies(reports, met.copies)
    missing = await what_is_missing(desk, sent, read, reports)
    return report_of(sent.name, sent.mapping, read, reports, missing)


def form_of(row: ListRow, mapping: Mapping, subject: str, since: datetime) -> dict[str, Any]:
    """Returns a row's form with the id that its list has none of, and the time where it tells none.

    What a row is about is no episode of care: two lists, and a letter, name one stay differently.
    """
    form = {"subject": subject} | (row.form or {})
    known = FIELDS[mapping.event]
    if "episode_id" in known:
        form.setdefault("episode_id", UNNUMBERED)
    for name in ("occurred_at", "status_at"):
        if name in known:
            form.setdefault(name, since.isoformat())
    return form


def problems_of(refusal: Refusal, mapping: Mapping) -> tuple[tuple[str | None, Refusal], ...]:
    """Returns the refusal of a whole row with the column that its field comes from."""
    field = refusal.field.partition("[")[0]
    # One column may tell both times.
    other = {"occurred_at": "status_at", "status_at": "occurred_at"}.get(field, "")
    return ((mapping.column_of(field) or mapping.column_of(other), refusal),)


def _entries(marks: Fingerprints, sent: SentList, rows: Sequence[ListRow], met: _SeenRows) -> Iterator[_Entry]:
    for row in rows:
        if row.key is None:
            yield _Entry(row, outcome=_refused(row))
            continue
        mark = marks.of("list row", sent.client.name, sent.name, *row.key)
        if row.form is None:
            yield _Entry(row, mark, outcome=_refused(row))
            continue
        content = marks.of("list content", json.dumps(row.form, sort_keys=True))
        before, number = met.first.setdefault(mark, (content, row.number))
        if number == row.number:
            yield _Entry(row, mark, content)
        elif before == content:
            met.copies[row.number] = number
            yield _Entry(row, outcome=RowReport(row.number, "repeated"))
        else:
            yield _Entry(row, outcome=RowReport(row.number, "refused", None, ((None, _DUPLICATE),)))


def _with_copies(reports: Sequence[RowReport], copies: dict[int, int]) -> list[RowReport]:
    """Returns the reports where a row that stands twice was taken as often as its first: once, or not at all."""
    by_row = {report.row: report for report in reports}
    firsts = {row: by_row[first] for row, first in copies.items()}
    return [
        replace(firsts[one.row], row=one.row, claim_code=None)
        if one.row in firsts and firsts[one.row].problems
        else one
        for one in reports
    ]


def _refused(row: ListRow) -> RowReport:
    problems = tuple((problem.column, problem.refusal) for problem in row.problems)
    return RowReport(row.number, "refused", None, problems)


async def _take_rows(desk: Desk, sent: SentList, entries: Sequence[_Entry]) -> list[RowReport]:
    known = await asyncio.to_thread(desk.list_rows.enter, sent.of, _contents(entries), sent.at)
    await asyncio.to_thread(_say_all, desk, sent, entries, known)
    said = [statement for entry in entries if entry.outcome is None for statement in entry.saying.statements]
    outcomes = iter(await accept_read(desk, sent.client, sent.topic, said, sent.at))
    reports = [_report(entry, outcomes) for entry in entries]
    await asyncio.to_thread(_keep, desk, sent, entries, reports)
    return reports


def _contents(entries: Sequence[_Entry]) -> dict[bytes, bytes | None]:
    """Returns how each row is, None where it can't be read; of two about the same, as the one that can."""
    contents: dict[bytes, bytes | None] = {}
    for entry in entries:
        if entry.mark:
            contents[entry.mark] = entry.content or contents.get(entry.mark)
    return contents


def _say_all(desk: Desk, sent: SentList, entries: Sequence[_Entry], known: dict[bytes, KnownRow]) -> None:
    """Works out what is to be published of each row; asks the vault, which blocks, about the new and the changed."""
    for entry in entries:
        if entry.outcome is None:
            try:
                entry.saying = _saying(desk, sent, entry, known[entry.mark])
            except RefusedError as error:
                problems = problems_of(error.refusal, sent.mapping)
                entry.outcome = RowReport(entry.row.number, "refused", None, problems)


def _saying(desk: Desk, sent: SentList, entry: _Entry, known: KnownRow) -> RowChange:
    topic = sent.topic
    if known.event is not None and known.content == entry.content and can_resume(topic, known):
        saying = unchanged(topic, known)
        if not saying.statements:
            event = event_of(topic, known.event)
            code = code_again(desk, event)
            entry.outcome = RowReport(entry.row.number, "repeated", event.event_id, claim_code=code)
        return saying
    name = subject_of_row(desk.fingerprints, sent, entry.row)
    form = form_of(entry.row, sent.mapping, name, known.since)
    return row_change_of(topic, read_row_form(desk.reader, topic, form, sent.client, sent.at), known)


def subject_of_row(marks: Fingerprints, sent: SentList, row: ListRow) -> str:
    """Returns an id for what a row is about, of a list without ids: nobody without the key finds the row by it."""
    return f"{sent.name}-{marks.of('list statement', sent.client.name, sent.name, *(row.statement or ())).hex()[:32]}"


def read_row_form(reader: StatementReader, topic: str, form: dict[str, Any], client: Client, at: datetime) -> Any:
    """Returns the statement that a form is, by the one reader of JSON statements; raises RefusedError."""
    return reader.read(topic, json.dumps(form).encode(), client, at)


def _report(entry: _Entry, confirmed: Iterator[LineOutcome]) -> RowReport:
    if entry.outcome is not None:
        return entry.outcome
    outcomes = [next(confirmed) for _ in entry.saying.statements]
    worst = next((one for one in outcomes if one.refusal is not None), outcomes[-1])
    if worst.refusal is not None:
        return RowReport(entry.row.number, worst.outcome, None, ((None, worst.refusal),))
    changed = any(one.outcome == "accepted" for one in outcomes)
    code = next((one.claim_code for one in outcomes if one.claim_code is not None), None)
    return RowReport(entry.row.number, "accepted" if changed else "repeated", outcomes[-1].event_id, (), code)


def _keep(desk: Desk, sent: SentList, entries: Sequence[_Entry], reports: Sequence[RowReport]) -> None:
    """Keeps what rows have become; of those that say what they said, or are refused, that they were there."""
    taken, seen, present = list[AcceptedRow](), list[bytes](), list[bytes]()
    for entry, report in zip(entries, reports, strict=True):
        own = [one for one in entry.saying.statements if one.event.cancels is None]
        if report.outcome in ("accepted", "repeated") and own and entry.outcome is None:
            event = own[-1].event
            taken.append(
                AcceptedRow(entry.mark, entry.content, event.youth_id, row_content_of(event), entry.saying.earlier)
            )
        elif entry.mark and report.outcome != "unavailable":
            (present if report.outcome == "refused" else seen).append(entry.mark)
    desk.list_rows.keep(sent.of, taken, sent.at)
    desk.list_rows.keep_seen(sent.of, seen, present, sent.at)
