"""Sends lists through their door, and writes of each file its report and the rows that failed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from connectors.municipal.mapping import NAME_RULE, is_list_name
from streams.cli.sending.door_answers import (
    JSON,
    NDJSON,
    Finality,
    GatewayResponse,
    NoDoorError,
    SubmissionResult,
    finality_of,
    submission_result_of,
)

if TYPE_CHECKING:
    from streams.cli.sending.doors import GatewayClient
    from streams.cli.sending.receipt_files import ReceiptFolder

# A list of ten thousand new young people is some minutes' work for the vault.
_TIMEOUT = timedelta(minutes=15)
_FILE = "application/octet-stream"
_OK = 200


class ListFile(NamedTuple):
    """A list on its way: its name among the receipts, its bytes, its door, and what tells one sending from another."""

    file: str
    content: bytes
    door: str
    digest: str


def send_list(doors: GatewayClient, receipts: ReceiptFolder, sent: ListFile) -> SubmissionResult:
    """Sends a list and returns what became of it: the one sent last counts, twice is as once. Raises DoorError.

    ``FILE.report.json`` has the report, ``FILE.failed.csv`` (of JSON: ``.ndjson``) the rows that failed, if any did:
    both for whoever may read the list, and nobody else.
    """
    file, content, door, digest = sent
    # The key is this run's and file's, for the two requests below. The same bytes may say something new another day: a
    # list that changed and changed back.
    headers = {"content-type": _FILE, "idempotency-key": _key_of(f"{receipts.run} {file} {digest}")}
    answered = receipts.known(file, digest)
    if answered is None:
        receipts.begin(file, digest)
        answered = doors.post(door, content, headers, _TIMEOUT)
        if finality_of(answered) is Finality.TRANSIENT:
            raise receipts.keep_partly(file, answered)
    report = _report(answered)
    if report is None:
        return submission_result_of(answered)
    answer = submission_result_of(answered)
    if receipts.is_done(file, digest):
        return answer
    receipts.write(file, ".report.json", answered.content)
    if report["refused"] and answered.status == _OK:
        again = f"{door}{'&' if '?' in door else '?'}claim_codes=kept"  # they stand in the report
        failed = doors.post(again, content, headers | {"accept": "text/csv"}, _TIMEOUT)
        if failed.kind in ("text/csv", NDJSON):
            receipts.write(file, ".failed.csv" if failed.kind == "text/csv" else ".failed.ndjson", failed.content)
    receipts.finish(file, digest, answered.status)
    return answer


def list_door(name: str, *, believe_missing: bool) -> str:
    """Returns the door of a list; raises NoDoorError where no list can be called so.

    Whoever may write into a watched folder chooses the name: it must never add to the address.
    """
    if not is_list_name(name):
        raise NoDoorError(f"{NAME_RULE}: no list can be called so; correct it")
    return f"/lists/{quote(name, safe='')}" + ("?missing=believed" if believe_missing else "")


def _key_of(text: str) -> str:
    """Returns an id of a text; a file's name may be no text, and is one here all the same."""
    return str(uuid5(NAMESPACE_URL, text.encode(errors="backslashreplace").decode()))


def _report(answered: GatewayResponse) -> dict[str, Any] | None:
    try:
        report = json.loads(answered.content or b"{}") if answered.kind == JSON else None
    except ValueError:
        return None
    return report if isinstance(report, dict) and "report" in report else None
