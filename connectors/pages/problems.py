"""What the pages answer where they show nothing: in words, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from connectors.gateway.api_errors import ApiError
from connectors.gateway.ports import STORE_ERRORS
from connectors.pages.rendering import elsewhere, render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from fastapi import Request, Response

_UNAVAILABLE = "Det virker ikke lige nu. Prøv igen om lidt. Bliver det ved, så ring til driften."
_TURNED_AWAY = {
    408: "Formularen var for længe undervejs. Prøv igen.",
    413: "Formularen er for stor.",
    415: "Det var ikke en formular fra denne side.",
}
_log = structlog.get_logger(__name__)


class PageError(Exception):
    """Raised to leave a page early: ``title`` and ``text`` are shown, in Danish, and say what to do."""

    def __init__(self, status: int, title: str, text: str) -> None:
        """Takes the HTTP status and what is shown."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text


class SignInWantedError(Exception):
    """Raised where nobody is signed in, or not as this page wants."""


class PageRoute(APIRoute):
    """A route whose every answer is a page, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Returns the handler with the pages' own answers to errors around it."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except SignInWantedError:
                return elsewhere("/sign-in")
            except PageError as error:
                return _problem(request, error.status, error.title, error.text)
            except ApiError as error:
                text = _TURNED_AWAY.get(error.status, _UNAVAILABLE)
                return _problem(request, error.status, "Formularen kunne ikke læses", text)
            except RequestValidationError:  # an address with another form of id in it
                missing = not_found()
                return _problem(request, missing.status, missing.title, missing.text)
            except STORE_ERRORS as error:
                _log.error("store_unavailable", error=type(error).__name__)
                return _problem(request, 503, "Siden er ikke tilgængelig", _UNAVAILABLE)

        return handle


def _problem(request: Request, status: int, title: str, text: str) -> Response:
    names = request.app.state.office.names
    return render_page("problem.html", status, title=title, text=text, visitor=None, names=names)


def not_found() -> PageError:
    """Returns the error for what is not there, or is not this visitor's: the two are never told apart."""
    return PageError(404, "Findes ikke", "Siden findes ikke, eller du har ikke adgang til den.")
