"""The letters that wait, are under way, or ended: kept in the database with all that came of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from connectors.source_letters.schedule import OPEN, LetterState, MessageProgress, after_acknowledgement
from connectors.source_letters.tables import MAILBOXES, OUTBOX, POSITIONS, STATEMENTS
from schemas.instants import milliseconds_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from connectors.medcom_fhir.codes import ResponseCode
    from connectors.vault.access import Database


@dataclass(frozen=True, slots=True)
class SourceStatement:
    """What a source said, by the ids that it knows it by."""

    event_id: str
    source: str
    subject: str
    episode_id: str | None


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A notice to be written. ``about`` is the event id of the statement that it answers."""

    notice_id: str
    letter_id: str
    recipient: str
    kind: str
    about: str
    subject: str
    thread: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """A letter of the outbox and what came of it so far."""

    letter: NewLetter
    queued_at: datetime
    progress: MessageProgress


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of the topics, and how far: (topic, partition) → the next offset."""

    statements: Sequence[SourceStatement]
    letters: Sequence[NewLetter]
    next_offsets: Mapping[tuple[str, int], int]


class Outbox:
    """The outbox in the database; each call is one transaction, blocks, and raises SourceLettersUnavailableError."""

    def __init__(self, database: Database) -> None:
        """Takes the database."""
        self._database = database

    def close(self) -> None:
        """Closes the database's connections."""
        self._database.close()

    def positions(self) -> dict[tuple[str, int], int]:
        """Returns the next offset to read of each partition of which anything was read."""
        with self._database.reading() as connection:
            return {(row.topic, row.partition): row.next_offset for row in connection.execute(select(POSITIONS))}

    def take(self, read: Read, at: datetime) -> None:
        """Keeps what was read, together with how far; what is known by its id is passed over."""
        with self._database.writing() as connection:
            _take_statements(connection, read.statements, at)
            _take_letters(connection, read.letters, at)
            for (topic, partition), next_offset in read.next_offsets.items():
                place = {"topic": topic, "partition": partition}
                meant = (POSITIONS.c.topic == topic) & (POSITIONS.c.partition == partition)
                connection.execute(delete(POSITIONS).where(meant))
                connection.execute(insert(POSITIONS).values(place | {"next_offset": next_offset}))

    def statement(self, event_id: str) -> SourceStatement | None:
        """Returns what a source said under an event id, or None where it isn't known (yet)."""
        with self._database.reading() as connection:
            row = connection.execute(select(STATEMENTS).where(STATEMENTS.c.event_id == event_id)).one_or_none()
        return SourceStatement(row.event_id, row.source, row.subject, row.episode_id) if row else None

    def due(self, recipient: str, at: datetime) -> Queued | None:
        """Returns the recipient's letter about which something is to be done first.

        A letter in sending is one that the process before this one left: nobody knows whether it came across.
        """
        in_time = OUTBOX.c.state.in_((LetterState.WAITING, LetterState.SENT)) & (
            OUTBOX.c.next_at_ms <= milliseconds_of(at)
        )
        wanted = (
            select(OUTBOX)
            .where(OUTBOX.c.recipient == recipient, or_(in_time, OUTBOX.c.state == LetterState.SENDING))
            .order_by(OUTBOX.c.next_at_ms, OUTBOX.c.number)
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        return _queued_of(row) if row else None

    def note(self, before: Queued, after: MessageProgress) -> bool:
        """Returns whether the letter went on; not where it was settled by an Acknowledgement meanwhile."""
        was = before.progress
        meant = (
            (OUTBOX.c.letter_id == before.letter.letter_id)
            & (OUTBOX.c.state == was.state)
            & (OUTBOX.c.sendings == was.sendings)
        )
        with self._database.writing() as connection:
            return connection.execute(update(OUTBOX).where(meant).values(_values_of(after))).rowcount > 0

    def acknowledge(self, letter_id: str, sender_sor: str, code: ResponseCode) -> bool:
        """Returns whether an Acknowledgement is about a letter to its sender; what came of it is kept."""
        wanted = (
            select(OUTBOX)
            .join(MAILBOXES, MAILBOXES.c.recipient == OUTBOX.c.recipient)
            .where(OUTBOX.c.letter_id == letter_id, MAILBOXES.c.sor == sender_sor)
        )
        with self._database.writing() as connection:
            row = connection.execute(wanted).one_or_none()
            if row is None:
                return False
            after = after_acknowledgement(_queued_of(row).progress, code)
            connection.execute(update(OUTBOX).where(OUTBOX.c.letter_id == letter_id).values(_values_of(after)))
        return True

    def listed(self, limit: int) -> tuple[Queued, ...]:
        """Returns the newest letters first, at most ``limit``."""
        wanted = select(OUTBOX).order_by(OUTBOX.c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(_queued_of(row) for row in connection.execute(wanted))

    def counts(self) -> dict[str, int]:
        """Returns how many letters are in each state."""
        wanted = select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def forget_before(self, moment: datetime) -> None:
        """Deletes what ended, and what sources said, before a time."""
        before = milliseconds_of(moment)
        ended = OUTBOX.c.state.not_in(OPEN) & (OUTBOX.c.queued_at_ms < before)
        with self._database.writing() as connection:
            connection.execute(delete(OUTBOX).where(ended))
            connection.execute(delete(STATEMENTS).where(STATEMENTS.c.seen_at_ms < before))


def _take_statements(connection: Connection, statements: Sequence[SourceStatement], at: datetime) -> None:
    ids = [one.event_id for one in statements]
    known = set(connection.execute(select(STATEMENTS.c.event_id).where(STATEMENTS.c.event_id.in_(ids))).scalars())
    for one in statements:
        if one.event_id not in known:
            known.add(one.event_id)
            values = {
                "event_id": one.event_id,
                "source": one.source,
                "subject": one.subject,
                "episode_id": one.episode_id,
                "seen_at_ms": milliseconds_of(at),
            }
            connection.execute(insert(STATEMENTS).values(values))


def _take_letters(connection: Connection, letters: Sequence[NewLetter], at: datetime) -> None:
    ids = [one.notice_id for one in letters]
    known = set(connection.execute(select(OUTBOX.c.notice_id).where(OUTBOX.c.notice_id.in_(ids))).scalars())
    new = MessageProgress(LetterState.WAITING, 0, at, 0, at)
    for one in letters:
        if one.notice_id not in known:
            known.add(one.notice_id)
            values = {name: getattr(one, name) for name in NewLetter.__slots__ if name != "said_at"}
            times = {"said_at_ms": milliseconds_of(one.said_at), "queued_at_ms": milliseconds_of(at)}
            connection.execute(insert(OUTBOX).values(values | times | _values_of(new)))


def _values_of(progress: MessageProgress) -> dict[str, Any]:
    return {
        "state": progress.state,
        "sendings": progress.sendings,
        "sent_at_ms": milliseconds_of(progress.sent_at),
        "attempts": progress.attempts,
        "next_at_ms": milliseconds_of(progress.next_at),
        "outcome": progress.outcome,
    }


def _queued_of(row: Row[Any]) -> Queued:
    fields = {name: getattr(row, name) for name in NewLetter.__slots__ if name != "said_at"}
    progress = MessageProgress(
        state=LetterState(row.state),
        sendings=row.sendings,
        sent_at=moment_of(row.sent_at_ms),
        attempts=row.attempts,
        next_at=moment_of(row.next_at_ms),
        outcome=row.outcome,
    )
    return Queued(NewLetter(**fields, said_at=moment_of(row.said_at_ms)), moment_of(row.queued_at_ms), progress)
