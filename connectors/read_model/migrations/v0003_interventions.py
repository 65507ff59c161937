"""What people decided about needs, by which a need's story names them."""

from alembic import op
from sqlalchemy import BigInteger, Column, String

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    """Makes the table; it is filled from its topic's start, since no progress is noted of that topic yet."""
    op.create_table(
        "intervention",
        Column("event_id", String(36), primary_key=True),
        Column("need_id", String(128), nullable=False),
        Column("youth_id", String(128)),
        Column("action", String(64), nullable=False),
        Column("actor", String(128), nullable=False),
        Column("role", String(128), nullable=False),
        Column("programme", String(128)),
        Column("reason_code", String(64)),
        Column("said_at", BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("intervention_by_need", "intervention", ["need_id", "said_at"], if_not_exists=True)
    op.create_index("intervention_by_time", "intervention", ["said_at"], if_not_exists=True)
    op.create_index("ix_intervention_youth_id", "intervention", ["youth_id"], if_not_exists=True)
