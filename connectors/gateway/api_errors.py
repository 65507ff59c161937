"""What the doors answer to what they do not take, before it is looked at or after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastapi.responses import JSONResponse

from schemas.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUSES = {
    **dict.fromkeys(
        (
            "empty_body",
            "nul_byte",
            "wrong_encoding",
            "nesting_too_deep",
            "duplicate_key",
            "not_a_number",
            "not_json",
            "not_an_object",
            "unfit_text",
            "empty_file",
            "not_xlsx",
            "not_a_list",
            "unsafe_xml",
            "broken_quotes",
        ),
        400,
    ),
    **dict.fromkeys(("too_many_rows", "file_too_large"), 413),
    **dict.fromkeys(("foreign_source", "foreign_programme", "foreign_topic"), 403),
    "conflicting_duplicate": 409,
    "broker_unavailable": 503,
}
_UNPROCESSABLE = 422
RETRY_SECONDS = 5

BROKER_UNAVAILABLE = Refusal(
    "broker_unavailable",
    "",
    "a statement is taken once the broker has confirmed it",
    "send the same again; what did arrive is recognised by its id",
)
STORE_UNAVAILABLE = Refusal(
    "store_unavailable", "", "the gateway's own databases can be reached", "send the same again in a while"
)
_log = structlog.get_logger(__name__)


class ApiError(Exception):
    """Raised to leave a door early; the one handler in ``app`` turns it into the answer."""

    def __init__(self, status: int, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        """Takes the HTTP status, the refusal and headers to add."""
        super().__init__(refusal.code)
        self.status = status
        self.refusal = refusal
        self.headers = dict(headers or {})


def status_of(refusal: Refusal) -> int:
    """Returns the HTTP status of a refused statement.

    >>> status_of(Refusal("unknown_code", "status", "", ""))
    422
    """
    return _STATUSES.get(refusal.code, _UNPROCESSABLE)


def refused_answer(status: int, refusal: Refusal, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Returns the answer ``{"refused": {"code", "field", "rule", "help"}}``."""
    return JSONResponse({"refused": refusal.as_dict()}, status, dict(headers or {}))


def unavailable(error: Exception) -> JSONResponse:
    """Returns the answer where a database can't be read or written."""
    _log.error("store_unavailable", error=type(error).__name__)
    return refused_answer(503, STORE_UNAVAILABLE, {"retry-after": str(RETRY_SECONDS)})
