"""Signing in and out, the first page, and the style sheet."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Request, Response

from connectors.gateway.clients.clients import Client, Role
from connectors.pages.incoming_forms import read_page_form
from connectors.pages.problems import PageError, PageRoute
from connectors.pages.rendering import HEADERS, PREFIX, STYLE, elsewhere, render_page
from connectors.pages.sessions import form_token, new_session_secret
from connectors.pages.visits import (
    FORM_COOKIE,
    HOMES,
    SESSION_COOKIE,
    cookie_of,
    desk_of,
    drop_cookie,
    office_of,
    set_cookie,
)

router = APIRouter(prefix=PREFIX, route_class=PageRoute, include_in_schema=False)
_TOKEN_CHARACTERS_MAX = 256
_UNKNOWN = "Adgangsnøglen er ukendt eller spærret. Tjek, at hele nøglen er kommet med."
_NO_PAGE = "Adgangsnøglen hører til et system. Den giver ikke adgang til en side."
_log = structlog.get_logger(__name__)


@router.get("/style.css")
async def send_style() -> Response:
    """Returns the one style sheet."""
    return Response(STYLE, media_type="text/css", headers=HEADERS | {"cache-control": "max-age=3600"})


@router.get("/")
@router.get("")
async def send_home(request: Request) -> Response:
    """Sends a visitor to the page that is theirs."""
    session = cookie_of(request, SESSION_COOKIE)
    client = await asyncio.to_thread(office_of(request).sessions.client_of, session, desk_of(request).ports.clock())
    return elsewhere(HOMES[client.kind] if client else "/sign-in")


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """Shows the form for the token, with a cookie by which its own form is known."""
    return _sign_in(request)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Takes a token; sends its client to their page, with a session's cookie."""
    form = await read_page_form(request, cookie_of(request, FORM_COOKIE))
    office, desk = office_of(request), desk_of(request)
    address = request.client.host if request.client else ""
    token = form.one("token")
    known = 0 < len(token) <= _TOKEN_CHARACTERS_MAX
    if wait := office.attempts.wait_seconds(address):
        minutes = -(-wait // 60)
        raise PageError(
            429, "For mange forsøg", f"Vent {minutes} {'minut' if minutes == 1 else 'minutter'}, og prøv igen."
        )
    client = await asyncio.to_thread(office.clients.authenticated, token) if known else None
    if client is None or not _has_page(client):
        _log.info("sign_in_refused", client=client.client_id if client else None)
        return _sign_in(request, 403, _NO_PAGE if client else _UNKNOWN)
    office.attempts.take_back(address)
    session = await asyncio.to_thread(office.sessions.begin, client, desk.ports.clock())
    _log.info("signed_in", client=client.client_id)
    response = elsewhere(HOMES[client.kind])
    drop_cookie(request, response, FORM_COOKIE)
    set_cookie(request, response, SESSION_COOKIE, session)
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session, here and for every copy of its cookie."""
    session = cookie_of(request, SESSION_COOKIE)
    await read_page_form(request, session)
    await asyncio.to_thread(office_of(request).sessions.end, session)
    response = elsewhere("/sign-in")
    drop_cookie(request, response, SESSION_COOKIE)
    return response


def _sign_in(request: Request, status: int = 200, problem: str | None = None) -> Response:
    secret = cookie_of(request, FORM_COOKIE) or new_session_secret()
    names = office_of(request).names
    response = render_page("sign_in.html", status, visitor=None, names=names, problem=problem, token=form_token(secret))
    set_cookie(request, response, FORM_COOKIE, secret)
    return response


def _has_page(client: Client) -> bool:
    return client.kind in HOMES and bool(client.roles & {Role.REPLIES, Role.NEEDS})
