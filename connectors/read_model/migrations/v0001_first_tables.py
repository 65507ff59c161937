"""The read model's first tables. A database that was made before versions were counted has them already."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Date, Integer, String

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """Makes what is projected from the topics, and how far it is."""
    _make_handover()
    _make_handover_event()
    _make_need()
    _make_notice()
    _make_progress()


def _make_handover() -> None:
    op.create_table(
        "handover",
        Column("programme", String(128), primary_key=True),
        Column("handover_id", String(128), primary_key=True),
        Column("need_id", String(36), nullable=False),
        Column("site", String(128)),
        Column("youth_id", String(128)),
        Column("need_kind", String(64), nullable=False),
        Column("identity", String(64), nullable=False),
        Column("state", String(64)),
        Column("reason_code", String(64)),
        Column("reply_by", BigInteger),
        Column("first_contact_by", BigInteger),
        Column("age_band", String(128)),
        Column("municipality", String(4)),
        Column("trigger", String(64)),
        Column("occurred_on", Date),
        Column("expected_week", String(128)),
        Column("appointment_on", Date),
        Column("offered_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("handover_by_state", "handover", ["programme", "state", "site"], if_not_exists=True)
    op.create_index("ix_handover_need_id", "handover", ["need_id"], if_not_exists=True)


def _make_handover_event() -> None:
    op.create_table(
        "handover_event",
        Column("programme", String(128), primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("offset", BigInteger, primary_key=True),
        Column("handover_id", String(128), nullable=False),
        Column("need_id", String(36), nullable=False),
        Column("youth_id", String(128)),
        Column("event_id", String(36), nullable=False),
        Column("causation_id", String(36)),
        Column("type", String(64), nullable=False),
        Column("said_at", BigInteger, nullable=False),
        Column("record", JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_index("handover_event_by_handover", "handover_event", ["programme", "handover_id"], if_not_exists=True)
    op.create_index("handover_event_by_time", "handover_event", ["said_at"], if_not_exists=True)
    op.create_index("ix_handover_event_causation_id", "handover_event", ["causation_id"], if_not_exists=True)
    op.create_index("ix_handover_event_event_id", "handover_event", ["event_id"], if_not_exists=True)
    op.create_index("ix_handover_event_need_id", "handover_event", ["need_id"], if_not_exists=True)


def _make_need() -> None:
    op.create_table(
        "need",
        Column("youth_id", String(128), primary_key=True),
        Column("need_id", String(36), primary_key=True),
        Column("kind", String(64), nullable=False),
        Column("trigger", String(64), nullable=False),
        Column("state", String(64), nullable=False),
        Column("owner", String(128)),
        Column("programme", String(128)),
        Column("clock_at", BigInteger),
        Column("reason_code", String(64)),
        Column("options", JSON, nullable=False),
        Column("age_band", String(128)),
        Column("municipality", String(4)),
        Column("since", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("need_by_id", "need", ["need_id"], if_not_exists=True)
    op.create_index("need_by_owner", "need", ["owner", "state"], if_not_exists=True)


def _make_notice() -> None:
    op.create_table(
        "notice",
        Column("event_id", String(36), primary_key=True),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("kind", String(64), nullable=False),
        Column("recipient", String(128), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("youth_id", String(128)),
        Column("need_kind", String(64)),
        Column("due_at", BigInteger),
        Column("reason_code", String(64)),
        Column("options", JSON, nullable=False),
        Column("said_at", BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_notice_subject", "notice", ["subject"], if_not_exists=True)
    op.create_index("ix_notice_youth_id", "notice", ["youth_id"], if_not_exists=True)
    op.create_index("notice_by_recipient", "notice", ["recipient", "said_at"], if_not_exists=True)
    op.create_index("notice_by_time", "notice", ["said_at"], if_not_exists=True)


def _make_progress() -> None:
    op.create_table(
        "progress",
        Column("topic", String(249), primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        if_not_exists=True,
    )
