"""``/docs``: what the doors take and answer, for people. All of it comes from here.

The files of ``swagger_ui`` are Swagger UI's own, unchanged, as ``swagger_ui.lock`` names them; a test holds them to it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from connectors.gateway.api_errors import ApiError
from schemas.refusals import Refusal

FOLDER = Path(__file__).parent / "swagger_ui"
_PAGE = "index.html"
_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "start.js": "text/javascript", "swagger-ui.css": "text/css"}
# Swagger UI writes styles into its elements, and has its pictures in its style sheet.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
async def show_documentation() -> Response:
    """Returns the page."""
    return Response(_content(_PAGE), media_type="text/html", headers=_HEADERS)


@router.get("/{name}")
async def send_asset(name: str) -> Response:
    """Returns one of the page's files."""
    if name not in _ASSETS:
        rule = f"the page has the files: {', '.join(_ASSETS)}"
        raise ApiError(404, Refusal("not_found", "name", rule, "open /docs"))
    headers = _HEADERS | {"cache-control": "max-age=86400"}
    return Response(_content(name), media_type=_ASSETS[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
