"""What the doors work with: put together once in ``composition``, replaced by fakes in tests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.gateway.publisher import Published
from connectors.gateway.tables import LedgerUnavailableError
from connectors.local_times import utc_now
from connectors.read_model.tables import ReadModelUnavailableError
from connectors.source_letters.tables import SourceLettersUnavailableError
from connectors.vault.store import VaultUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from connectors.gateway.clients.at_once import AtOnce, Slots
    from connectors.gateway.clients.entrance import Entrance, Quota
    from connectors.gateway.doors.sent_replies import SentReplies
    from connectors.gateway.letters.receipts import ReceiptStore
    from connectors.gateway.letters.unknown_receivers import UnknownReceivers
    from connectors.gateway.lists.readers import ListReaders
    from connectors.gateway.lists.rows import ListRows
    from connectors.gateway.metrics import GatewayMetrics
    from connectors.gateway.public_keys import PublicKeys
    from connectors.gateway.publisher import OutgoingRecord, Publisher, Unavailable
    from connectors.gateway.settings import Limits
    from connectors.gateway.statements.ledger import StatementLedger
    from connectors.gateway.statements.reading import StatementReader
    from connectors.gateway.tables import Fingerprints
    from connectors.medcom_fhir.door import FhirMappingContext
    from connectors.read_model.feed import TopicFeed
    from connectors.read_model.opening import ReadModel
    from connectors.source_letters.outbox import Outbox
    from connectors.vault.claims import ClaimCodes
    from connectors.vault.identities import PersonStore
    from connectors.vault.number_links import NumberLinks
    from connectors.vault.pseudonyms import Pseudonyms
    from connectors.vault.store import SqlVault

STORE_ERRORS = (
    VaultUnavailableError,
    LedgerUnavailableError,
    ReadModelUnavailableError,
    SourceLettersUnavailableError,
)


def _nothing() -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class GatewayPorts:
    """The outside world, as far as tests replace it.

    No ``publisher`` and no ``feed`` mean the broker of the settings, no ``list_readers`` the gateway's own processes.
    ``after_confirmation`` is called between the broker's confirmation and everything that follows it; a test may end
    the process there.
    """

    publisher: Publisher | None = None
    clock: Callable[[], datetime] = utc_now
    clock_seconds: Callable[[], float] = time.monotonic
    after_confirmation: Callable[[], None] = _nothing
    feed: TopicFeed | None = None
    list_readers: ListReaders | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a door needs, opened."""

    limits: Limits
    ports: GatewayPorts
    publisher: Publisher
    vault: SqlVault
    entrance: Entrance
    quota: Quota
    receipts: ReceiptStore
    ledger: StatementLedger
    list_rows: ListRows
    list_readers: ListReaders
    lists_folder: Path
    fingerprints: Fingerprints
    reader: StatementReader
    medcom: FhirMappingContext
    ages: Callable[[], range]
    identities: PersonStore
    links: NumberLinks
    claim_codes: ClaimCodes
    pseudonyms: Pseudonyms
    public_keys: PublicKeys
    read_model: ReadModel
    sent_replies: SentReplies
    outbox: Outbox
    unknown_receivers: UnknownReceivers
    streams: AtOnce
    large_letters: Slots
    metrics: GatewayMetrics = field(repr=False)

    async def publish(self, records: Sequence[OutgoingRecord]) -> Published | Unavailable:
        """Publishes, measured; after a confirmation the ports' ``after_confirmation`` is called."""
        with self.metrics.publish_seconds.time():
            outcome = await self.publisher.publish(records)
        if isinstance(outcome, Published):
            self.ports.after_confirmation()
        return outcome
