"""``POST /lists/{name}``: a municipality's list, as CSV, XLSX, JSON or NDJSON, raw or as a form's file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from connectors.gateway.api_errors import (
    RETRY_SECONDS,
    ApiError,
    refused_answer,
    status_of,
    unavailable,
)
from connectors.gateway.clients.clients import Role
from connectors.gateway.doors.bodies import read_body
from connectors.gateway.doors.events import check_topic_of
from connectors.gateway.doors.idempotency import answered_once
from connectors.gateway.lists.readers import TOO_HEAVY
from connectors.gateway.lists.report import SentList, reasons_in
from connectors.gateway.lists.taking import take_list
from connectors.gateway.ports import STORE_ERRORS, Desk
from connectors.gateway.statements.ledger import StoredResponse
from connectors.municipal.failed import failed_rows
from connectors.municipal.mapping import Mapping, MappingError, is_list_name, mapping_from
from connectors.municipal.sheets import FileKind
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.municipal.rows import ReadList

_JSON, _MULTIPART = "application/json", "multipart/form-data"
_FAILED_TYPES = {FileKind.CSV: "text/csv", FileKind.NDJSON: "application/x-ndjson"}
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA_TYPES = (
    *("text/csv", _SHEET, _JSON, "application/x-ndjson", "application/octet-stream"),
    *("text/plain", "application/vnd.ms-excel", _MULTIPART),
)
_AT_ONCE = 64 * 1024
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _MULTIPART: {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}},
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            _SHEET: {"schema": {"type": "string", "format": "binary"}},
            _JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
            "application/x-ndjson": {"schema": {"type": "string", "description": "one row a line"}},
        },
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report, row by row; or, where `Accept` names text/csv, the rows that failed as a file"},
    204: {"description": "Asked for the rows that failed: none did"},
    404: {"description": "No list of that name has a mapping file"},
    413: {"description": "The list is too large"},
    429: {
        "description": "Too many lists at once, requests or rows, or one that took too long: wait as Retry-After says"
    },
    422: {"description": "None of the list can be read; or the Idempotency-Key came with another body"},
    503: {"description": "Not all of it is confirmed: send the same again"},
}
router = APIRouter(tags=["Lists"])
_log = structlog.get_logger(__name__)


@router.post("/lists/{name}", openapi_extra=_BODY, responses=_RESPONSES)
async def receive_list(
    request: Request,
    name: Annotated[str, Path(examples=["helsingoer-forloeb"])],
    missing: Annotated[Literal["by-mapping", "believed"], Query()] = "by-mapping",
    claim_codes: Annotated[Literal["shown", "kept"], Query()] = "shown",
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Takes a list; answers its report once the broker has confirmed every row that is accepted.

    With `Accept: text/csv` the answer is what failed, in the sender's own form with the reasons, to mend and send
    again; but where claim codes are to be shown it is the report, unless `claim_codes=kept` says that you have them.
    """
    desk: Desk = request.app.state.desk
    with desk.metrics.request_seconds.labels("lists").time():
        client = await desk.entrance.admit(request, Role.STATEMENTS)
        text, mapping = await asyncio.to_thread(_mapping, desk, name)
        check_topic_of(client, mapping.topic)
        # Another mapping may make something else of the same file: a key is for one list and one mapping.
        scope = (f"{client.client_id} lists {name} {missing} {text}", idempotency_key)
        # What a row says is compared with what was kept of it: two lists at once would both find the old.
        async with desk.list_readers.turn_of(client.name):
            of = desk.fingerprints.of("list", client.name, name)
            sent = SentList(name, mapping, client, of, desk.ports.clock(), missing == "believed")
            return await _taken(request, desk, sent, scope, claim_codes)


async def _taken(
    request: Request, desk: Desk, sent: SentList, scope: tuple[str, str | None], claim_codes: str
) -> Response:
    desk.quota.refuse_suspended(sent.client)
    content = await _content(request, desk)
    read = await desk.list_readers.read(content, sent.mapping, desk.limits.lines_max)
    if isinstance(read, Refusal):
        if read.code == TOO_HEAVY:
            desk.quota.charge_time(sent.client, desk.limits.list_time_max)
        return _refused(desk, sent, read)

    async def process() -> StoredResponse:
        desk.quota.charge(sent.client, len(read.rows))
        return await _processed(desk, sent, read)

    try:
        answer = await answered_once(desk, scope, ("lists", sent.name, content), process)
    except STORE_ERRORS as error:
        return unavailable(error)
    return _answer(request, read, answer, claim_codes)


async def _processed(desk: Desk, sent: SentList, read: ReadList) -> StoredResponse:
    report = await take_list(desk, sent, read)
    for row in report["report"]:
        for refused in row.get("refused", ()):
            desk.metrics.refusals.labels("lists", refused["code"]).inc()
    counts = {name: report[name] for name in ("rows", "accepted", "repeated", "refused", "unavailable")}
    _log.info("list_received", list=sent.name, client=sent.client.client_id, **counts)
    unconfirmed = report["unavailable"] or report.get("missing", {}).get("unavailable")
    return StoredResponse(b"", 503 if unconfirmed else 200, _JSON, json.dumps(report, separators=(",", ":")).encode())


def _mapping(desk: Desk, name: str) -> tuple[str, Mapping]:
    """Returns a list's mapping and its text; read anew each time, so that a mapping may be mended at any moment."""
    path = desk.lists_folder / f"{name}.toml"
    if not is_list_name(name) or not path.is_file():
        rule = "the list has a mapping file, <list>.toml in the data folder's lists/"
        refusal = Refusal("unknown_list", "name", rule, "ask operations: `brobygger lists guess` proposes one")
        raise ApiError(404, refusal)
    try:
        text = path.read_text(encoding="utf-8")
        return text, mapping_from(text, name)
    except (MappingError, OSError, UnicodeDecodeError) as error:
        _log.error("broken_mapping", list=name, error=str(error))
        rule = "the list's mapping file is as it must be"
        refusal = Refusal("broken_mapping", "name", rule, "operations: `brobygger lists check` says what is wrong")
        raise ApiError(503, refusal) from error


async def _content(request: Request, desk: Desk) -> bytes:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if media_type not in _MEDIA_TYPES or encoding != "identity":
        rule = f"the body is one of: {', '.join(_MEDIA_TYPES)}; not compressed"
        help_text = "set Content-Type to what the file is"
        raise ApiError(415, Refusal("unsupported_media_type", "content-type", rule, help_text))
    body = await read_body(request, desk.limits.lines_bytes_max, desk.limits)
    return await _file_in(request, body) if media_type == _MULTIPART else body


async def _file_in(request: Request, body: bytes) -> bytes:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), _AT_ONCE):
            yield body[start : start + _AT_ONCE]
            await asyncio.sleep(0)  # a form is taken apart here, where everybody else waits

    try:
        parser = MultiPartParser(request.headers, stream(), max_files=1, max_fields=0)  # type: ignore[arg-type]
        parser.spool_max_size = len(body)  # above it a file goes to the disk, people and all
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise _no_file() from error
    try:
        files = [part for part in form.values() if isinstance(part, UploadFile)]
        if not files:
            raise _no_file()
        return await files[0].read()
    finally:
        await form.close()


def _no_file() -> ApiError:
    rule = "a form has one part, a file"
    return ApiError(400, Refusal("no_file", "body", rule, "curl --form file=@LIST does it; or send the file raw"))


def _refused(desk: Desk, sent: SentList, refusal: Refusal) -> Response:
    desk.metrics.refusals.labels("lists", refusal.code).inc()
    _log.info("list_refused", list=sent.name, code=refusal.code, client=sent.client.client_id)
    return refused_answer(status_of(refusal), refusal)


def _answer(request: Request, read: ReadList, answer: StoredResponse, claim_codes: str) -> Response:
    headers = {"retry-after": str(RETRY_SECONDS)} if answer.status == 503 else None  # noqa: PLR2004 HTTP's own number
    report = json.loads(answer.content)
    wanted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    shows_codes = claim_codes == "shown" and any("claim_code" in row for row in report["report"])
    if wanted in _FAILED_TYPES.values() and answer.status == 200 and not shows_codes:  # noqa: PLR2004
        reasons = reasons_in(report)
        if not reasons:
            return Response(status_code=204)
        kind, content = failed_rows(read, reasons)
        return Response(content, 200, media_type=_FAILED_TYPES[kind])
    return Response(answer.content, answer.status, headers, media_type=_JSON)
