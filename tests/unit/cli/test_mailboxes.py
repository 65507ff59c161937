"""Mailboxes of sources from the command line, and what a letter of this installation leads to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from connectors.pages.links import link_of_token, links_key
from connectors.source_letters.outbox import Outbox, Read
from connectors.source_letters.tables import letters_database_of
from connectors.vault.keys import create_keys
from schemas.codes import NoticeKind
from schemas.reference import load_reference
from streams.letter_service import letter_sender_of, letter_service, links_for
from streams.settings import Settings
from tests.unit.source_letters.builders import NOW, RECIPIENT, a_letter

if TYPE_CHECKING:
    from pathlib import Path

URL, GLN = "https://post.example.dk/fhir", "5790000209354"


def _lines(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_mailbox_is_set_listed_without_its_token_and_removed(run: Any) -> None:
    assert run("mailboxes", "set", RECIPIENT, URL, "--gln", GLN, "--token", given="planted-token\n").exit_code == 0

    [listed] = _lines(run("mailboxes", "list", "--json"))
    assert (listed["recipient"], listed["sor"], listed["has_token"]) == (RECIPIENT, "265161000016000", True)
    assert "planted-token" not in json.dumps(listed)
    assert "mailboxes" in run("mailboxes", "list").stdout
    assert run("mailboxes", "remove", RECIPIENT).exit_code == 0
    assert run("mailboxes", "remove", RECIPIENT).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((RECIPIENT, URL, "--gln", "5790000209355"), "gln:"),
        (("region-h", URL, "--gln", GLN), "sor:"),
        ((RECIPIENT, "http://post.example.dk/fhir", "--gln", GLN), "https://"),
        ((RECIPIENT, "ftp://post.example.dk", "--gln", GLN), "url:"),
    ],
)
def test_a_mailbox_that_cannot_work_is_refused(run: Any, arguments: tuple[str, ...], said: str) -> None:
    result = run("mailboxes", "set", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_client_that_is_no_organisation_gets_a_mailbox_with_its_sor_code(run: Any) -> None:
    result = run("mailboxes", "set", "region-h", "http://127.0.0.1:9/", "--gln", GLN, "--sor", "265161000016000")

    assert result.exit_code == 0


def test_letters_are_listed_with_what_became_of_them(run: Any, tmp_path: Path) -> None:
    run("mailboxes", "set", RECIPIENT, URL, "--gln", GLN)
    [database] = tmp_path.rglob("source-letters.sqlite")
    Outbox(letters_database_of(database.parent)).take(Read((), (a_letter(),), {}), NOW)

    [letter] = _lines(run("mailboxes", "letters", "--json"))
    assert (letter["recipient"], letter["kind"], letter["state"]) == (RECIPIENT, "consent_wanted", "waiting")
    assert "letters" in run("mailboxes", "letters").stdout


def _settings(tmp_path: Path, **changes: Any) -> Settings:
    create_keys(tmp_path / "keys")
    return Settings(data_folder=tmp_path, **changes)


def test_a_letters_link_opens_for_its_recipient_and_need_and_is_the_same_each_time(tmp_path: Path) -> None:
    settings = _settings(tmp_path, public_url="https://bro.example.dk")
    letter = a_letter()
    address = links_for(settings)(letter)

    assert address is not None
    assert address == links_for(settings)(letter)
    link = link_of_token(links_key(settings.keys_folder), urlsplit(address).path.rpartition("/")[2], NOW)
    assert link is not None
    assert (link.recipient, link.need_id) == (RECIPIENT, UUID(letter.subject))


def test_without_a_public_address_or_anything_to_do_there_is_no_link(tmp_path: Path) -> None:
    assert links_for(_settings(tmp_path))(a_letter()) is None
    public = _settings(tmp_path, public_url="https://bro.example.dk")
    assert links_for(public)(a_letter(kind=NoticeKind.UNKNOWN_CODE)) is None


def test_without_a_telephone_no_letters_are_written(tmp_path: Path) -> None:
    reference = load_reference(Settings().reference_folder)
    silent = reference.model_copy(update={"service": reference.service.model_copy(update={"phone": None})})

    assert letter_sender_of(silent) is None
    assert letter_sender_of(reference) is not None
    kafka = {"bootstrap": "127.0.0.1:9"}
    assert letter_service(_settings(tmp_path, kafka=kafka), CollectorRegistry()) is not None
