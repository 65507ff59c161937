"""The commands of the pages: keys for owners, and the links that notices lead to."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from connectors.gateway.clients.clients import ClientKind
from connectors.local_times import utc_now
from connectors.pages.links import link_of_token, links_key
from connectors.read_model.tables import NEEDS, NOTICES, in_transaction, open_read_model
from connectors.vault.urls import sqlite_url
from streams.cli.main import app
from tests.unit.gateway.builders import NOW
from tests.unit.pages.builders import Pages
from tests.unit.read_model.builders import YOUTH_ID

NOTICE, NEED = UUID(int=1), UUID(int=2)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a data folder that the commands work on."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "localhost:1")
    return tmp_path


def tell(folder: Path, kind: str, about: str = str(NEED)) -> None:
    """Puts a need and a notice about something into the read model."""
    need = {"need_id": str(NEED), "youth_id": YOUTH_ID, "kind": "aftercare", "trigger": "discharge", "options": []}
    times = {"since": NOW, "updated_at": NOW}
    notice = {"event_id": str(NOTICE), "partition": 0, "offset": 0, "kind": kind, "recipient": "region-h"}
    told = {"subject": about, "options": [], "said_at": NOW}
    engine = open_read_model(sqlite_url(folder / "read-model.sqlite"))
    in_transaction(engine, lambda one: one.execute(insert(NEEDS).values(need | times | {"state": "awaiting_consent"})))
    in_transaction(engine, lambda one: one.execute(insert(NOTICES).values(notice | told)))


@pytest.mark.parametrize("name", ["operations", "municipality-0217"])
def test_a_key_is_made_for_an_owner_of_the_reference_data(folder: Path, name: str) -> None:
    assert "." in run("clients", "create", "owner", name).stdout


@pytest.mark.parametrize("name", ["headspace", "municipality-9999", ""])
def test_no_key_is_made_for_an_owner_that_there_is_not(folder: Path, name: str) -> None:
    result = run("clients", "create", "owner", name)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "reference/owners.toml" in result.stderr


def test_a_link_is_for_the_notices_need_and_recipient_and_a_week(folder: Path) -> None:
    tell(folder, "consent_wanted")
    before = utc_now()

    address = run("links", "make", str(NOTICE), "--gateway", "https://brobygger.example/").stdout.strip()

    start, _, token = address.rpartition("/")
    link = link_of_token(links_key(folder / "keys"), token, before)
    assert start == "https://brobygger.example/pages/consents"
    assert link is not None
    assert (link.notice_id, link.need_id, link.recipient) == (NOTICE, NEED, "region-h")
    assert (link.expires_at - before).days == 7


@pytest.mark.parametrize(
    ("kind", "about", "wanted", "said"),
    [
        ("consent_wanted", str(NEED), str(UUID(int=9)), "no notice has the id"),
        ("escalated", str(NEED), str(NOTICE), "asks for no consent"),
        ("consent_wanted", "a-stay", str(NOTICE), "about no need"),
    ],
)
def test_a_notice_that_leads_to_no_consent_gets_no_link(
    folder: Path, kind: str, about: str, wanted: str, said: str
) -> None:
    tell(folder, kind, about)

    result = run("links", "make", wanted)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


async def test_an_owners_token_opens_no_other_door(pages: Pages) -> None:
    headers = pages.gateway.token(ClientKind.OWNER, "municipality-0217")
    http = pages.gateway.http

    answers = [await pages.gateway.statement(topic, headers) for topic in ("discharges", "consents", "replies")]
    answers += [await http.get("/handovers", headers=headers), await http.post("/claims", headers=headers)]
    answers += [await http.post("/medcom/fhir", headers=headers)]

    assert [answer.status_code for answer in answers] == [403] * 6
