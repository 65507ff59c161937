"""The mailboxes of sources: to whom and where letters for a notice's recipient go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from connectors.medcom_fhir.organisations import Organisation
from connectors.source_letters.tables import MAILBOXES
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from connectors.vault.access import Database
    from connectors.webhooks.signing import SecretBox


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where a recipient's letters go; ``has_token`` says whether a token is sent along.

    Notices from before ``since`` are not for it: they went another way. Its letters go in a VANSEnvelope where
    ``in_envelope``.
    """

    recipient: str
    organisation: Organisation
    url: str = field(repr=False)
    has_token: bool
    since: datetime
    in_envelope: bool = False


class Mailboxes:
    """The mailboxes in the database; each call blocks on it, and raises SourceLettersUnavailableError."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        """Takes the database, and what opens and closes the tokens in it."""
        self._database = database
        self._box = box

    def put(self, mailbox: Mailbox, token: str | None) -> None:
        """Keeps a mailbox, in place of the recipient's former one, whose ``since`` stands."""
        recipient, organisation = mailbox.recipient, mailbox.organisation
        values: dict[str, Any] = {
            "recipient": recipient,
            "sor": organisation.sor,
            "gln": organisation.gln,
            "url": mailbox.url,
            "in_envelope": mailbox.in_envelope,
            "token": self._box.closed(_named(recipient), token) if token else None,
        }
        former = select(MAILBOXES.c.since_ms).where(MAILBOXES.c.recipient == recipient)
        with self._database.writing() as connection:
            since = connection.execute(former).scalar()
            values["since_ms"] = milliseconds_of(mailbox.since) if since is None else since
            connection.execute(delete(MAILBOXES).where(MAILBOXES.c.recipient == recipient))
            connection.execute(insert(MAILBOXES).values(values))

    def remove(self, recipient: str) -> bool:
        """Returns whether there was one: what waits for it is sent no more."""
        with self._database.writing() as connection:
            return connection.execute(delete(MAILBOXES).where(MAILBOXES.c.recipient == recipient)).rowcount > 0

    def listed(self) -> tuple[Mailbox, ...]:
        """Returns all, by recipient."""
        with self._database.reading() as connection:
            rows = connection.execute(select(MAILBOXES).order_by(MAILBOXES.c.recipient)).all()
        return tuple(_mailbox_of(row) for row in rows)

    def token_of(self, recipient: str) -> str | None:
        """Returns the token that is sent along; raises KeyFileError where it was kept under another key."""
        wanted = select(MAILBOXES.c.token).where(MAILBOXES.c.recipient == recipient)
        with self._database.reading() as connection:
            closed = connection.execute(wanted).scalar()
        return self._box.opened(_named(recipient), closed) if closed else None


def _named(recipient: str) -> str:
    return f"mailbox {recipient}"


def _mailbox_of(row: Row[Any]) -> Mailbox:
    organisation, since = Organisation(row.sor, row.gln), moment_of(row.since_ms)
    return Mailbox(row.recipient, organisation, row.url, row.token is not None, since, row.in_envelope)
