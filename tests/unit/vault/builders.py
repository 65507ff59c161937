"""A vault in a folder of its own, and the made-up person whom its tests tell of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from connectors.person_details import PersonDetails
from connectors.vault.identities import PersonStore, PersonUpdate
from connectors.vault.keys import IndexKey, WrappingKey
from connectors.vault.store import SqlVault, open_vault
from connectors.vault.tables import INDEX
from connectors.vault.urls import sqlite_url

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

SYSTEM = "urn:oid:1.2.208.176.1.2"
CPR = "2512489996"
INDEX_KEY = IndexKey("k001", b"k" * 32)
AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
KEY = WrappingKey("k001", b"w" * 32)
PERSONAL = ("Nancy Ann Testesen", "Prøvevej 7, 3000 Helsingør", "+45 20 12 34 56", CPR)


def a_vault(folder: Path) -> SqlVault:
    """Returns the vault of a folder."""
    return the_vault(sqlite_url(folder / "vault.sqlite"))


def the_vault(url: str) -> SqlVault:
    """Returns the vault of a database under the usual index key."""
    return open_vault(url, lambda: (INDEX_KEY,))


def allotted(engine: Engine, *youth_ids: str) -> Engine:
    """Returns a vault's engine after each youth id was allotted to a made-up number."""
    rows = [{"lookup": youth_id.encode(), "youth_id": youth_id} for youth_id in youth_ids]
    with engine.begin() as connection:
        connection.execute(insert(INDEX), rows)
    return engine


def the_identities(engine: Engine, *keys: WrappingKey) -> PersonStore:
    """Returns the identities of a vault under these keys, or the usual one."""
    return PersonStore(engine, lambda: keys or (KEY,))


def details(**changes: Any) -> PersonDetails:
    """Returns what a message says of the made-up person."""
    name, address, phone, number = PERSONAL
    said: dict[str, Any] = {
        "system": SYSTEM,
        "number": number,
        "name": name,
        "address": address,
        "phone": phone,
        "protected": False,
    }
    return PersonDetails(**(said | changes))


def stated(youth_id: str, **changes: Any) -> PersonUpdate:
    """Returns a statement of the made-up person, sent at AT unless ``sent_at`` says otherwise."""
    sent_at = changes.pop("sent_at", AT)
    return PersonUpdate(youth_id, details(**changes), sent_at)


def everything_in(folder: Path) -> bytes:
    """Returns the bytes of every file of a folder: what a copy of the disk would hold."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
