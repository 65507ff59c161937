"""Who visits a page: the cookie, the client behind it, and signing in and out."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.gateway.clients.clients import ClientKind
from connectors.pages.problems import SignInWantedError
from connectors.pages.sessions import SESSION_TIME_MAX, form_token

if TYPE_CHECKING:
    from fastapi import Request, Response

    from connectors.gateway.clients.clients import Client
    from connectors.gateway.ports import Desk
    from connectors.pages.office import Office
    from connectors.read_model.handovers import Scope

SESSION_COOKIE = "brobygger_session"
FORM_COOKIE = "brobygger_form"
HOMES = {ClientKind.PROGRAMME: "/worklist", ClientKind.OWNER: "/needs"}
_GUESSER_CHARACTERS = 32
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in. ``form_token`` goes into every form of the page, ``home`` is where the visitor starts."""

    client: Client
    session: str

    @property
    def name(self) -> str:
        """Returns the programme or owner that the visitor acts for."""
        return self.client.name

    @property
    def reach(self) -> Scope:
        """Returns which handovers the visitor sees and answers."""
        return self.client.reach

    @property
    def form_token(self) -> str:
        """Returns the token of this visitor's forms."""
        return form_token(self.session)

    @property
    def guesser(self) -> str:
        """Returns who guesses where a code is wrong: this session, not everybody who has the token."""
        return hashlib.sha256(self.session.encode()).hexdigest()[:_GUESSER_CHARACTERS]

    @property
    def home(self) -> str:
        """Returns the page that the visitor starts on."""
        return HOMES[self.client.kind]


def desk_of(request: Request) -> Desk:
    """Returns the gateway's desk."""
    desk: Desk = request.app.state.desk
    return desk


def office_of(request: Request) -> Office:
    """Returns what the pages work with."""
    office: Office = request.app.state.office
    return office


async def visitor_of(request: Request, kind: ClientKind) -> Visitor:
    """Returns who is signed in; raises SignInWantedError where nobody is, or another kind of client."""
    session = cookie_of(request, SESSION_COOKIE)
    at = desk_of(request).ports.clock()
    client = await asyncio.to_thread(office_of(request).sessions.client_of, session, at)
    if client is None or client.kind is not kind:
        raise SignInWantedError
    return Visitor(client, session)


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Sets a cookie that no script reads, no other site sends, and no plain connection carries but this machine's.

    Its name has ``__Host-`` in front (RFC 6265bis), so that no other host of the same domain can plant it.
    """
    response.set_cookie(
        _name_of(request, name),
        value,
        max_age=int(SESSION_TIME_MAX.total_seconds()),
        path="/",
        secure=not is_loopback(request),
        httponly=True,
        samesite="strict",
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Has the browser forget a cookie."""
    is_secure = not is_loopback(request)
    response.delete_cookie(_name_of(request, name), path="/", secure=is_secure, httponly=True, samesite="strict")


def cookie_of(request: Request, name: str) -> str:
    """Returns a cookie's value, empty where there is none."""
    return request.cookies.get(_name_of(request, name), "")


def _name_of(request: Request, name: str) -> str:
    # A browser takes such a name over a safe connection alone, which nobody needs on their own machine.
    return name if is_loopback(request) else f"__Host-{name}"


def is_loopback(request: Request) -> bool:
    """Tells whether the browser runs on this machine, over plain HTTP: nothing can listen in between.

    A request that names no host tells nothing of where it came from: its URL has the server's own address.
    """
    is_named = "host" in request.headers
    return is_named and request.url.scheme == "http" and (request.url.hostname or "") in _LOOPBACK
