"""The vault's first tables. A database that was made before versions were counted has them already."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Makes the look-up index, the identities, the claim codes and the count of wrong guesses."""
    op.create_table(
        "youth_index",
        Column("lookup", LargeBinary(32), primary_key=True),
        Column("youth_id", String(32), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "identities",
        Column("youth_id", String(32), primary_key=True),
        Column("kek_id", String(4), nullable=False),
        Column("wrapped_key", LargeBinary(60), nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "claims",
        Column("code", LargeBinary(32), primary_key=True),
        Column("youth_id", String(32), nullable=False),
        Column("expires_at_ms", BigInteger, nullable=False),
        Column("claimed_by", String(128)),
        Column("claimed_at_ms", BigInteger),
        Column("attempt", Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "claim_misses",
        Column("miss", Integer, primary_key=True, autoincrement=True),
        Column("client", String(128), nullable=False),
        Column("at_ms", BigInteger, nullable=False),
        if_not_exists=True,
    )
    for table, column in (
        ("youth_index", "youth_id"),
        ("claims", "youth_id"),
        ("claims", "expires_at_ms"),
        ("claim_misses", "at_ms"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
