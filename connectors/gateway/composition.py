"""Puts the gateway together: keys, stores, publisher and doors, opened and closed with the process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from connectors.gateway.clients import Clients
from connectors.gateway.entrance import Entrance
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.ports import STORE_ERRORS, Desk, Ports
from connectors.gateway.publisher import KafkaPublisher
from connectors.gateway.rate import RateLimit
from connectors.gateway.receipts import Receipts
from connectors.gateway.statement_ledger import StatementLedger
from connectors.gateway.statements import Reader
from connectors.gateway.tables import Fingerprints, open_ledger
from connectors.medcom_fhir.organisations import Organisation
from connectors.medcom_fhir.translate import Door
from connectors.vault.keys import create_keys, index_key, pseudonym_roots, receipts_key
from connectors.vault.pseudonyms import Pseudonyms
from connectors.vault.store import open_vault
from schemas.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Engine

    from connectors.gateway.publisher import Publisher
    from connectors.gateway.settings import GatewaySettings
    from connectors.vault.store import SqlVault

_PRUNE_EVERY = timedelta(days=1)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def opened_desk(settings: GatewaySettings, ports: Ports) -> AsyncIterator[Desk]:
    """Yields the desk with everything open; makes missing keys and tables first.

    The broker need not be there: it is tried in the background. Raises KeyFileError, VaultUnavailableError,
    LedgerUnavailableError or ReferenceDataError, each with what to do, where the rest can't be opened.
    """
    create_keys(settings.keys_folder)
    vault = open_vault(settings.vault_database, index_key(settings.keys_folder))
    engine = open_ledger(settings.ledger_database)
    publisher = ports.publisher or KafkaPublisher(settings.kafka, settings.limits.publish_time_max)
    desk = _desk(settings, ports, vault, engine, publisher)
    await publisher.start()
    pruning = asyncio.create_task(_prune_daily(desk))
    try:
        yield desk
    finally:
        pruning.cancel()
        await publisher.stop()
        vault.close()
        engine.dispose()


def _desk(settings: GatewaySettings, ports: Ports, vault: SqlVault, engine: Engine, publisher: Publisher) -> Desk:
    limits = settings.limits
    rate_limit = RateLimit(limits.requests_per_second, limits.requests_burst, ports.clock_seconds)
    youngest, oldest = settings.ages
    reference = load_reference(settings.reference_folder)
    own = Organisation(reference.service.sor, reference.service.gln)
    return Desk(
        limits=limits,
        ports=ports,
        publisher=publisher,
        vault=vault,
        entrance=Entrance(Clients(engine), rate_limit),
        receipts=Receipts(engine),
        ledger=StatementLedger(engine),
        fingerprints=Fingerprints(receipts_key(settings.keys_folder)),
        reader=Reader(vault, Pseudonyms(pseudonym_roots(settings.keys_folder)), reference, limits.nesting_max),
        medcom=Door(vault, reference, range(youngest, oldest + 1), own),
        metrics=GatewayMetrics(),
    )


async def _prune_daily(desk: Desk) -> None:
    while True:
        before = desk.ports.clock() - desk.limits.receipts_kept
        try:
            receipts = await asyncio.to_thread(desk.receipts.prune, before)
            statements = await asyncio.to_thread(desk.ledger.prune, before)
        except STORE_ERRORS as error:
            _log.warning("pruning_failed", error=type(error).__name__)
        else:
            _log.info("pruned", receipts=receipts, statements=statements)
        await asyncio.sleep(_PRUNE_EVERY.total_seconds())
