"""Letters are sent, sent again by MedCom's rule, acknowledged or given up, whatever the receiver and the process do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.xml_documents import read_document
from connectors.medcom_fhir.care_letter_rules import defects_of_care_letter
from connectors.medcom_fhir.codes import ResponseCode
from connectors.medcom_fhir.organisations import Organisation
from connectors.source_letters.letters import as_sent
from connectors.source_letters.schedule import begin_sending
from connectors.webhooks.backoff import RetryRules
from connectors.webhooks.sending import Delivered, Failed, Gone
from tests.unit.medcom_edi.test_envelopes import in_vans_envelope
from tests.unit.source_letters.builders import (
    EPISODE,
    HOSPITAL,
    LETTER,
    SERVICE,
    FakeSender,
    Office,
    a_letter,
    a_statement,
    acknowledging,
    header_of,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

HALF_AN_HOUR = timedelta(minutes=30)
OTHER = Organisation("953741000016009", "5790001348120")


async def test_a_letter_that_is_acknowledged_in_the_answer_is_sent_once(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Delivered(acknowledging())))
    office.take()
    await office.work()
    await office.work(timedelta(days=1))

    assert office.state == "acknowledged"
    [bundle] = office.sender.bundles
    assert defects_of_care_letter(bundle) == ()
    assert header_of(bundle)["id"] == a_letter().letter_id


async def test_a_letter_goes_as_fhir_with_the_mailboxs_token(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    await office.work()

    [message] = office.sender.sent
    assert message.url == "https://post.example.dk/fhir"
    assert message.headers["Content-Type"].startswith("application/fhir+json")
    assert message.headers["Authorization"] == "Bearer secret-token"


async def test_a_mailbox_on_the_vans_network_gets_letters_and_acknowledges_them_in_envelopes(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Failed("http_503"), Delivered(in_vans_envelope(acknowledging()))))
    office.mailboxes.put(replace(office.mailbox, in_envelope=True), "secret-token")
    [office.mailbox] = office.mailboxes.listed()
    office.take()
    await office.work()
    await office.work(timedelta(hours=1))

    first, second = office.sender.sent
    envelope = read_document(first.body)
    described = envelope.child("Message").child("MetaInformation").child("Document")
    assert [envelope.said(end).text for end in ("SenderID", "ReceiverID")] == [SERVICE.gln, HOSPITAL.gln]
    assert described.said("Name").text == "MCM:FDIS91#psychiatry-social-disability"
    assert described.said("Version").text == "5.0"
    assert defects_of_care_letter(json.loads(unwrap(first.body).message)) == ()
    assert first.headers["Content-Type"].startswith("application/xml")
    assert second.body == first.body
    assert office.state == "acknowledged"


async def test_a_letter_names_the_sources_own_letter_and_episode_and_the_link(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    await office.work()

    body = office.sender.sent[0].body.decode()
    assert f"MessageHeader/{as_sent(LETTER)}" in body
    assert as_sent(EPISODE) in body
    assert "https://brobygger.example.dk/consent_wanted" in body
    assert "youth-0001" not in body


async def test_silence_is_waited_out_for_half_an_hour_and_answered_by_two_resends_at_most(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    await office.work()
    await office.work(HALF_AN_HOUR - timedelta(seconds=1))
    sent_before = len(office.sender.sent)
    await office.work(timedelta(seconds=1))
    await office.work(HALF_AN_HOUR)
    await office.work(HALF_AN_HOUR)
    await office.work(timedelta(days=10))

    assert sent_before == 1
    bundles = office.sender.bundles
    assert len(bundles) == len({bundle["id"] for bundle in bundles}) == len({one["timestamp"] for one in bundles}) == 3
    assert len({header_of(bundle)["id"] for bundle in bundles}) == 1
    assert office.state == "unacknowledged"


async def test_a_late_ok_settles_a_letter_that_was_given_up(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    for _ in range(4):
        await office.work(HALF_AN_HOUR)

    assert office.outbox.acknowledge(a_letter().letter_id, HOSPITAL.sor, ResponseCode.OK)
    assert office.state == "acknowledged"


async def test_a_fatal_error_ends_a_letter(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Delivered(acknowledging(code=ResponseCode.FATAL_ERROR))))
    office.take()
    await office.work()
    await office.work(timedelta(days=1))

    assert (office.state, len(office.sender.sent)) == ("refused", 1)


async def test_a_transient_error_is_answered_by_the_same_two_resends(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Delivered(acknowledging(code=ResponseCode.TRANSIENT_ERROR))))
    office.take()
    for _ in range(6):
        await office.work(HALF_AN_HOUR)

    assert (office.state, len(office.sender.sent)) == ("unacknowledged", 3)
    assert office.letter.progress.outcome == "transient-error"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        acknowledging(by=OTHER),
        acknowledging(a_letter(2)),
    ],
)
async def test_an_answer_that_acknowledges_nothing_of_this_receivers_settles_nothing(
    tmp_path: Path, answer: bytes
) -> None:
    office = Office(tmp_path, FakeSender(Delivered(answer)))
    office.take()
    await office.work()

    assert office.state == "sent"


async def test_nobody_acknowledges_anothers_letter(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    await office.work()

    assert not office.outbox.acknowledge(a_letter().letter_id, OTHER.sor, ResponseCode.OK)
    assert not office.outbox.acknowledge("unknown", HOSPITAL.sor, ResponseCode.OK)
    assert office.state == "sent"


@pytest.mark.parametrize("failure", [Failed("unreachable"), Failed("http_503"), Gone()])
async def test_a_bundle_that_cannot_be_brought_across_is_brought_again_as_it_is(
    tmp_path: Path, failure: Failed | Gone
) -> None:
    office = Office(tmp_path, FakeSender(failure, failure, Delivered(acknowledging())))
    office.take()
    await office.work()
    await office.work(timedelta(hours=1))
    await office.work(timedelta(hours=1))

    first, *others = office.sender.sent
    assert [message.body for message in others] == [first.body, first.body]
    assert (office.state, office.letter.progress.sendings) == ("acknowledged", 1)


async def test_what_cannot_be_brought_across_for_days_is_given_up(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Failed("unreachable")), RetryRules(age_max=timedelta(hours=2)))
    office.take()
    for _ in range(5):
        await office.work(timedelta(hours=1))

    assert (office.state, office.letter.progress.outcome) == ("undeliverable", "unreachable")


async def test_after_a_failure_in_a_resend_the_resend_is_brought_again(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender(Delivered(), Failed("http_500"), Delivered()))
    office.take()
    await office.work()
    await office.work(HALF_AN_HOUR)
    await office.work(timedelta(hours=1))

    ids = [bundle["id"] for bundle in office.sender.bundles]
    assert ids[1] == ids[2] != ids[0]
    assert office.letter.progress.sendings == 2


async def test_a_letter_that_was_being_sent_when_the_process_died_is_sent_again_the_same(tmp_path: Path) -> None:
    first = Office(tmp_path, FakeSender())
    first.take()
    queued = first.outbox.due(first.mailbox.recipient, first.now)
    assert queued is not None
    first.outbox.note(queued, begin_sending(queued.progress, first.now))
    died = Office(tmp_path, FakeSender(Delivered(acknowledging())))
    died.now += timedelta(minutes=5)
    await died.work()

    [bundle] = died.sender.bundles
    assert bundle["timestamp"] == "2026-11-28T10:30:00.000+01:00"
    assert (died.state, died.letter.progress.sendings) == ("acknowledged", 1)


async def test_an_acknowledgement_that_overtakes_the_answer_stands(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())

    class Overtaken(FakeSender):
        async def send(self, message: object) -> Delivered:
            office.outbox.acknowledge(a_letter().letter_id, HOSPITAL.sor, ResponseCode.OK)
            assert message
            return Delivered()

    overtaken = Office(tmp_path, Overtaken())
    overtaken.take()
    await overtaken.work()

    assert overtaken.state == "acknowledged"


async def test_a_letter_waits_for_the_statement_it_is_about_and_counts_no_attempt(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take(statements=())
    await office.work()
    waiting = (office.state, office.letter.progress.attempts, len(office.sender.sent))
    office.take(statements=(a_statement(),))
    await office.work(timedelta(seconds=5))

    assert waiting == ("waiting", 0, 0)
    assert (office.state, len(office.sender.sent)) == ("sent", 1)


async def test_a_letter_about_what_nobody_said_is_given_up(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take(statements=())
    await office.work()
    await office.work(timedelta(minutes=10))

    assert (office.state, office.letter.progress.outcome) == ("undeliverable", "unknown_statement")


async def test_letters_to_one_mailbox_go_one_after_the_other_and_count_by_state(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take(a_letter(1), a_letter(2), a_letter(1))
    await office.work()

    assert len(office.sender.sent) == 2
    assert office.outbox.counts() == {"sent": 2}
    assert office.registry.get_sample_value(
        "brobygger_source_letter_attempts_total", {"outcome": "delivered"}
    ) == pytest.approx(2)


async def test_a_token_that_was_kept_under_a_lost_key_is_no_reason_to_send_without_it(tmp_path: Path) -> None:
    office = Office(tmp_path, FakeSender())
    office.take()
    (tmp_path / "keys" / "webhooks.key").unlink()
    restored = Office(tmp_path, FakeSender(), puts=False)
    await restored.work()

    assert (restored.state, restored.sender.sent) == ("waiting", [])
    assert restored.letter.progress.outcome == "token_unreadable"
