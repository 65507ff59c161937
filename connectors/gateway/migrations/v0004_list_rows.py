"""What was last said of each row of a list."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, String, Text

revision = "v0004"
down_revision = "v0003"


def upgrade() -> None:
    """Makes the table; a list that was never sent has no rows in it."""
    op.create_table(
        "list_rows",
        Column("list", LargeBinary(32), primary_key=True),
        Column("row", LargeBinary(32), primary_key=True),
        Column("seen", LargeBinary(32)),
        Column("since_ms", BigInteger, nullable=False),
        Column("last_seen_ms", BigInteger, nullable=False),
        Column("content", LargeBinary(32)),
        Column("youth_id", String(64)),
        Column("event", LargeBinary),
        Column("earlier", Text),
        Column("missing_ms", BigInteger),
        Column("ended", LargeBinary),
    )
    op.create_index("ix_list_rows_last_seen_ms", "list_rows", ["last_seen_ms"])
    op.create_index("ix_list_rows_youth_id", "list_rows", ["youth_id"])
