"""Erases a young person: the vault first, then the log is told, then the read model; and proves it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from connectors.gateway.lists.rows import ListRows
from connectors.gateway.tables import open_ledger
from connectors.read_model.erasing import erase_from_read_model
from connectors.read_model.tables import open_read_model
from connectors.vault.erasure import erase_from_vault
from schemas.codes import InterventionAction
from schemas.events import Intervention
from schemas.internal import own_header
from schemas.topics import catalogue
from streams.log.writing import outbound_of, write_all

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.gateway.settings import GatewaySettings
    from connectors.kafka.connection import KafkaConnection
    from connectors.vault.store import SqlVault

_ACTOR, _ROLE = "operations", "erasure"
#: What still names people after it, sealed or a source's own words, and how long at most.
_SEALED_OR_OF_SOURCES = {"dead_letters_kept_days_max": "dead-letters", "statements_kept_days_max": "statements"}


def erase_everywhere(
    connection: KafkaConnection, vault: SqlVault, gateway: GatewaySettings, youth_id: str, at: datetime
) -> dict[str, Any]:
    """Returns the proof: what was deleted, when, and the SHA-256 of all of it; blocks.

    May be repeated, and must be where it raises: VaultUnavailableError, KafkaError, LedgerUnavailableError,
    ReadModelUnavailableError. A message that comes in meanwhile is about a new young person, since the vault goes
    first.
    """
    erased = erase_from_vault(vault.engine, youth_id)
    told = _told(youth_id, at)
    write_all(connection, [outbound_of("interventions", told)])
    list_rows = _from_lists(gateway.ledger_database, youth_id)
    engine = open_read_model(gateway.read_model_database)
    try:
        rows = erase_from_read_model(engine, youth_id)
    finally:
        engine.dispose()
    proof = {
        "youth_id": youth_id,
        "erased_at": at.isoformat(timespec="milliseconds"),
        "vault": asdict(erased),
        "read_model": rows,
        "lists": {"list_rows": list_rows},
        "intervention": str(told.event_id),
        **{name: catalogue()[topic].retention_days for name, topic in _SEALED_OR_OF_SOURCES.items()},
    }
    return proof | {"sha256": digest_of_proof(proof)}


def _from_lists(ledger_url: str, youth_id: str) -> int:
    """Returns how many rows of lists were forgotten; sent again, they are about somebody new."""
    engine = open_ledger(ledger_url)
    try:
        return ListRows(engine).erase(youth_id)
    finally:
        engine.dispose()


def digest_of_proof(proof: dict[str, Any]) -> str:
    """Returns the SHA-256 of a proof's other fields, as JSON with sorted keys and no blanks."""
    said = {name: value for name, value in proof.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _told(youth_id: str, at: datetime) -> Intervention:
    # Another id each time: what came in late under the old youth id is erased by the repetition.
    return Intervention(
        **own_header(uuid4(), youth_id, at) | {"source": _ACTOR},
        youth_id=youth_id,
        action=InterventionAction.ERASED,
        actor=_ACTOR,
        role=_ROLE,
    )
