"""A mailbox may want its letters in a VANSEnvelope."""

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """Adds whether it does; those that are there do not."""
    op.add_column("mailboxes", Column("in_envelope", Boolean, nullable=False, server_default=false()))
