"""A client may be bound to one site of its programme."""

from alembic import op
from sqlalchemy import Column, String, inspect

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """Adds the site, unless the database was made with it before versions were counted."""
    if "site" not in {column["name"] for column in inspect(op.get_bind()).get_columns("clients")}:
        op.add_column("clients", Column("site", String(128)))
