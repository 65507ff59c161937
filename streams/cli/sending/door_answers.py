"""What a door answered, whatever its format: how much of a file was taken, what was not, and whether that is final."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors.medcom_edi.beskedfordeler import PushStatus, read_push_answer
from connectors.medcom_edi.envelopes import ContentKind, unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.receipt_reading import read_receipt
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

FHIR, JSON, NDJSON = "application/fhir+json", "application/json", "application/x-ndjson"
EDIFACT, XML = "application/edifact", "application/xml"
_TRANSIENT_CODE = "transient-error"
# The gateway answers 503 until somebody has mended it, which takes longer than anybody waits.
_MENDED_BY_HAND = b'"broken_mapping"'
_NO_BODY = 202
_SERVER_FAULTS = 500
_TRANSIENT_STATUSES = frozenset({408, 429})
_TURNED_AWAY_STATUSES = frozenset({401, 403, 404, 405, 413, 415})


class DoorError(Exception):
    """The gateway can't be reached, or a receipt can't be written; the text says what to do."""


class PartlyTakenError(DoorError):
    """A file was taken in part, and claim codes were shown: its text names the file."""


class NoDoorError(DoorError):
    """A file has no door, or can't be read; others may have one. The text says what to do."""


class NoPlaceError(NoDoorError):
    """What stands under a file's name, or on the way to it, leaves no place for the file or its receipt.

    Others may have one. Its text has no name of a file.
    """


class NotTaken(NamedTuple):
    """Something in the file was not taken: where (a line, a letter, or the whole), and the door's words."""

    where: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """What became of a file: how many of its statements were taken or known already, and which were not."""

    taken: int
    refused: tuple[NotTaken, ...] = ()


class Finality(Enum):
    """Whether the same bytes get the same answer another time."""

    FINAL = "final"
    TURNED_AWAY = "turned_away"  # not for what the file says: another token, another limit would let it in
    TRANSIENT = "transient"


class GatewayResponse(NamedTuple):
    """A door's answer as it came: its status, its media type without parameters (empty: no body), and its bytes."""

    status: int
    kind: str
    content: bytes

    @property
    def shows_codes(self) -> bool:
        """Returns whether it shows claim codes, which later answers show for a day at most."""
        return b'"claim_code"' in self.content


def finality_of(answered: GatewayResponse) -> Finality:
    """Returns whether an answer is the file's receipt.

    >>> finality_of(GatewayResponse(422, JSON, b'{"refused": {"code": "unknown_code"}}'))
    <Finality.FINAL: 'final'>
    >>> finality_of(GatewayResponse(503, JSON, b'{"refused": {"code": "broker_unavailable"}}'))
    <Finality.TRANSIENT: 'transient'>
    """
    if answered.status in _TRANSIENT_STATUSES or answered.status >= _SERVER_FAULTS:
        return Finality.TURNED_AWAY if _MENDED_BY_HAND in answered.content else Finality.TRANSIENT
    if answered.status in _TURNED_AWAY_STATUSES:
        return Finality.TURNED_AWAY
    if answered.kind in {FHIR, XML} and any(
        one.code == _TRANSIENT_CODE for one in submission_result_of(answered).refused
    ):
        return Finality.TRANSIENT
    known = answered.kind in {FHIR, JSON, NDJSON, EDIFACT, XML} or answered.status == _NO_BODY
    return Finality.FINAL if known else Finality.TURNED_AWAY


def submission_result_of(answered: GatewayResponse) -> SubmissionResult:
    """Reads what any door may answer: lines, a list's report, a statement's outcome, an Acknowledgement, a CTL.

    The last two may be in an envelope, or be told to a push by its status.
    """
    try:
        return _read(answered)
    except (ValueError, LookupError, TypeError, AttributeError, RefusedError):
        return SubmissionResult(
            0, (NotTaken("", str(answered.status), "no gateway of ours answers so; check --gateway"),)
        )


def _read(answered: GatewayResponse) -> SubmissionResult:
    if answered.kind == XML:
        return _of_xml(answered)
    if answered.kind == EDIFACT:
        return _of_receipt(answered.content, Syntax.EDIFACT)
    if answered.kind == NDJSON:
        return _of_report([json.loads(line) for line in answered.content.splitlines()])
    return _of_json(json.loads(answered.content or b"{}"), answered.status)


def _of_json(content: dict[str, Any], status: int) -> SubmissionResult:
    if content.get("resourceType") == "Bundle":
        return _of_acknowledgement(content)
    if content.get("resourceType") == "OperationOutcome":
        return SubmissionResult(0, (_of_outcome(content),))
    if "report" in content:
        return SubmissionResult(content["accepted"] + content["repeated"], tuple(_of_rows(content)))
    if "refused" not in content and status < 300:  # noqa: PLR2004 HTTP's own number
        return SubmissionResult(1)
    return SubmissionResult(0, (_of_refusal(content.get("refused") or {}, status),))


def _of_xml(answered: GatewayResponse) -> SubmissionResult:
    if (pushed := read_push_answer(answered.content)) is not None:
        status, text = pushed
        return (
            SubmissionResult(1)
            if status == PushStatus.TAKEN
            else SubmissionResult(0, (NotTaken("", str(status), text),))
        )
    unwrapped = unwrap(answered.content)
    if unwrapped.content is ContentKind.OIOXML:
        return _of_receipt(unwrapped.message, Syntax.OIOXML)
    kind = EDIFACT if unwrapped.content is ContentKind.EDIFACT else FHIR
    return _read(GatewayResponse(answered.status, kind, unwrapped.message))


def _of_refusal(refusal: dict[str, Any], status: int) -> NotTaken:
    text = "; ".join(refusal[name] for name in ("field", "rule", "help") if refusal.get(name))
    return NotTaken("", refusal.get("code", str(status)), text)


def _of_report(lines: list[dict[str, Any]]) -> SubmissionResult:
    refused = tuple(
        _of_refusal(line["refused"], 0)._replace(where=f"line {line['line']}") for line in lines if "refused" in line
    )
    return SubmissionResult(len(lines) - len(refused), refused)


def _of_rows(report: dict[str, Any]) -> Iterator[NotTaken]:
    """Yields what a list's report says was not taken, row by row, and what was withheld of rows that are missing."""
    for row in report["report"]:
        for one in row.get("refused", ()):
            parts = (one["column"] or one["field"], one["rule"], one["help"])
            yield NotTaken(f"row {row['row']}", one["code"], "; ".join(filter(None, parts)))
    withheld = report.get("missing", {}).get("withheld")
    if withheld:
        yield NotTaken("missing rows", withheld["code"], f"{withheld['rule']}; {withheld['help']}")


def _of_receipt(content: bytes, syntax: Syntax) -> SubmissionResult:
    receipt = read_receipt(content, syntax)
    refused = []
    for letter in receipt.refused:
        code, _, text = letter.reason.partition(": ")
        # Its number stands in the receipt: what a sender numbers letters by may be personal.
        refused.append(NotTaken("a letter" if letter.identifier else "", code, text))
    return SubmissionResult(receipt.taken, tuple(refused))


def _of_acknowledgement(bundle: dict[str, Any]) -> SubmissionResult:
    resources = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
    code = resources["MessageHeader"]["response"]["code"]
    if code == "ok":
        return SubmissionResult(1)
    found = _of_outcome(resources["OperationOutcome"])
    return SubmissionResult(0, (found._replace(code=_TRANSIENT_CODE) if code == _TRANSIENT_CODE else found,))


def _of_outcome(outcome: dict[str, Any]) -> NotTaken:
    issue = outcome["issue"][0]
    code, _, rule = issue["details"]["text"].partition(": ")
    return NotTaken("", code, "; ".join([*issue.get("expression", ()), rule, issue.get("diagnostics", "")]))
