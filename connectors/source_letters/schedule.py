"""When a letter is sent, sent again and given up: a pure function of what came of it so far.

MedCom, "Reliable Messaging in general": a message whose Acknowledgement is not there within 30 minutes is sent again,
at at most two times, each time with a new Bundle.id and new times of sending. A Bundle that could not be brought across
has not been sent: it is brought again, as it is, by the webhooks' rule. fatal-error ends a letter (MR4);
transient-error is waited out like silence (MR3, MR6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ResponseCode

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webhooks.backoff import RetryRules

ANSWER_TIME = timedelta(minutes=30)
SENDINGS_MAX = 3


class LetterState(StrEnum):
    """Where a letter is; the last four are its end."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNACKNOWLEDGED = "unacknowledged"
    UNDELIVERABLE = "undeliverable"


OPEN = (LetterState.WAITING, LetterState.SENDING, LetterState.SENT)


@dataclass(frozen=True, slots=True)
class MessageProgress:
    """What came of a letter so far. ``next_at`` is when something is to be done about it, if it is open."""

    state: LetterState
    sendings: int
    sent_at: datetime
    attempts: int
    next_at: datetime
    outcome: str | None = None


def begin_sending(now: MessageProgress, at: datetime) -> MessageProgress:
    """Returns the letter in sending: as a new Bundle, or as the one that could not be brought across before."""
    if now.state is LetterState.SENDING or now.attempts:
        return replace(now, state=LetterState.SENDING)
    return replace(now, state=LetterState.SENDING, sendings=now.sendings + 1, sent_at=at)


def after_crossing(now: MessageProgress, at: datetime) -> MessageProgress:
    """Returns the letter brought across: its Acknowledgement is due within 30 minutes."""
    return replace(now, state=LetterState.SENT, attempts=0, next_at=at + ANSWER_TIME, outcome=None)


def after_failure(now: MessageProgress, next_at: datetime | None, code: str) -> MessageProgress:
    """Returns the letter not brought across: tried again at that time, or given up where there is none."""
    state = LetterState.UNDELIVERABLE if next_at is None else LetterState.WAITING
    return replace(now, state=state, attempts=now.attempts + 1, next_at=next_at or now.next_at, outcome=code)


def after_silence(now: MessageProgress, at: datetime) -> MessageProgress:
    """Returns the letter whose 30 minutes are over: to be sent again, or given up after the second time."""
    if now.sendings >= SENDINGS_MAX:
        return replace(now, state=LetterState.UNACKNOWLEDGED)
    return replace(now, state=LetterState.WAITING, next_at=at)


def after_acknowledgement(now: MessageProgress, code: ResponseCode) -> MessageProgress:
    """Returns the letter acknowledged: the first answer that settles it stands, whenever it comes.

    An ok that comes late settles a letter that was given up too. A transient-error leaves the 30 minutes running.
    """
    if now.state in {LetterState.ACKNOWLEDGED, LetterState.REFUSED}:
        return now
    match code:
        case ResponseCode.OK:
            return replace(now, state=LetterState.ACKNOWLEDGED, outcome=None)
        case ResponseCode.FATAL_ERROR:
            return replace(now, state=LetterState.REFUSED, outcome=code.value)
        case ResponseCode.TRANSIENT_ERROR:
            return replace(now, outcome=code.value)


def retry_at(
    now: MessageProgress, rules: RetryRules, letter: tuple[str, datetime], at: datetime, asked: timedelta | None = None
) -> datetime | None:
    """Returns when a Bundle is brought again, by the webhooks' rule, or None where it is given up.

    ``letter`` is its id and when it was queued, ``asked`` how long its receiver asks to be left alone.
    """
    letter_id, queued_at = letter
    attempts = now.attempts + 1
    return None if rules.is_over(attempts, queued_at, at) else at + rules.delay_after(letter_id, attempts, asked)
