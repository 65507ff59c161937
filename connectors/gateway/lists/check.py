"""Tries a list without sending it: every row read as the door would, against a vault that is thrown away."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from connectors.gateway.clients.clients import Client, ClientKind
from connectors.gateway.lists.report import RowReport
from connectors.gateway.lists.taking import form_of, problems_of, read_row_form
from connectors.gateway.settings import Limits
from connectors.gateway.statements.reading import StatementReader
from connectors.vault.keys import create_keys, index_keys, pseudonym_roots
from connectors.vault.number_links import NumberLinks
from connectors.vault.pseudonyms import Pseudonyms
from connectors.vault.store import open_vault
from connectors.vault.urls import sqlite_url
from schemas.reference import Reference, load_reference
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from connectors.municipal.mapping import Mapping
    from connectors.municipal.rows import ListRow, ReadList

_DUPLICATE = Refusal("duplicate_row", "row", "a statement stands in one row of a list", "leave one of the two out")


def checked_list(read: ReadList, mapping: Mapping, reference_folder: Path) -> dict[str, Any]:
    """Returns a report as the door's, where a row is ``valid`` or ``refused``; nothing is sent, kept or allotted.

    ``repeated`` are rows that stand twice. Blocks; raises ReferenceDataError.
    """
    reference = load_reference(reference_folder)
    with TemporaryDirectory(prefix="brobygger-check-") as folder:
        keys = Path(folder) / "keys"
        create_keys(keys)
        vault = open_vault(sqlite_url(Path(folder) / "vault.sqlite"), partial(index_keys, keys))
        try:
            reader = _reader(vault, Pseudonyms(pseudonym_roots(keys)), reference)
            rows = _rows(read, mapping, reader)
        finally:
            vault.close()
    counts = Counter(row.outcome for row in rows)
    return {
        "event": str(mapping.event),
        "mode": "changes" if read.is_part else str(mapping.mode),
        "rows": len(rows),
        **{outcome: counts[outcome] for outcome in ("valid", "repeated", "refused")},
        "ignored": read.ignored,
        **({"above_names": read.above} if read.above else {}),
        "report": [row.as_dict() for row in rows],
    }


def _reader(vault: Any, pseudonyms: Pseudonyms, reference: Reference) -> StatementReader:
    limits = Limits()
    links = NumberLinks(vault.engine)
    return StatementReader(vault, pseudonyms, reference, links, limits.nesting_max, limits.ahead_max)


def _rows(read: ReadList, mapping: Mapping, reader: StatementReader) -> list[RowReport]:
    at = datetime.now(UTC)
    client = Client("check", ClientKind.SOURCE, "check", frozenset(), frozenset(), None, None, at, None)
    first: dict[tuple[str, ...], ListRow] = {}
    return [_row(row, first, mapping, reader, client) for row in read.rows]


def _row(
    row: ListRow, first: dict[tuple[str, ...], ListRow], mapping: Mapping, reader: StatementReader, client: Client
) -> RowReport:
    if row.form is None:
        problems = tuple((problem.column, problem.refusal) for problem in row.problems)
        return RowReport(row.number, "refused", None, problems)
    before = first.setdefault(row.key or (), row)
    if before is not row:
        same = before.form == row.form
        return RowReport(row.number, "repeated" if same else "refused", None, () if same else ((None, _DUPLICATE),))
    at = client.created_at
    try:
        read_row_form(reader, mapping.topic, form_of(row, mapping, f"row-{row.number}", at), client, at)
    except RefusedError as error:
        return RowReport(row.number, "refused", None, problems_of(error.refusal, mapping))
    return RowReport(row.number, "valid")
