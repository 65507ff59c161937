"""What rotation needs to know of each row, which keys are in force, and which number replaces which."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, String

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """Adds them; rows from before are of the first keys."""
    op.add_column("youth_index", Column("key_id", String(4), nullable=False, server_default="k001"))
    op.create_index("ix_youth_index_key_id", "youth_index", ["key_id"])
    op.add_column("identities", Column("generation", Integer, nullable=False, server_default="1"))
    op.create_index("ix_identities_kek_id", "identities", ["kek_id"])
    op.create_index("ix_identities_generation", "identities", ["generation"])
    op.create_table(
        "keys_in_force",
        Column("kind", String(16), primary_key=True),
        Column("key_id", String(4), primary_key=True),
        Column("state", String(8), nullable=False),
        Column("since_ms", BigInteger, nullable=False),
    )
    op.create_table(
        "number_links",
        Column("youth_id", String(32), primary_key=True),
        Column("linked_to", String(32), primary_key=True),
        Column("linked", Boolean, nullable=False),
        Column("stated_at_ms", BigInteger, nullable=False),
    )
    op.create_index("ix_number_links_linked_to", "number_links", ["linked_to"])
