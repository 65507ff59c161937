"""The read model's tables. Every row follows from the topics: the whole database may be deleted at any time.

Times are aware, in UTC, to the millisecond. Nothing personal stands in any of them. What changes here goes into a new
revision in ``migrations``, which may as well empty all of them, ``progress`` too.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, MetaData, String, Table, TypeDecorator

from connectors.vault.access import Access
from connectors.vault.migrating import Migrations
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_NAME = String(128)
_CODE = String(64)
_ID = String(36)


class Instant(TypeDecorator[datetime]):
    """A time, kept as milliseconds since 1970: SQLite's own times forget their zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Returns what is stored."""
        return None if value is None else milliseconds_of(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Returns the time, aware, in UTC."""
        return None if value is None else moment_of(value)


TABLES = MetaData()

# Everything on the programmes' topics. ``youth_id`` is the programme's pseudonym, ``need_id`` the record's
# correlation, ``record`` the JSON line that `brobygger subscribe --json` prints for it.
HANDOVER_EVENTS = Table(
    "handover_event",
    TABLES,
    Column("programme", _NAME, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("handover_id", _NAME, nullable=False),
    Column("site", _NAME),
    Column("need_id", _ID, nullable=False, index=True),
    Column("youth_id", _NAME),
    Column("event_id", _ID, nullable=False, index=True),
    Column("causation_id", _ID, index=True),
    Column("type", _CODE, nullable=False),
    Column("said_at", Instant, nullable=False),
    Column("record", JSON, nullable=False),
)
Index("handover_event_by_handover", HANDOVER_EVENTS.c.programme, HANDOVER_EVENTS.c.handover_id)
Index("handover_event_by_time", HANDOVER_EVENTS.c.said_at)

# Each handover as its programme was last told. ``reason_code`` says why it was withdrawn; ``updated_at`` is
# when something of it changed, which a refused reply does not do.
HANDOVERS = Table(
    "handover",
    TABLES,
    Column("programme", _NAME, primary_key=True),
    Column("handover_id", _NAME, primary_key=True),
    Column("need_id", _ID, nullable=False, index=True),
    Column("site", _NAME),
    Column("youth_id", _NAME),
    Column("need_kind", _CODE, nullable=False),
    Column("identity", _CODE, nullable=False),
    Column("state", _CODE),
    Column("reason_code", _CODE),
    Column("reply_by", Instant),
    Column("first_contact_by", Instant),
    Column("age_band", _NAME),
    Column("municipality", String(4)),
    Column("trigger", _CODE),
    Column("occurred_on", Date),
    Column("expected_week", _NAME),
    Column("appointment_on", Date),
    Column("offered_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("handover_by_state", HANDOVERS.c.programme, HANDOVERS.c.state, HANDOVERS.c.site)

# Each need as its pathway's latest view has it; two pathways that were linked may both have it. ``youth_id`` is the
# internal one and is shown to nobody; ``options`` is a list of {"programme", "outcome"}; ``programme``, ``since`` and
# ``clock_at`` are as ``schemas.outputs.NeedView`` says.
NEEDS = Table(
    "need",
    TABLES,
    Column("youth_id", _NAME, primary_key=True),
    Column("need_id", _ID, primary_key=True),
    Column("kind", _CODE, nullable=False),
    Column("trigger", _CODE, nullable=False),
    Column("state", _CODE, nullable=False),
    Column("owner", _NAME),
    Column("programme", _NAME),
    Column("clock_at", Instant),
    Column("reason_code", _CODE),
    Column("options", JSON, nullable=False),
    Column("age_band", _NAME),
    Column("municipality", String(4)),
    Column("since", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("need_by_id", NEEDS.c.need_id)
Index("need_by_owner", NEEDS.c.owner, NEEDS.c.state)

# Every notice; ``subject`` is the need or the stay that it is about, ``youth_id`` the internal one.
NOTICES = Table(
    "notice",
    TABLES,
    Column("event_id", _ID, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("kind", _CODE, nullable=False),
    Column("recipient", _NAME, nullable=False),
    Column("subject", _NAME, nullable=False, index=True),
    Column("youth_id", _NAME, index=True),
    Column("need_kind", _CODE),
    Column("due_at", Instant),
    Column("reason_code", _CODE),
    Column("options", JSON, nullable=False),
    Column("said_at", Instant, nullable=False),
)
Index("notice_by_recipient", NOTICES.c.recipient, NOTICES.c.said_at)
Index("notice_by_time", NOTICES.c.said_at)

# Every decision of a person about a need; ``youth_id`` is the internal one.
INTERVENTIONS = Table(
    "intervention",
    TABLES,
    Column("event_id", _ID, primary_key=True),
    Column("need_id", _NAME, nullable=False),
    Column("youth_id", _NAME, index=True),
    Column("action", _CODE, nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("role", _NAME, nullable=False),
    Column("programme", _NAME),
    Column("reason_code", _CODE),
    Column("said_at", Instant, nullable=False),
)
Index("intervention_by_need", INTERVENTIONS.c.need_id, INTERVENTIONS.c.said_at)
Index("intervention_by_time", INTERVENTIONS.c.said_at)

# How far each partition is projected: written with the rows, in one transaction.
PROGRESS = Table(
    "progress",
    TABLES,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)


class ReadModelUnavailableError(Exception):
    """Raised where the read model's database can't be opened, read or written; the caller may try again."""


_MIGRATIONS = Migrations("read_model", Path(__file__).parent / "migrations")
_READ_MODEL = Access(_MIGRATIONS, "the read model", ReadModelUnavailableError)
open_read_model, in_transaction, reading = _READ_MODEL.open, _READ_MODEL.write, _READ_MODEL.read
