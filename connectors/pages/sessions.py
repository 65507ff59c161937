"""Who is signed in: a random cookie whose hash is kept, bound to one client and ending with its token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from connectors.gateway.tables import LedgerUnavailableError, in_transaction, reading
from connectors.pages.tables import SESSIONS, TABLES
from connectors.vault.access import Access
from schemas.instants import milliseconds_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from connectors.gateway.clients.clients import Client, Clients

SESSION_TIME_MAX = timedelta(hours=8)
_SECRET_BYTES = 32
_SECRET_CHARACTERS_MAX = 64
open_sessions = Access(TABLES, "the gateway's database", LedgerUnavailableError).open


class Sessions:
    """The sessions in the gateway's database; each call blocks on it and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine, clients: Clients) -> None:
        """Takes an engine of ``open_sessions`` and the clients that may sign in."""
        self._engine = engine
        self._clients = clients

    def begin(self, client: Client, at: datetime) -> str:
        """Returns the cookie of a new session, valid for eight hours; sessions that are over are forgotten."""
        session = new_session_secret()
        now = milliseconds_of(at)
        values = {
            "session_sha256": _hash_of(session),
            "client_id": client.client_id,
            "expires_at_ms": now + SESSION_TIME_MAX // timedelta(milliseconds=1),
        }

        def work(connection: Connection) -> None:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at_ms <= now))
            connection.execute(insert(SESSIONS).values(values))

        in_transaction(self._engine, work)
        return session

    def client_of(self, session: str, at: datetime) -> Client | None:
        """Returns who is signed in by a cookie; None where it is unknown, over, or its client revoked."""
        if not 0 < len(session) <= _SECRET_CHARACTERS_MAX:
            return None
        wanted = select(SESSIONS.c.client_id).where(
            SESSIONS.c.session_sha256 == _hash_of(session), SESSIONS.c.expires_at_ms > milliseconds_of(at)
        )
        client_id: str | None = reading(self._engine, lambda connection: connection.scalar(wanted))
        return None if client_id is None else self._clients.valid(client_id)

    def end(self, session: str) -> None:
        """Ends a session; one that is unknown is ended already."""
        wanted = delete(SESSIONS).where(SESSIONS.c.session_sha256 == _hash_of(session))
        in_transaction(self._engine, lambda connection: connection.execute(wanted))

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()


def new_session_secret() -> str:
    """Returns 256 random bits as text."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def form_token(secret: str) -> str:
    """Returns what a form of a page carries, so that no other site's form is taken (CSRF).

    It tells nothing of the secret, which is the session's cookie or the signed link.
    """
    return hmac.new(secret.encode(), b"brobygger form", hashlib.sha256).hexdigest()


def is_form_token(secret: str, given: str) -> bool:
    """Tells, in constant time, whether a form carries the token of this secret; without a secret none does.

    A form that another site sends comes without our cookies, and anybody can work out the token of no secret.
    """
    return bool(secret) and hmac.compare_digest(form_token(secret).encode(), given.encode("utf-8", "surrogatepass"))


def _hash_of(session: str) -> bytes:
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).digest()
