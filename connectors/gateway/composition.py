"""Puts the gateway together: keys, stores, publisher and doors, opened and closed with the process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from connectors.gateway.clients.at_once import AtOnce, Slots
from connectors.gateway.clients.clients import Clients
from connectors.gateway.clients.entrance import Entrance, Quota
from connectors.gateway.clients.rate import RateLimit
from connectors.gateway.doors.sent_replies import SentReplies
from connectors.gateway.letters.receipts import ReceiptStore
from connectors.gateway.letters.unknown_receivers import UnknownReceivers
from connectors.gateway.lists.readers import ListReaders
from connectors.gateway.lists.rows import ListRows
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.over_kafka.answers import inboxes_of_programmes
from connectors.gateway.over_kafka.inboxes import start_reading
from connectors.gateway.over_kafka.source_statements import inboxes_of_sources
from connectors.gateway.ports import STORE_ERRORS, Desk, GatewayPorts
from connectors.gateway.public_keys import PublicKeys
from connectors.gateway.publisher import KafkaPublisher
from connectors.gateway.served_ages import ServedAges
from connectors.gateway.statements.ledger import StatementLedger
from connectors.gateway.statements.reading import StatementReader
from connectors.gateway.tables import Fingerprints, open_ledger
from connectors.kafka.reachability import BrokerWatch, MetadataProbe
from connectors.medcom_fhir.door import FhirMappingContext
from connectors.medcom_fhir.organisations import Organisation
from connectors.read_model.feed import KafkaFeed
from connectors.read_model.opening import read_model_at
from connectors.read_model.retention import prune
from connectors.source_letters.outbox import Outbox
from connectors.source_letters.tables import letters_database_of as open_letters
from connectors.vault.claims import ClaimCodes
from connectors.vault.identities import PersonStore
from connectors.vault.keys import (
    claims_key,
    create_keys,
    index_keys,
    pseudonym_roots,
    receipts_key,
    wrapping_keys,
)
from connectors.vault.number_links import NumberLinks
from connectors.vault.pseudonyms import Pseudonyms
from connectors.vault.store import open_vault
from schemas.reference import load_reference
from schemas.topics import PREFIX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy import Engine

    from connectors.gateway.publisher import Publisher
    from connectors.gateway.settings import GatewaySettings
    from connectors.vault.store import SqlVault

_PRUNE_EVERY = timedelta(days=1)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def opened_desk(settings: GatewaySettings, ports: GatewayPorts) -> AsyncIterator[Desk]:
    """Yields the desk with everything open; makes missing keys and tables first.

    The broker need not be there: it is tried in the background. Raises KeyFileError, VaultUnavailableError,
    LedgerUnavailableError, ReadModelUnavailableError or ReferenceDataError, each with what to do, where the rest
    can't be opened.
    """
    create_keys(settings.keys_folder)
    vault = open_vault(settings.vault_database, partial(index_keys, settings.keys_folder))
    engine = open_ledger(settings.ledger_database)
    publisher = ports.publisher or KafkaPublisher(settings.kafka, settings.limits.publish_time_max)
    desk = _desk(settings, ports, vault, engine, publisher)
    await publisher.start()
    desk.read_model.projector.start()
    tasks = [asyncio.create_task(_prune_daily(desk))]
    if ports.publisher is None:
        tasks += [
            asyncio.create_task(BrokerWatch(MetadataProbe(settings.kafka, PREFIX)).run()),
            *(
                start_reading(inboxes, settings.kafka)
                for inboxes in (inboxes_of_programmes(desk), inboxes_of_sources(desk))
            ),
        ]
    try:
        yield desk
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await desk.read_model.close()
        await publisher.stop()
        if ports.list_readers is None:
            await asyncio.to_thread(desk.list_readers.close)
        desk.entrance.close()
        desk.outbox.close()
        vault.close()
        engine.dispose()


def _ages_of(settings: GatewaySettings) -> Callable[[], range]:
    if settings.ages is None:
        return ServedAges(settings.programmes_folder)
    youngest, oldest = settings.ages
    return lambda: range(youngest, oldest + 1)


def _desk(
    settings: GatewaySettings, ports: GatewayPorts, vault: SqlVault, engine: Engine, publisher: Publisher
) -> Desk:
    limits = settings.limits
    rate_limit = RateLimit(limits.requests_per_second, limits.requests_burst, ports.clock_seconds)
    ages = _ages_of(settings)
    reference = load_reference(settings.reference_folder)
    pseudonyms = Pseudonyms(pseudonym_roots(settings.keys_folder))
    links, own = NumberLinks(vault.engine), Organisation(reference.service.sor, reference.service.gln)
    metrics, feed = GatewayMetrics(), ports.feed or KafkaFeed(settings.kafka)
    return Desk(
        limits=limits,
        ports=ports,
        publisher=publisher,
        vault=vault,
        quota=Quota(RateLimit(limits.statements_per_second, limits.statements_burst, ports.clock_seconds)),
        entrance=Entrance(Clients(engine), rate_limit, AtOnce(limits.requests_per_client_max)),
        receipts=ReceiptStore(engine),
        ledger=StatementLedger(engine),
        list_rows=ListRows(engine),
        list_readers=ports.list_readers
        or ListReaders(limits.list_processes_max, limits.lists_per_client_max, limits.list_time_max),
        lists_folder=settings.lists_folder,
        fingerprints=Fingerprints(receipts_key(settings.keys_folder)),
        links=links,
        reader=StatementReader(vault, pseudonyms, reference, links, limits.nesting_max, limits.ahead_max),
        identities=PersonStore(vault.engine, partial(wrapping_keys, settings.keys_folder)),
        claim_codes=ClaimCodes(vault.engine, claims_key(settings.keys_folder)),
        pseudonyms=pseudonyms,
        public_keys=PublicKeys(settings.programmes_folder),
        medcom=FhirMappingContext(vault, reference, ages(), own, limits.ahead_max),
        ages=ages,
        read_model=read_model_at(settings.read_model_database, feed, metrics),
        sent_replies=SentReplies(engine),
        outbox=Outbox(open_letters(settings.data_folder, settings.letters_url)),
        unknown_receivers=UnknownReceivers(engine),
        streams=AtOnce(limits.streams_per_client_max),
        large_letters=Slots(limits.large_letters_max),
        metrics=metrics,
    )


async def _prune_daily(desk: Desk) -> None:
    while True:
        try:
            pruned = await asyncio.to_thread(prune_all, desk)
        except STORE_ERRORS as error:
            _log.warning("pruning_failed", error=type(error).__name__)
        else:
            _log.info("pruned", **pruned)
        await asyncio.sleep(_PRUNE_EVERY.total_seconds())


def prune_all(desk: Desk) -> dict[str, int]:
    """Returns how many rows of each kind were deleted because their time has passed; blocks, raises STORE_ERRORS."""
    at = desk.ports.clock()
    before = at - desk.limits.receipts_kept
    return {
        "receipts": desk.receipts.prune(before),
        "statements": desk.ledger.prune(before),
        "list_rows": desk.list_rows.prune(before),
        "replies": desk.sent_replies.prune(before),
        "unknown_receivers": desk.unknown_receivers.prune(before),
        "claim_codes": desk.claim_codes.prune(at),
        "read_model": prune(desk.read_model.engine, at),
    }
