"""Identities over HTTP: on a grant alone, sealed to the programme, bound to its purpose, for a quarter of an hour."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.gateway.clients.clients import ClientKind
from connectors.gateway.public_keys import PublicKeys
from connectors.vault.erasure import erase_from_vault
from connectors.vault.release import open_identity
from connectors.vault.sealing import UnsealError
from schemas.codes import ReplyStatus
from schemas.identifiers import derived_id
from tests.unit.gateway.answering import FakeDomain
from tests.unit.gateway.builders import Gateway, a_gateway, refused
from tests.unit.gateway.prepared import ROOT
from tests.unit.gateway.pulling import a_programme, project
from tests.unit.read_model.builders import told

pytestmark = pytest.mark.long

HANDOVER = str(derived_id("handover", "named"))
PERSON = {"cpr": "0105109996", "name": "Testine Testesen", "address": "Prøvevej 7", "phone": "+45 20123456"}
GRANTED = {
    "type": "identity_granted",
    "subject": HANDOVER,
    "identity": "named",
    "reason_code": None,
    "state": "accepted",
}
FORGED = {"handover_id": str(derived_id("handover", "b")), "purpose": "plan", "receiver": "ungevaerftet"}


@dataclass(frozen=True)
class Scene:
    """A gateway that has told headspace of a named handover, and headspace's keys."""

    gateway: Gateway
    domain: FakeDomain
    key: X25519PrivateKey
    headers: dict[str, str]
    youth_id: str

    async def pull(self, key: str | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """Asks for the identity under an Idempotency-Key, a new one unless given."""
        headers = (headers or self.headers) | {"idempotency-key": key or str(uuid4())}
        return await self.gateway.http.get(f"/handovers/{HANDOVER}/identity", headers=headers)


def programme_files(folder: Path, public_key: str | None) -> PublicKeys:
    """Returns the keys of a folder with headspace's file."""
    folder.mkdir()
    content = (ROOT / "programmes" / "headspace.toml").read_text(encoding="utf-8")
    line = "" if public_key is None else f'public_key = "{public_key}"\n'
    (folder / "headspace.toml").write_text(line + content, encoding="utf-8")
    return PublicKeys(folder)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Runs a gateway that grants."""
    async with a_gateway(tmp_path / "data") as gateway:
        key = X25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw().hex()
        desk = gateway.app.state.desk
        gateway.app.state.desk = replace(desk, public_keys=programme_files(tmp_path / "programmes", public))
        await gateway.statement("enrolments", gateway.token(), person=PERSON)
        [event] = gateway.published("enrolments")
        youth_id = event["youth_id"]
        pseudonym = desk.pseudonyms.pseudonym_of("headspace", youth_id)
        await project(gateway, told(subject=HANDOVER, identity="named", state="accepted", youth_id=pseudonym))
        domain = FakeDomain(gateway)
        domain.answer = GRANTED
        yield Scene(gateway, domain, key, gateway.token(ClientKind.PROGRAMME, "headspace"), youth_id)


async def test_a_grant_releases_the_identity_to_the_programme_alone(scene: Scene) -> None:
    answer = await scene.pull()

    assert answer.status_code == 200
    assert open_identity(scene.key, answer.json()) == {
        "system": "urn:oid:1.2.208.176.1.2",
        "number": "0105109996",
        "name": "Testine Testesen",
        "address": "Prøvevej 7",
        "phone": "+45 20123456",
        "protected": False,
    }
    [reply] = scene.domain.replies
    assert (reply.status, reply.subject) == (ReplyStatus.IDENTITY_WANTED, HANDOVER)
    assert answer.json()["grant_id"] == str(derived_id("answer", str(reply.event_id)))
    assert answer.headers["cache-control"] == "no-store"
    assert not any(text in answer.text for text in PERSON.values())
    with pytest.raises(UnsealError):
        open_identity(X25519PrivateKey.generate(), answer.json())


@pytest.mark.parametrize("field", FORGED)
async def test_a_sealed_identity_opens_for_nothing_else(scene: Scene, field: str) -> None:
    document = (await scene.pull()).json()

    with pytest.raises(UnsealError):
        open_identity(scene.key, document | {field: FORGED[field]})


@pytest.mark.parametrize("changes", [{"sealed": "AAAA"}, {"sealed": "no base64!"}, {"sealed": None}, {"purpose": None}])
async def test_what_is_no_sealed_identity_does_not_open(scene: Scene, changes: dict[str, Any]) -> None:
    document = (await scene.pull()).json()

    with pytest.raises(UnsealError):
        open_identity(scene.key, document | changes)


async def test_the_same_key_is_the_same_grant_for_a_quarter_of_an_hour(scene: Scene) -> None:
    first = await scene.pull("one")
    scene.gateway.clock.now += timedelta(minutes=14, seconds=59)
    again = await scene.pull("one")
    scene.gateway.clock.now += timedelta(seconds=1)
    late = await scene.pull("one")
    anew = await scene.pull("two")

    assert first.json()["grant_id"] == again.json()["grant_id"] != anew.json()["grant_id"]
    assert open_identity(scene.key, again.json()) == open_identity(scene.key, first.json())
    assert refused(late) == (410, "grant_expired", "Idempotency-Key")
    assert len(scene.domain.replies) == 2


async def test_a_key_stands_for_one_handover(scene: Scene) -> None:
    other = str(derived_id("handover", "other"))
    pseudonym = scene.gateway.app.state.desk.pseudonyms.pseudonym_of("headspace", scene.youth_id)
    await project(scene.gateway, told("two", (0, 1), subject=other, youth_id=pseudonym))
    await scene.pull("one")

    headers = scene.headers | {"idempotency-key": "one"}
    answer = await scene.gateway.http.get(f"/handovers/{other}/identity", headers=headers)

    assert refused(answer) == (422, "idempotency_key_reused", "Idempotency-Key")


async def test_what_is_not_granted_is_refused_with_reason_and_state(scene: Scene) -> None:
    scene.domain.answer = {"type": "reply_refused", "reason_code": "consent_lapsed", "state": "accepted"}

    answer = await scene.pull("one")

    assert (answer.status_code, answer.json()["reason_code"], answer.json()["state"]) == (
        409,
        "consent_lapsed",
        "accepted",
    )
    assert "sealed" not in answer.text
    assert (await scene.pull("one")).json() == answer.json()
    assert len(scene.domain.replies) == 1


@pytest.mark.parametrize("statement", ["reply_accepted", "reply_refused"])
async def test_no_other_answer_is_taken_for_a_grant(scene: Scene, statement: str) -> None:
    scene.domain.answer = {"type": statement, "reason_code": "whatever"}

    assert (await scene.pull()).status_code == 409


async def test_a_grant_of_another_handover_releases_nothing(scene: Scene) -> None:
    scene.domain.answer = GRANTED | {"subject": str(derived_id("handover", "other"))}

    assert (await scene.pull()).status_code == 410


async def test_a_grant_to_another_programme_releases_nothing(scene: Scene, tmp_path: Path) -> None:
    desk = scene.gateway.app.state.desk
    limits = desk.limits.model_copy(update={"answer_time_max": timedelta()})
    scene.gateway.app.state.desk = replace(desk, limits=limits)
    scene.domain.answer = GRANTED | {"programme": "ungevaerftet"}

    assert (await scene.pull("one")).status_code == 202
    await scene.gateway.log.wait_until_taken()
    assert (await scene.pull("one")).status_code == 202


async def test_without_a_public_key_nothing_is_asked_or_disclosed(scene: Scene, tmp_path: Path) -> None:
    desk = scene.gateway.app.state.desk
    scene.gateway.app.state.desk = replace(desk, public_keys=programme_files(tmp_path / "keyless", None))

    assert refused(await scene.pull()) == (409, "no_public_key", "public_key")
    assert scene.domain.replies == []


async def test_anothers_handover_does_not_exist_for_a_programme(scene: Scene) -> None:
    answers = [
        await scene.pull(headers=a_programme(scene.gateway, "ungevaerftet").headers),
        await scene.gateway.http.get(
            f"/handovers/{derived_id('handover', 'none')}/identity", headers=scene.headers | {"idempotency-key": "x"}
        ),
    ]

    assert [refused(answer) for answer in answers] == [(404, "not_found", "handover_id")] * 2
    assert answers[0].content == answers[1].content
    assert scene.domain.replies == []


async def test_a_source_may_not_ask(scene: Scene) -> None:
    assert (await scene.pull(headers=scene.gateway.token())).status_code == 403


async def test_without_an_idempotency_key_nothing_is_asked(scene: Scene) -> None:
    answer = await scene.gateway.http.get(f"/handovers/{HANDOVER}/identity", headers=scene.headers)

    assert refused(answer) == (400, "missing_idempotency_key", "Idempotency-Key")
    assert scene.domain.replies == []


async def test_after_erasure_even_the_same_grant_releases_nothing(scene: Scene) -> None:
    await scene.pull("one")
    erase_from_vault(scene.gateway.app.state.desk.vault.engine, scene.youth_id)

    assert refused(await scene.pull("one")) == (410, "no_identity", "handover_id")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("withdrawn", "handover_withdrawn"), ("deleted", "handover_withdrawn"), ("ended", "not_in_this_state")],
)
async def test_what_has_ended_since_the_grant_ends_it_too(scene: Scene, state: str, reason: str) -> None:
    assert (await scene.pull("one")).status_code == 200
    ended = told("two", (0, 5000), subject=HANDOVER, identity="named", type="withdrawn", state=state)
    await project(scene.gateway, ended)

    answer = await scene.pull("one")

    assert (answer.status_code, answer.json()["state"], answer.json()["reason_code"]) == (409, state, reason)
    assert "sealed" not in answer.text


async def test_asking_for_the_head_alone_asks_for_no_identity(scene: Scene) -> None:
    headers = scene.headers | {"idempotency-key": "one"}

    answer = await scene.gateway.http.head(f"/handovers/{HANDOVER}/identity", headers=headers)

    assert (answer.status_code, answer.content) == (200, b"")
    assert scene.domain.replies == []


async def test_a_protected_address_stays_in_the_vault(scene: Scene) -> None:
    scene.gateway.clock.now += timedelta(minutes=1)
    person = {"cpr": "0105109996", "protected": True}
    await scene.gateway.statement("enrolments", scene.gateway.token(), subject="course-9", person=person)

    opened = open_identity(scene.key, (await scene.pull()).json())

    assert (opened["protected"], opened["address"], opened["phone"]) == (True, None, "+45 20123456")


async def test_nothing_of_the_identity_is_logged(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    await scene.pull()

    printed = capsys.readouterr()
    assert "identity_released" in printed.out
    assert not any(text in printed.out + printed.err for text in (*PERSON.values(), json.dumps(PERSON["address"])))
