"""HEAD on every address that answers GET: the same answer without its body (RFC 9110 §9.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: In the scope of a request that is answered without a body: whatever is done for the body alone is left out.
WITHOUT_BODY = "without_body"


class HeadRequests:
    """Middleware: asks the application for what GET would get, and leaves out the body.

    An answer without end, such as a stream, ends with its head.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Takes the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def send_head(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def receive_until_ended() -> Message:
            return {"type": "http.disconnect"} if ended else await receive()

        await self._app({**scope, "method": "GET", WITHOUT_BODY: True}, receive_until_ended, send_head)
