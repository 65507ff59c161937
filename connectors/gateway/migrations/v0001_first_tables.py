"""The gateway's first tables. A database that was made before versions were counted has them already."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Makes receipts, statements, answers, sent replies and clients."""
    _make_answers()
    _make_clients()
    _make_receipts()
    _make_sent_replies()
    _make_statements()


def _make_answers() -> None:
    op.create_table(
        "answers",
        Column("request", LargeBinary(32), primary_key=True),
        Column("body", LargeBinary(32), nullable=False),
        Column("recorded_at_ms", BigInteger, nullable=False),
        Column("status", Integer, nullable=False),
        Column("media_type", String(64), nullable=False),
        Column("answer", LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_answers_recorded_at_ms", "answers", ["recorded_at_ms"], if_not_exists=True)


def _make_clients() -> None:
    op.create_table(
        "clients",
        Column("client_id", String(32), primary_key=True),
        Column("token_sha256", LargeBinary(32), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("name", String(128), nullable=False),
        Column("roles", Text, nullable=False),
        Column("senders", Text, nullable=False),
        Column("data_controller", Text),
        Column("legal_basis", Text),
        Column("created_at_ms", BigInteger, nullable=False),
        Column("revoked_at_ms", BigInteger),
        if_not_exists=True,
    )
    op.create_index("clients_by_name", "clients", ["kind", "name"], if_not_exists=True)


def _make_receipts() -> None:
    op.create_table(
        "receipts",
        Column("bundle", LargeBinary(32), primary_key=True),
        Column("header", LargeBinary(32), primary_key=True),
        Column("letter", LargeBinary(32)),
        Column("content", LargeBinary(32), nullable=False),
        Column("recorded_at_ms", BigInteger, nullable=False),
        Column("state", String(8), nullable=False),
        Column("acknowledgement", LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_receipts_letter", "receipts", ["letter"], if_not_exists=True)
    op.create_index("ix_receipts_recorded_at_ms", "receipts", ["recorded_at_ms"], if_not_exists=True)


def _make_sent_replies() -> None:
    op.create_table(
        "sent_replies",
        Column("event_id", String(36), primary_key=True),
        Column("programme", String(128), nullable=False),
        Column("body", LargeBinary(32), nullable=False),
        Column("occurred_at_ms", BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_sent_replies_occurred_at_ms", "sent_replies", ["occurred_at_ms"], if_not_exists=True)


def _make_statements() -> None:
    op.create_table(
        "statements",
        Column("event_id", String(36), primary_key=True),
        Column("content", LargeBinary(32), nullable=False),
        Column("recorded_at_ms", BigInteger, nullable=False),
        Column("state", String(8), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_statements_recorded_at_ms", "statements", ["recorded_at_ms"], if_not_exists=True)
