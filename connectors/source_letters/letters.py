"""From a notice to a letter: which statement of the source it answers, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from connectors.medcom_fhir.care_letter_writing import AnsweredMessage, OutgoingLetter, ServiceOffice
from connectors.source_letters.outbox import NewLetter, SourceStatement
from connectors.source_letters.wording import KINDS, letter_text, topic_of
from schemas.codes import NoticeKind
from schemas.events import UNNUMBERED
from schemas.identifiers import derived_text

if TYPE_CHECKING:
    from connectors.medcom_fhir.organisations import Organisation
    from schemas.events import EventHeader
    from schemas.outputs import Notice

#: Returns the link on which a letter's receiver does what is asked, or None where there is no such thing.
LinkOf = Callable[[NewLetter], str | None]
_HYPHENLESS = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


def letter_for_notice(notice: Notice) -> NewLetter | None:
    """Returns the letter that a notice becomes, or None where its kind is none for letters, or it answers nothing."""
    about = notice.causation_id or _uuid_or_none(notice.subject)
    if notice.kind not in KINDS or about is None:
        return None
    return NewLetter(
        notice_id=str(notice.event_id),
        letter_id=derived_text("source-letter", str(notice.event_id)),
        recipient=notice.recipient,
        kind=notice.kind.value,
        about=str(about),
        subject=notice.subject,
        thread=derived_text("source-letter-thread", notice.recipient, str(notice.correlation_id)),
        said_at=notice.occurred_at,
    )


def source_statement_of(event: EventHeader) -> SourceStatement:
    """Returns the ids by which a source knows what it said."""
    episode = getattr(event, "episode_id", None)
    numbered = episode if episode != UNNUMBERED else None
    return SourceStatement(str(event.event_id), event.source, event.subject, numbered)


def written(
    letter: NewLetter, statement: SourceStatement, office: ServiceOffice, receiver: Organisation, link: str | None
) -> OutgoingLetter:
    """Returns the letter in full; the same arguments give the same one, whenever it is sent again."""
    kind, header_id = NoticeKind(letter.kind), as_sent(statement.subject)
    return OutgoingLetter(
        letter_id=UUID(letter.letter_id),
        thread=UUID(letter.thread),
        sender=office,
        receiver=receiver,
        topic=topic_of(kind),
        text=letter_text(kind, header_id, link, office.phone),
        written_at=letter.said_at,
        answered=AnsweredMessage(header_id, as_sent(statement.episode_id) if statement.episode_id else None),
    )


def as_sent(identifier: str) -> str:
    """Returns an id as its maker spells it: topics hold UUIDs without hyphens.

    >>> as_sent("bd481c38a92111edafa10242ac120002"), as_sent("brev.7")
    ('bd481c38-a921-11ed-afa1-0242ac120002', 'brev.7')
    """
    match = _HYPHENLESS.fullmatch(identifier)
    return "-".join(match.groups()) if match else identifier


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
