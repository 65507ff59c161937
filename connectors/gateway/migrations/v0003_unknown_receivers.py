"""Receivers that messages name and reference data doesn't know."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    """Makes their table."""
    op.create_table(
        "unknown_receivers",
        Column("sor", String(32), primary_key=True),
        Column("gln", String(32), primary_key=True),
        Column("first_seen_ms", BigInteger, nullable=False),
        Column("last_seen_ms", BigInteger, nullable=False),
        Column("messages", Integer, nullable=False),
    )
    op.create_index("ix_unknown_receivers_last_seen_ms", "unknown_receivers", ["last_seen_ms"])
