"""Turns templates into answers; every value is escaped, and nothing but our own style sheet is ever loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connectors.pages import words
from connectors.pages.call_words import call_words
from connectors.pages.danish_time import (
    day_in_words,
    deadline_in_words,
    in_words,
    short_day,
    short_deadline,
    short_time,
)

if TYPE_CHECKING:
    from fastapi import Response

PREFIX = "/pages"
_FOLDER = Path(__file__).parent / "templates"
# No script at all, nothing from elsewhere, in nobody's frame. Addresses of signed links stay with us (no referrer),
# and nothing stays in a cache of a shared machine.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}
STYLE = (_FOLDER / "style.css").read_bytes()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "in_words": in_words,
        "deadline": deadline_in_words,
        "day": day_in_words,
        "short_deadline": short_deadline,
        "short_day": short_day,
        "short_time": short_time,
        "kind": lambda code: words.said(code, words.KINDS),
        "trigger": lambda code: words.said(code, words.TRIGGERS),
        "identity": lambda code: words.said(code, words.IDENTITIES),
        "case_state": lambda code: words.said(code, words.CASE_STATES),
        "need_state": lambda code: words.said(code, words.NEED_STATES),
        "event_type": lambda code: words.said(code, words.EVENT_TYPES),
        "act": lambda code: words.said(code, words.ACTS),
        "reason": lambda code: words.said(code, words.REASONS, words.ACTS),
        "owner_reason": lambda code: words.said(code, words.OWNER_REASONS, words.REASONS, words.ACTS),
        "option": lambda code: words.said(code, words.OPTIONS, words.REASONS),
        "call_words": lambda number: call_words(number).capitalize(),
        "short": lambda number: str(number)[:8],
    }
    environment.globals["prefix"] = PREFIX
    return environment


_ENVIRONMENT = _environment()


def render_page(template: str, status: int = 200, **values: Any) -> Response:
    """Returns a page; a value that the template names and is not given is a bug and raises."""
    text = _ENVIRONMENT.get_template(template).render(values)
    return HTMLResponse(text, status, HEADERS)


def elsewhere(path: str) -> Response:
    """Returns the answer that sends a browser on to another page of ours, with GET."""
    return RedirectResponse(f"{PREFIX}{path}", 303, HEADERS)
