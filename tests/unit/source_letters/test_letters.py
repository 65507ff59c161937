"""Which notices become letters, about which statement, and what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from connectors.medcom_fhir.organisations import Organisation
from connectors.source_letters.following import sorted_out
from connectors.source_letters.letters import as_sent, letter_for_notice, source_statement_of, written
from connectors.source_letters.mailboxes import Mailbox, Mailboxes
from connectors.source_letters.outbox import Outbox, Read
from connectors.source_letters.tables import letters_database_of
from connectors.source_letters.wording import KINDS, letter_text, topic_of
from connectors.webhooks.signing import SecretBox
from schemas.codec import codec
from schemas.codes import NoticeKind
from schemas.events import UNNUMBERED
from schemas.outputs import Notice
from schemas.topics import kafka_name
from tests.unit.medcom_fhir.builders import a_message, correspondence_of, discharge_of
from tests.unit.source_letters.builders import (
    ABOUT,
    HOSPITAL,
    NOW,
    OFFICE,
    RECIPIENT,
    a_letter,
    a_notice,
    a_statement,
)

if TYPE_CHECKING:
    from pathlib import Path

NOTICES, DISCHARGES = kafka_name("notices"), kafka_name("discharges")
SINCE = {RECIPIENT: NOW}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_letter_has_words_a_telephone_and_no_blank_line(kind: NoticeKind) -> None:
    text = letter_text(kind, "brev-7", None, OFFICE.phone)

    assert topic_of(kind).strip()
    assert OFFICE.phone in text
    assert "brev-7" in text
    assert all(line.strip() for line in text.split("\n"))


def test_a_letter_says_where_to_answer_if_there_is_such_a_place() -> None:
    assert "https://example.dk/x" in letter_text(
        NoticeKind.CONSENT_WANTED, "brev-7", "https://example.dk/x", OFFICE.phone
    )


def test_a_notice_about_a_need_is_about_the_statement_that_raised_it() -> None:
    assert a_letter().about == str(ABOUT)


def test_a_notice_about_a_statement_is_about_that() -> None:
    about = uuid4()

    letter = letter_for_notice(a_notice(causation_id=None, subject=str(about), kind=NoticeKind.INCONSISTENT_STATUS))

    assert letter is not None
    assert letter.about == str(about)


@pytest.mark.parametrize("changes", [{"kind": NoticeKind.ESCALATED}, {"causation_id": None, "subject": "unit-7"}])
def test_other_notices_are_no_letters(changes: dict[str, Any]) -> None:
    assert letter_for_notice(a_notice(**changes)) is None


def test_a_reminder_is_in_the_thread_of_what_it_reminds_of() -> None:
    assert a_letter(1).thread == a_letter(2, kind=NoticeKind.CONSENT_REMINDER).thread
    assert a_letter(1).thread != a_letter(2, correlation_id=uuid4()).thread


def test_a_statement_keeps_the_ids_by_which_its_source_knows_it() -> None:
    discharge = discharge_of(a_message())

    statement = source_statement_of(discharge)

    assert (statement.subject, statement.episode_id) == (discharge.subject, discharge.episode_id)
    unnumbered = source_statement_of(discharge.model_copy(update={"episode_id": UNNUMBERED}))
    assert unnumbered.episode_id is None


def test_ids_are_spelt_as_their_makers_spell_them() -> None:
    letter = written(a_letter(), a_statement(), OFFICE, HOSPITAL, None)

    assert letter.answered.header_id == "8f537c84-17f9-4fd1-a3d6-3d4008d6c6ec"
    assert as_sent("kommune-brev-7") == "kommune-brev-7"


def _record(topic: str, event: Notice | object) -> tuple[str, bytes]:
    return topic, codec(type(event)).encode(event)  # type: ignore[arg-type]


def test_what_has_a_mailbox_is_taken_from_the_topics() -> None:
    discharge = discharge_of(a_message())
    letter = correspondence_of(a_message("cc-14-new"))

    statements, letters = sorted_out(
        [_record(NOTICES, a_notice()), _record(DISCHARGES, discharge), _record(kafka_name("correspondence"), letter)],
        SINCE,
    )

    assert letters == [a_letter()]
    assert [one.event_id for one in statements] == [str(discharge.event_id), str(letter.event_id)]


@pytest.mark.parametrize(
    "notice",
    [
        a_notice(recipient="municipality-0217"),
        a_notice(occurred_at=NOW - timedelta(seconds=1)),
        a_notice(kind=NoticeKind.STUCK),
    ],
)
def test_notices_to_others_from_before_the_mailbox_and_of_other_kinds_are_left(notice: Notice) -> None:
    assert sorted_out([_record(NOTICES, notice)], SINCE) == ([], [])


def test_what_others_said_and_what_nobody_can_read_is_passed_over() -> None:
    discharge = discharge_of(a_message())

    assert sorted_out([_record(DISCHARGES, discharge), (DISCHARGES, b"?"), (NOTICES, b"")], {"sor:1": NOW}) == ([], [])


def test_a_mailbox_that_is_set_again_keeps_since_when_it_is_there(tmp_path: Path) -> None:
    mailboxes = Mailboxes(letters_database_of(tmp_path), SecretBox(tmp_path / "keys"))
    first = Mailbox(RECIPIENT, HOSPITAL, "https://a.example.dk", has_token=False, since=NOW)
    mailboxes.put(first, None)
    mailboxes.put(Mailbox(RECIPIENT, HOSPITAL, "https://b.example.dk", True, NOW + timedelta(days=1)), "token")

    [held] = mailboxes.listed()
    assert (held.url, held.since, held.has_token) == ("https://b.example.dk", NOW, True)
    assert mailboxes.token_of(RECIPIENT) == "token"
    assert mailboxes.remove(RECIPIENT)
    assert not mailboxes.remove(RECIPIENT)
    assert mailboxes.token_of(RECIPIENT) is None


def test_a_token_is_not_in_the_database(tmp_path: Path) -> None:
    mailboxes = Mailboxes(letters_database_of(tmp_path), SecretBox(tmp_path / "keys"))
    mailboxes.put(Mailbox(RECIPIENT, Organisation("12345678901", "5790000209354"), "https://a", True, NOW), "planted")

    assert not any(b"planted" in path.read_bytes() for path in tmp_path.glob("*.sqlite*"))


def test_positions_and_records_are_kept_together_and_what_is_old_is_forgotten(tmp_path: Path) -> None:
    outbox = Outbox(letters_database_of(tmp_path))
    outbox.take(Read([a_statement()], [a_letter()], {(NOTICES, 3): 7}), NOW)
    outbox.take(Read([a_statement()], [a_letter()], {(NOTICES, 3): 9}), NOW)

    assert outbox.positions() == {(NOTICES, 3): 9}
    assert outbox.counts() == {"waiting": 1}
    outbox.forget_before(NOW + timedelta(days=1))
    assert outbox.counts() == {"waiting": 1}  # open letters are never forgotten
    assert outbox.statement(str(ABOUT)) is None
