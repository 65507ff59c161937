"""Mailboxes, notices and senders for the tests of letters to sources."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from connectors.medcom_fhir.acknowledgement import build_acknowledgement
from connectors.medcom_fhir.care_letter_writing import ServiceOffice
from connectors.medcom_fhir.codes import ResponseCode
from connectors.medcom_fhir.letters import Addressing
from connectors.medcom_fhir.organisations import Organisation
from connectors.source_letters.letters import letter_for_notice
from connectors.source_letters.mailboxes import Mailbox, Mailboxes
from connectors.source_letters.metrics import LetterMetrics
from connectors.source_letters.outbox import NewLetter, Outbox, Queued, Read, SourceStatement
from connectors.source_letters.sending import MailboxSending, PostRoom
from connectors.source_letters.tables import letters_database_of
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.sending import Delivered, SendingOutcome, WebhookMessage
from connectors.webhooks.signing import SecretBox
from schemas.codes import NoticeKind
from schemas.identifiers import derived_id
from schemas.outputs import Notice
from schemas.refusals import Refusal

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
HOSPITAL = Organisation("265161000016000", "5790000209354")
SERVICE = Organisation("9990000000016001", "9520000000004")
OFFICE = ServiceOffice(SERVICE, "Brobygger", "+4500000000")
RECIPIENT = f"sor:{HOSPITAL.sor}"
ABOUT = derived_id("event", "discharge")
LETTER, EPISODE = "8f537c8417f94fd1a3d63d4008d6c6ec", "bd481c38a92111edafa10242ac120002"
_REFUSAL = Refusal("MSG_Datatype_Wrong", "Bundle", "a rule", "what to do")


def a_notice(number: int = 1, **changes: Any) -> Notice:
    """Returns a notice that consent is wanted, to the hospital, about its discharge."""
    fields = {
        "event_id": derived_id("notice", str(number)),
        "source": "brobygger",
        "correlation_id": derived_id("need", "1"),
        "causation_id": ABOUT,
        "occurred_at": NOW,
        "sent_at": NOW,
        "recorded_at": NOW,
        "youth_id": "youth-0001",
        "subject": str(derived_id("need", "1")),
        "kind": NoticeKind.CONSENT_WANTED,
        "recipient": RECIPIENT,
    }
    return Notice.model_validate(fields | changes)


def a_letter(number: int = 1, **changes: Any) -> NewLetter:
    """Returns the letter of a notice."""
    letter = letter_for_notice(a_notice(number, **changes))
    assert letter is not None
    return letter


def a_statement() -> SourceStatement:
    """Returns the hospital's discharge, by the ids that it knows it by."""
    return SourceStatement(str(ABOUT), RECIPIENT, LETTER, EPISODE)


class FakeSender:
    """Answers what it was told to, in order, the last answer again and again; remembers what was sent."""

    def __init__(self, *outcomes: SendingOutcome) -> None:
        """Takes the answers; without one every message is delivered."""
        self._outcomes = list(outcomes)
        self.sent: list[WebhookMessage] = []

    async def send(self, message: WebhookMessage) -> SendingOutcome:
        """Returns the next answer."""
        self.sent.append(message)
        if not self._outcomes:
            return Delivered()
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]

    async def close(self) -> None:
        """Has nothing to close."""

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """Returns the Bundles that were sent."""
        return [json.loads(message.body) for message in self.sent]


class Office:
    """The sending of letters to one hospital, on a real database, with a clock that is set by hand."""

    def __init__(self, folder: Path, sender: FakeSender, retry: RetryRules | None = None, *, puts: bool = True) -> None:
        """Opens the database and gives the hospital a mailbox, unless it is to have one from before."""
        folder.mkdir(exist_ok=True)
        database = letters_database_of(folder)
        self.now = NOW
        self.outbox = Outbox(database)
        self.mailboxes = Mailboxes(database, SecretBox(folder / "keys"))
        self.mailbox = Mailbox(RECIPIENT, HOSPITAL, "https://post.example.dk/fhir", has_token=True, since=NOW)
        if puts:
            self.mailboxes.put(self.mailbox, "secret-token")
        self.registry = CollectorRegistry()
        room = PostRoom(
            self.outbox,
            self.mailboxes,
            OFFICE,
            lambda letter: f"https://brobygger.example.dk/{letter.kind}",
            retry or RetryRules(),
            lambda: self.now,
            LetterMetrics(self.registry),
        )
        self.sender = sender
        self.sending = MailboxSending(room, sender)

    def take(self, *letters: NewLetter, statements: tuple[SourceStatement, ...] | None = None) -> None:
        """Puts letters into the outbox, the hospital's discharge being known unless said."""
        known = (a_statement(),) if statements is None else statements
        self.outbox.take(Read(known, letters or (a_letter(),), {}), self.now)

    async def work(self, later: timedelta = timedelta()) -> None:
        """Does all that is due at a later time."""
        self.now += later
        for _ in range(100):
            if not await self.sending.turn(self.mailbox):
                return
        raise AssertionError("there is no end to what is due")

    @property
    def letter(self) -> Queued:
        """Returns the newest letter."""
        return self.outbox.listed(1)[0]

    @property
    def state(self) -> str:
        """Returns the newest letter's state."""
        return self.letter.progress.state.value


def acknowledging(
    letter: NewLetter | None = None, code: ResponseCode = ResponseCode.OK, by: Organisation = HOSPITAL
) -> bytes:
    """Returns the Acknowledgement of a letter."""
    header_id = (letter or a_letter()).letter_id
    addressing = Addressing("bundle", header_id, SERVICE, by, None)
    refusal = None if code is ResponseCode.OK else replace(_REFUSAL)
    return json.dumps(build_acknowledgement(addressing, code, refusal, NOW)).encode()


def header_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """Returns a Bundle's MessageHeader."""
    header: dict[str, Any] = bundle["entry"][0]["resource"]
    return header
