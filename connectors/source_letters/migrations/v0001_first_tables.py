"""The first tables of letters to sources. A database that was made before versions were counted has them already."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Makes mailboxes, what sources said, the outbox, and how far the topics are read."""
    _make_mailboxes()
    _make_statements()
    _make_outbox()
    _make_positions()


def _make_mailboxes() -> None:
    op.create_table(
        "mailboxes",
        Column("recipient", String(128), primary_key=True),
        Column("sor", String(18), nullable=False),
        Column("gln", String(13), nullable=False),
        Column("url", String(2048), nullable=False),
        Column("token", LargeBinary),
        Column("since_ms", BigInteger, nullable=False),
        if_not_exists=True,
    )


def _make_statements() -> None:
    op.create_table(
        "statements",
        Column("event_id", String(36), primary_key=True),
        Column("source", String(128), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("episode_id", String(128)),
        Column("seen_at_ms", BigInteger, nullable=False),
        if_not_exists=True,
    )


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("notice_id", String(36), nullable=False, unique=True),
        Column("letter_id", String(36), nullable=False, unique=True),
        Column("recipient", String(128), nullable=False),
        Column("kind", String(64), nullable=False),
        Column("about", String(36), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("thread", String(36), nullable=False),
        Column("said_at_ms", BigInteger, nullable=False),
        Column("queued_at_ms", BigInteger, nullable=False),
        Column("state", String(16), nullable=False),
        Column("sendings", Integer, nullable=False),
        Column("sent_at_ms", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_at_ms", BigInteger, nullable=False),
        Column("outcome", String(64)),
        if_not_exists=True,
    )
    op.create_index("outbox_by_recipient", "outbox", ["recipient", "state", "next_at_ms"], if_not_exists=True)


def _make_positions() -> None:
    op.create_table(
        "positions",
        Column("topic", String(249), primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        if_not_exists=True,
    )
