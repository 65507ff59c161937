"""A source may state over Kafka, in a topic of its own."""

from alembic import op
from sqlalchemy import Column, String

revision = "v0005"
down_revision = "v0004"


def upgrade() -> None:
    """Adds the id of the source's topics."""
    op.add_column("clients", Column("kafka_id", String(64)))
