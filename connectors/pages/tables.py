"""The pages' table in the gateway's database: who is signed in, by the hash of a cookie."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table

TABLES = MetaData()
SESSIONS = Table(
    "page_sessions",
    TABLES,
    Column("session_sha256", LargeBinary(32), primary_key=True),
    Column("client_id", String(32), nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
)
