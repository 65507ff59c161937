"""Sends one mailbox's letters, one after the other, and takes the Acknowledgement that an answer may hold."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

import structlog

from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.vans_envelope import EndPoint, VansAddress, fhir_document, in_vans_envelope
from connectors.medcom_fhir.acknowledgement_reading import acknowledgement_in
from connectors.medcom_fhir.care_letter_writing import CATEGORY, build_care_letter
from connectors.source_letters.letters import written
from connectors.source_letters.schedule import (
    LetterState,
    after_crossing,
    after_failure,
    after_silence,
    begin_sending,
    retry_at,
)
from connectors.vault.key_files import KeyFileError
from connectors.webhooks.sending import Delivered, Failed, Gone, WebhookMessage
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.medcom_fhir.care_letter_writing import ServiceOffice
    from connectors.source_letters.letters import LinkOf
    from connectors.source_letters.mailboxes import Mailbox, Mailboxes
    from connectors.source_letters.metrics import LetterMetrics
    from connectors.source_letters.outbox import Outbox, Queued, SourceStatement
    from connectors.source_letters.schedule import MessageProgress
    from connectors.webhooks.backoff import RetryRules
    from connectors.webhooks.sending import Sender, SendingOutcome

FHIR_JSON, XML = "application/fhir+json; charset=utf-8", "application/xml; charset=utf-8"
_VERSION = "5.0"
#: How long a statement that a notice is about may be missing: it is read from another topic, beside the notice.
_STATEMENT_WAIT_MAX = timedelta(minutes=10)
_STATEMENT_WAIT = timedelta(seconds=5)
_UNKNOWN = "unknown_statement"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PostRoom:
    """What every mailbox's sending works with."""

    outbox: Outbox
    mailboxes: Mailboxes
    office: ServiceOffice
    link_of: LinkOf
    retry: RetryRules
    clock: Callable[[], datetime]
    metrics: LetterMetrics


class MailboxSending:
    """Sends to one mailbox; it shares nothing with another but the database."""

    def __init__(self, room: PostRoom, sender: Sender) -> None:
        """Takes the mailbox's own sender."""
        self._room = room
        self._sender = sender

    async def close(self) -> None:
        """Closes the sender's connections."""
        await self._sender.close()

    async def turn(self, mailbox: Mailbox) -> bool:
        """Returns whether something was done about the mailbox's next letter; false where nothing is due."""
        now = self._room.clock()
        queued = await asyncio.to_thread(self._room.outbox.due, mailbox.recipient, now)
        if queued is None:
            return False
        if queued.progress.state is LetterState.SENT:
            await self._note(queued, after_silence(queued.progress, now))
            return True
        statement = await asyncio.to_thread(self._room.outbox.statement, queued.letter.about)
        if statement is None:
            await self._note(queued, _without_statement(queued, now))
            return True
        await self._send(mailbox, queued, statement)
        return True

    async def _send(self, mailbox: Mailbox, queued: Queued, statement: SourceStatement) -> None:
        room, progress = self._room, begin_sending(queued.progress, self._room.clock())
        if not await self._note(queued, progress):
            return
        letter = written(queued.letter, statement, room.office, mailbox.organisation, room.link_of(queued.letter))
        bundle = build_care_letter(letter, progress.sendings, progress.sent_at)
        body = json.dumps(bundle, ensure_ascii=False).encode()
        outcome = await self._outcome(mailbox, self._enveloped(mailbox, body, progress.sent_at))
        await self._take(mailbox, replace(queued, progress=progress), outcome)

    def _enveloped(self, mailbox: Mailbox, body: bytes, at: datetime) -> bytes:
        """Returns a Bundle as its mailbox wants it: the same one in the same envelope, however often it is tried."""
        if not mailbox.in_envelope:
            return body
        ours, theirs = self._room.office.organisation.gln, mailbox.organisation.gln
        address = VansAddress(EndPoint("EAN", ours), EndPoint("EAN", theirs))
        return in_vans_envelope(body, fhir_document("FDIS91", CATEGORY, _VERSION), address, at)

    async def _outcome(self, mailbox: Mailbox, body: bytes) -> SendingOutcome:
        try:
            token = await asyncio.to_thread(self._room.mailboxes.token_of, mailbox.recipient)
        except KeyFileError as error:
            _log.error("token_unreadable", help=str(error))
            return Failed("token_unreadable")
        kind = XML if mailbox.in_envelope else FHIR_JSON
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
        return await self._sender.send(WebhookMessage(mailbox.url, headers, body))

    async def _take(self, mailbox: Mailbox, queued: Queued, outcome: SendingOutcome) -> None:
        room, now = self._room, self._room.clock()
        match outcome:
            case Delivered(answer):
                room.metrics.attempts.labels("delivered").inc()
                await self._note(queued, after_crossing(queued.progress, now))
                await self._acknowledge(mailbox, queued, answer)
            case Gone():
                await self._failed(queued, Failed("http_410"), now)
            case Failed():
                await self._failed(queued, outcome, now)
            case _:
                assert_never(outcome)

    async def _acknowledge(self, mailbox: Mailbox, queued: Queued, answer: bytes) -> None:
        told = acknowledgement_in(_without_envelope(answer))
        letter_id, sor = queued.letter.letter_id, mailbox.organisation.sor
        if told is None or told.sender is None or told.sender.sor != sor:
            return
        if told.response_identifier.lower().removeprefix("urn:uuid:") == letter_id:
            await asyncio.to_thread(self._room.outbox.acknowledge, letter_id, sor, told.response_code)

    async def _failed(self, queued: Queued, outcome: Failed, now: datetime) -> None:
        room = self._room
        room.metrics.attempts.labels(outcome.code).inc()
        letter = (queued.letter.letter_id, queued.queued_at)
        next_at = retry_at(queued.progress, room.retry, letter, now, outcome.retry_after)
        recipient, notice_id = queued.letter.recipient, queued.letter.notice_id
        _log.warning("source_letter_failed", recipient=recipient, notice_id=notice_id, code=outcome.code)
        await self._note(queued, after_failure(queued.progress, next_at, outcome.code))

    async def _note(self, queued: Queued, after: MessageProgress) -> bool:
        if after.state in {LetterState.UNDELIVERABLE, LetterState.UNACKNOWLEDGED}:
            # The need's own clock goes on: a reminder, then a person.
            _log.warning("source_letter_given_up", notice_id=queued.letter.notice_id, state=after.state.value)
        return await asyncio.to_thread(self._room.outbox.note, queued, after)


def _without_envelope(answer: bytes) -> bytes:
    try:
        return unwrap(answer).message
    except RefusedError:
        return answer


def _without_statement(queued: Queued, now: datetime) -> MessageProgress:
    """Returns the letter put off: nothing was sent, so that no attempt is counted."""
    if now - queued.queued_at >= _STATEMENT_WAIT_MAX:
        return replace(queued.progress, state=LetterState.UNDELIVERABLE, outcome=_UNKNOWN)
    return replace(queued.progress, next_at=now + _STATEMENT_WAIT, outcome=_UNKNOWN)
