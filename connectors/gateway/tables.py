"""The gateway's own database: receipts, statements, answers, lists' rows and clients; nobody's identity in any of them.

Whatever comes from a message (ids, bodies, idempotency keys) is kept as an HMAC under the receipts key; answers, which
repeat some of it, are sealed. What changes here goes into a new revision in ``migrations``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from connectors.vault.access import Access
from connectors.vault.migrating import Migrations

TABLES = MetaData()
_NONCE_BYTES = 12
PENDING = "pending"
DONE = "done"

RECEIPTS = Table(
    "receipts",
    TABLES,
    Column("bundle", LargeBinary(32), primary_key=True),
    Column("header", LargeBinary(32), primary_key=True),
    Column("letter", LargeBinary(32), index=True),
    Column("content", LargeBinary(32), nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("acknowledgement", LargeBinary, nullable=False),
)
STATEMENTS = Table(
    "statements",
    TABLES,
    Column("event_id", String(36), primary_key=True),
    Column("content", LargeBinary(32), nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False, index=True),
    Column("state", String(8), nullable=False),
)
ANSWERS = Table(
    "answers",
    TABLES,
    Column("request", LargeBinary(32), primary_key=True),
    Column("body", LargeBinary(32), nullable=False),
    Column("recorded_at_ms", BigInteger, nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
# One row a row of a list: ``seen`` is how it was last seen, and since when; ``content`` how it was last taken.
# ``event`` is the last event that it became, in the bytes of its topic, so with nothing that is not there too;
# ``earlier`` the ids of the steps before it, as JSON; ``ended`` the event that told that it was missing, if one did.
LIST_ROWS = Table(
    "list_rows",
    TABLES,
    Column("list", LargeBinary(32), primary_key=True),
    Column("row", LargeBinary(32), primary_key=True),
    Column("seen", LargeBinary(32)),
    Column("since_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False, index=True),
    Column("content", LargeBinary(32)),
    Column("youth_id", String(64), index=True),
    Column("event", LargeBinary),
    Column("earlier", Text),
    Column("missing_ms", BigInteger),
    Column("ended", LargeBinary),
)
CLIENTS = Table(
    "clients",
    TABLES,
    Column("client_id", String(32), primary_key=True),
    Column("token_sha256", LargeBinary(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("roles", Text, nullable=False),
    Column("senders", Text, nullable=False),
    Column("site", String(128)),
    Column("kafka_id", String(64)),
    Column("data_controller", Text),
    Column("legal_basis", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
)
# A programme's short replies, as they first came.
SENT_REPLIES = Table(
    "sent_replies",
    TABLES,
    Column("event_id", String(36), primary_key=True),
    Column("programme", String(128), nullable=False),
    Column("body", LargeBinary(32), nullable=False),
    Column("occurred_at_ms", BigInteger, nullable=False, index=True),
)
# Receivers whom messages named and reference data doesn't know: organisations' codes, nothing of a person.
UNKNOWN_RECEIVERS = Table(
    "unknown_receivers",
    TABLES,
    Column("sor", String(32), primary_key=True),
    Column("gln", String(32), primary_key=True),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False, index=True),
    Column("messages", Integer, nullable=False),
)
Index("clients_by_name", CLIENTS.c.kind, CLIENTS.c.name)


class LedgerUnavailableError(Exception):
    """Raised where the gateway's database can't be opened, read or written; the caller may try again."""


class Seal:
    """Seals the answer to a request under what the request says, which is kept nowhere (AES-256-GCM).

    Only who sends the same again gets the answer: neither the database opens it nor, without the request, the keys.
    """

    def __init__(self, key: bytes) -> None:
        """Takes the key of one request's answer."""
        self._cipher = AESGCM(key)

    def sealed(self, answer: bytes) -> bytes:
        """Returns the answer sealed; the same answer is other bytes each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, answer, None)

    def opened(self, sealed: bytes) -> bytes:
        """Returns a sealed answer; raises cryptography's InvalidTag where it is another request's."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)


class Fingerprints:
    """Turns what may not be kept into 32 bytes by which it is recognised."""

    def __init__(self, key: bytes) -> None:
        """Takes the receipts key."""
        self._key = key

    def of(self, *parts: str | bytes) -> bytes:
        """Returns the HMAC-SHA-256 of the parts; lists that differ anywhere give different bytes."""
        code = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            code.update(len(content).to_bytes(8) + content)
        return code.digest()

    def seal_of(self, *parts: str | bytes) -> Seal:
        """Returns the seal of the answer to what the parts say."""
        return Seal(self.of("seal", *parts))


_MIGRATIONS = Migrations("ledger", Path(__file__).parent / "migrations")
_LEDGER = Access(_MIGRATIONS, "the gateway's database", LedgerUnavailableError)
open_ledger, in_transaction, reading = _LEDGER.open, _LEDGER.write, _LEDGER.read
