"""Reads the forms that browsers send: small, in UTF-8, each field once, with the token of our own page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from connectors.gateway.doors.bodies import check_media_type, read_body
from connectors.pages.problems import PageError
from connectors.pages.sessions import is_form_token

if TYPE_CHECKING:
    from collections.abc import Container

    from fastapi import Request

    from connectors.gateway.ports import Desk

TOKEN_FIELD = "form_token"  # noqa: S105 a field's name
_BODY_BYTES_MAX = 16 * 1024
_FIELDS_MAX = 40
_OWN, _NO_ORIGIN = ("same-origin", "none"), "null"


class FormProblemError(Exception):
    """A field is not as it must be; ``text`` says in Danish what to do. The form is shown again with it."""

    def __init__(self, field: str, text: str) -> None:
        """Takes the field's name and what is shown beside it."""
        super().__init__(field)
        self.field = field
        self.text = text


class Form:
    """The fields of a form, each a list of values without blanks around them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        """Takes names and values as they came."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value.strip())

    def one(self, name: str) -> str:
        """Returns a field's first value, empty where it is absent."""
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Returns all values of a field."""
        return self._values.get(name, [])

    def choice(self, name: str, allowed: Container[str], text: str) -> str:
        """Returns a field's value; raises FormProblemError with the text where it is not one of those allowed."""
        value = self.one(name)
        if value not in allowed:
            raise FormProblemError(name, text)
        return value


async def read_page_form(request: Request, secret: str) -> Form:
    """Returns the form of a request; raises PageError where another site sent it, or it lacks the secret's token.

    Raises ApiError where the body is no form, too large or too slow.
    """
    desk: Desk = request.app.state.desk
    if _is_from_elsewhere(request):
        raise PageError(403, "Formularen kom fra en anden side", "Åbn siden her, og udfyld formularen på den.")
    check_media_type(request, {"application/x-www-form-urlencoded"})
    body = await read_body(request, _BODY_BYTES_MAX, desk.limits)
    try:
        form = Form(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise PageError(400, "Formularen kunne ikke læses", "Gå tilbage, og prøv igen.") from error
    if not is_form_token(secret, form.one(TOKEN_FIELD)):
        raise PageError(403, "Formularen er for gammel", "Gå tilbage, genindlæs siden, og prøv igen.")
    return form


def _is_from_elsewhere(request: Request) -> bool:
    """Tells whether another site sent a form, another host of the same domain too, as far as the browser says so.

    Our pages let no address of theirs out (no-referrer), so that browsers send ``Origin: null`` with their forms.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in _OWN:
        return True
    origin = request.headers.get("origin", _NO_ORIGIN)
    return origin != _NO_ORIGIN and origin.partition("://")[2].lower() != request.headers.get("host", "").lower()
