"""Identity on a real broker with a real worker: claim codes, sealed pulls, the account of disclosures, erasure."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connectors.gateway.clients.clients import ClientKind, NewClient, open_clients
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import create_keys
from connectors.vault.urls import sqlite_url
from schemas.codec import codec
from schemas.disclosures import NO_DISCLOSURE, chained
from schemas.outputs import Disclosure
from schemas.topics import kafka_name
from streams.cli.up import free_port
from streams.log.erasing import digest_of_proof
from streams.log.writing import Outbound, write_all
from streams.supervision import stop_all, wait_until_ready
from tests.integration.command_line import a_gateway, a_worker, document_of, lines_of, run, the_gateway, until
from tests.unit.gateway.prepared import ROOT
from tests.unit.schemas.test_disclosures import a_disclosure

pytestmark = pytest.mark.integration
PARTITIONS = "3"
UNIT = "9991084000016101"
PROGRAMMES = ("headspace", "ungevaerftet", "unik-recovery-young")
NAME, PHONE = "Testine Testesen", "+45 20123456"


@dataclass(frozen=True)
class Instance:
    """A running instance: its folder, and the private keys of its programmes."""

    folder: Path
    keys: Path

    def client(self, kind: ClientKind, name: str) -> httpx.Client:
        """Returns an HTTP client with a new token."""
        new = NewClient(kind=kind, name=name, data_controller="Region H", legal_basis="Sundhedsloven §43")
        token = open_clients(sqlite_url(self.folder / "gateway.sqlite")).create(new, datetime.now(UTC))
        return httpx.Client(base_url=the_gateway(), headers={"authorization": f"Bearer {token}"}, timeout=30)


@pytest.fixture(scope="module")
def instance(empty_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Runs one worker and a gateway, with programmes that have public keys."""
    folder, keys = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROBYGGER_DATA", str(folder))
        patch.setenv("KAFKA_BOOTSTRAP", empty_broker.bootstrap)
        patch.setenv("BROBYGGER_PARTITIONS", PARTITIONS)
        patch.setenv("BROBYGGER_SETTLE_SECONDS", "0")
        patch.setenv("BROBYGGER_PROGRAMMES", str(with_keys(tmp_path_factory.mktemp("files") / "programmes", keys)))
        patch.setenv("BROBYGGER_GATEWAY_PORT", str(free_port()))
        create_keys(folder / "keys")
        assert run("topics", "apply").exit_code == 0
        assert "version 1" in run("programmes", "apply").stdout
        children = [a_worker(folder), a_gateway(folder)]
        try:
            for child in children:
                child.start()
            wait_until_ready(children, timedelta(seconds=90), threading.Event())
            yield Instance(folder, keys)
        finally:
            stop_all(children)


def with_keys(folder: Path, keys: Path) -> Path:
    """Returns a copy of the programme files, each with the public key of a pair that the command has made."""
    shutil.copytree(ROOT / "programmes", folder)
    for programme in PROGRAMMES:
        made = run("identity", "keypair", str(keys / programme))
        assert made.exit_code == 0, made.output
        file = folder / f"{programme}.toml"
        file.write_text(made.stdout + file.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def tell(instance: Instance, number: str, scope: str, municipality: str) -> dict[str, Any]:
    """Tells of a young person with a consent, an admission and a discharge home; returns the consent's answer."""
    source = instance.client(ClientKind.SOURCE, "region-h")
    person = {"cpr": number, "municipality": municipality, "name": NAME, "phone": PHONE}
    now = datetime.now(UTC)

    def post(topic: str, ago: timedelta, **said: Any) -> dict[str, Any]:
        statement = {"occurred_at": (now - ago).isoformat(), "person": person, "subject": str(uuid4())} | said
        answer = source.post(f"/events/{topic}", json=statement)
        assert answer.status_code == 201, answer.text
        content: dict[str, Any] = answer.json()
        return content

    consent = {"decision": "given", "given_by": ["young_person"], "purpose": "aftercare"}
    evidence = {"evidence": "spoken_and_recorded", "recorded_by": "Ungdomspsykiatrisk afsnit"}
    said = post("consents", timedelta(days=1), scope=scope, **consent, **evidence)
    stay = {"episode_id": str(uuid4()), "unit": UNIT, "stay_class": "inpatient"}
    post("discharges", timedelta(days=3), status="admitted", **stay)
    post("discharges", timedelta(minutes=1), status="discharged_home", **stay)
    return said


def offer_to(instance: Instance, identity: str, seen: set[str]) -> tuple[str, dict[str, Any]]:
    """Returns the programme and the record of the first offer with this identity that is not among those seen."""
    clients = {name: instance.client(ClientKind.PROGRAMME, name) for name in PROGRAMMES}

    def found() -> tuple[str, dict[str, Any]] | None:
        for name, client in clients.items():
            for record in client.get("/handovers", params={"limit": 500}).json()["records"]:
                event = record["event"]
                offered = event["type"] == "offered" and event["identity"] == identity
                if offered and event["subject"] not in seen:
                    return name, event
        return None

    offered: tuple[str, dict[str, Any]] = until(found, 60)
    return offered


def pull(client: httpx.Client, door: str, key: str) -> httpx.Response:
    """Asks for an identity under a key until the answer has come."""
    return answered(lambda: client.get(door, headers={"idempotency-key": key}))


def claim(client: httpx.Client, code: str) -> httpx.Response:
    """Claims a code until the answer has come."""
    return answered(lambda: client.post("/claims", json={"code": code}))


def answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Asks again, which changes nothing, as long as the answer is under way: a busy machine takes more than 5 s."""
    answer: httpx.Response = until(
        lambda: answer if (answer := ask()).status_code != httpx.codes.ACCEPTED else None, 60
    )
    return answer


def accept(client: httpx.Client, handover: str) -> None:
    """Accepts a handover, and returns once that is answered."""
    door, headers = f"/handovers/{handover}/replies", {"idempotency-key": "accept"}
    answer = answered(lambda: client.post(door, json={"status": "accepted"}, headers=headers))
    assert answer.status_code == 200, answer.text


def test_a_claim_code_is_the_first_contact_once(instance: Instance) -> None:
    code = tell(instance, "0105109996", "anonymous", "0217")["claim_code"]
    programme, offer = offer_to(instance, "anonymous", set())
    taker = instance.client(ClientKind.PROGRAMME, programme)
    other = instance.client(ClientKind.PROGRAMME, next(name for name in PROGRAMMES if name != programme))
    elsewhere = claim(other, code)
    accept(taker, offer["subject"])

    claimed = claim(taker, code)
    again = claim(instance.client(ClientKind.PROGRAMME, programme), code)

    assert (elsewhere.status_code, elsewhere.json()["reason_code"]) == (409, "unknown_handover")
    assert (claimed.status_code, claimed.json()["state"]) == (200, "in_contact"), claimed.text
    assert claimed.json()["answer"]["event"]["subject"] == offer["subject"]
    assert again.json() == claimed.json()
    assert claim(other, code).json()["refused"]["code"] == "code_used"


def test_an_identity_is_pulled_accounted_for_and_erased(instance: Instance, tmp_path: Path) -> None:
    number = "0203088882"
    tell(instance, number, "named", "0101")
    programme, offer = offer_to(instance, "named", set())
    taker = instance.client(ClientKind.PROGRAMME, programme)
    door = f"/handovers/{offer['subject']}/identity"

    too_early = pull(taker, door, "early")
    accept(taker, offer["subject"])
    pulled, again = pull(taker, door, "one"), pull(taker, door, "one")
    assert pulled.status_code == 200, pulled.text
    (tmp_path / "sealed.json").write_bytes(pulled.content)
    opened = document_of("identity", "open", str(tmp_path / "sealed.json"), "--key", str(instance.keys / programme))

    assert (too_early.status_code, too_early.json()["reason_code"]) == (409, "not_in_this_state")
    assert (opened["number"], opened["name"], opened["phone"]) == (number, NAME, PHONE)
    assert again.json()["grant_id"] == pulled.json()["grant_id"]
    assert NAME not in pulled.text

    whole = document_of("disclosures", "verify", "--json")
    shown = run("disclosures", "show", "--json", given=f"{number[:6]}-{number[6:]}\n")
    told = [json.loads(line) for line in shown.stdout.splitlines()]
    assert whole["whole"] is True
    assert sum(one["disclosures"] for one in whole["partitions"]) >= 2
    assert [(one["receiver"], one["disclosed"]) for one in told] == [(programme, "handover"), (programme, "identity")]
    assert told[-1]["grant_id"] == pulled.json()["grant_id"]

    check_erasure(instance, number, taker, door)


def check_erasure(instance: Instance, number: str, taker: httpx.Client, door: str) -> None:
    """Erases a person, twice, and looks for what is left."""
    assert run("erase", given=number).exit_code == 2
    erased = run("erase", "--yes", "--json", given=number)
    assert erased.exit_code == 0, erased.output
    proof = json.loads(erased.stdout)
    youth_id = proof["youth_id"]
    repeated = document_of("erase", youth_id, "--yes", "--json")

    assert proof["vault"] == {"identities": 1, "lookups": 1, "claim_codes": 0}
    assert proof["sha256"] == digest_of_proof(proof)
    assert repeated["vault"] == {"identities": 0, "lookups": 0, "claim_codes": 0}
    assert run("erase", "--yes", given=number).exit_code == 2
    vault = b"".join(path.read_bytes() for path in instance.folder.glob("vault.sqlite*"))
    assert youth_id.encode() not in vault
    until(lambda: _recalled(taker, door.split("/")[2]))
    refused = pull(taker, door, "after")
    assert (refused.status_code, refused.json()["reason_code"]) == (409, "handover_withdrawn")
    assert len(lines_of("disclosures", "show", youth_id, "--json")) >= 2
    assert run("disclosures", "verify").exit_code == 0


def _recalled(taker: httpx.Client, handover: str) -> bool:
    return bool(taker.get(f"/handovers/{handover}").json()["handover"]["state"] == "withdrawn")


def test_a_forged_disclosure_is_found(instance: Instance) -> None:
    forged = codec(Disclosure).encode_raw(chained(a_disclosure(1), 1, NO_DISCLOSURE) | {"receiver": "nobody"})
    connection = KafkaConnection(bootstrap=os.environ["KAFKA_BOOTSTRAP"])
    write_all(connection, [Outbound(kafka_name("disclosures"), b"k", forged, partition=2)])

    result = run("disclosures", "verify", "--json")

    assert result.exit_code == 1
    assert [one["partition"] for one in json.loads(result.stdout)["partitions"] if one["broken"]] == [2]
