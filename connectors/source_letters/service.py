"""Puts the sending of letters together and runs it: one process of a data folder, ended by any failure of its own."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.local_times import utc_now
from connectors.source_letters.following import LetterFollower
from connectors.source_letters.mailboxes import Mailboxes
from connectors.source_letters.metrics import LetterMetrics
from connectors.source_letters.outbox import Outbox
from connectors.source_letters.sending import MailboxSending, PostRoom
from connectors.source_letters.tables import letters_database_of
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.lock import only_one
from connectors.webhooks.sending import HttpSender, SendingRules
from connectors.webhooks.signing import SecretBox
from connectors.webhooks.urls import resolved_by_system

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from connectors.kafka.connection import KafkaConnection
    from connectors.medcom_fhir.care_letter_writing import ServiceOffice
    from connectors.source_letters.letters import LinkOf
    from connectors.source_letters.mailboxes import Mailbox

_TURN = timedelta(seconds=1)
_FORGET = timedelta(hours=1)
_KEPT = timedelta(days=400)
# Operations chose the address, often in the health network; an Acknowledgement has about 15 kB.
_RULES = SendingRules(concurrency_max=1, time_max=timedelta(seconds=30), anywhere=True, answer_bytes_max=256 * 1024)


@dataclass(frozen=True, slots=True)
class LetterSettings:
    """Where letters are kept, what they are made from, and who writes them; ``retry`` is for failed attempts."""

    data_folder: Path
    kafka: KafkaConnection
    office: ServiceOffice
    link_of: LinkOf
    database_url: str | None = None
    retry: RetryRules = field(default_factory=RetryRules)


def open_mailboxes(data_folder: Path, url: str | None = None) -> Mailboxes:
    """Returns the mailboxes of a data folder; nothing need run."""
    return Mailboxes(letters_database_of(data_folder, url), SecretBox(data_folder / "keys"))


class LetterService:
    """Follows notices, writes letters, sends them. ``ready`` once the brokers answer."""

    def __init__(self, settings: LetterSettings, registry: CollectorRegistry) -> None:
        """Opens database and keys; raises SourceLettersUnavailableError or KeyFileError."""
        self._settings = settings
        database = letters_database_of(settings.data_folder, settings.database_url)
        self._room = PostRoom(
            Outbox(database),
            Mailboxes(database, SecretBox(settings.data_folder / "keys")),
            settings.office,
            settings.link_of,
            settings.retry,
            utc_now,
            LetterMetrics(registry),
        )
        self._follower = LetterFollower(settings.kafka, self._room)
        self._sendings: dict[str, asyncio.Task[None]] = {}

    @property
    def ready(self) -> bool:
        """Returns whether the topics are followed."""
        return self._follower.ready

    async def run(self) -> None:
        """Runs until it is cancelled; any failure of its own ends it.

        Raises AlreadyRunningError where another one runs on the data folder.
        """
        with only_one(self._settings.data_folder / "source-letters.lock"):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follower.run())
                group.create_task(self._forget())
                await self._open_sendings(group)

    async def _open_sendings(self, group: asyncio.TaskGroup) -> None:
        while True:
            for mailbox in await asyncio.to_thread(self._room.mailboxes.listed):
                if mailbox.recipient not in self._sendings:
                    self._sendings[mailbox.recipient] = group.create_task(self._send_to(mailbox.recipient))
            self._room.metrics.counted(await asyncio.to_thread(self._room.outbox.counts))
            await asyncio.sleep(_TURN.total_seconds())

    async def _send_to(self, recipient: str) -> None:
        sending = MailboxSending(self._room, HttpSender(_RULES, resolved_by_system, ssl.create_default_context()))
        try:
            while True:
                mailbox = await asyncio.to_thread(self._mailbox_of, recipient)
                if mailbox is None or not await sending.turn(mailbox):
                    await asyncio.sleep(_TURN.total_seconds())
        finally:
            await sending.close()

    def _mailbox_of(self, recipient: str) -> Mailbox | None:
        return next((one for one in self._room.mailboxes.listed() if one.recipient == recipient), None)

    async def _forget(self) -> None:
        while True:
            await asyncio.to_thread(self._room.outbox.forget_before, self._room.clock() - _KEPT)
            await asyncio.sleep(_FORGET.total_seconds())
