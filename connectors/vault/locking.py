"""Locks that last for a transaction: who holds one alone waits for all who share it, and they for it.

On SQLite one transaction writes at a time, so that none of them is needed beyond the beginning of the transaction.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

if TYPE_CHECKING:
    from sqlalchemy import Connection


def hold_alone(connection: Connection, name: str) -> None:
    """Holds what a name stands for until the transaction ends, alone; blocks until nobody else does.

    On SQLite it begins the write transaction, unless the connection is in one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_number_of(name))))
        return
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def hold_shared(connection: Connection, name: str) -> None:
    """Holds what a name stands for until the transaction ends, with others who share it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_number_of(name))))


def _number_of(name: str) -> int:
    digest = hashlib.sha256(f"brobygger {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
