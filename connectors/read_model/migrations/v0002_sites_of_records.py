"""Each record of a handover has its site, by which a client that is bound to one is let see it."""

from alembic import op
from sqlalchemy import Column, String, delete, inspect, table

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """Adds the site; what was projected without it is projected anew from the topics.

    A database that was made with it before versions were counted stays as it is.
    """
    if "site" in {column["name"] for column in inspect(op.get_bind()).get_columns("handover_event")}:
        return
    op.add_column("handover_event", Column("site", String(128)))
    for name in ("handover_event", "handover", "need", "notice", "progress"):
        op.execute(delete(table(name)))
