"""The closed loop for tests: young people told of at a hospital's door, and what has become of them in the log."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from aiokafka import TopicPartition

from connectors.cpr import CPR
from connectors.gateway.clients.clients import ClientKind, NewClient, open_clients
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from connectors.vault.urls import sqlite_url
from schemas.codec import codec
from schemas.codes import ReplyStatus
from schemas.events import Reply
from schemas.instants import moment_of
from schemas.outputs import PathwayView
from schemas.topics import kafka_name
from streams.cli.people import opened_vault
from streams.demo.people import YoungPerson, a_young_person
from tests.domain.story import COPENHAGEN
from tests.integration.secured import SecuredService
from tests.integration.service import committed_records

ANSWER_SECONDS_MAX = 60
UNIT = "9991084000016101"
ADDRESS, PHONE = "Prøvevej 17, 9999 Opdigtet", "+45 20123456"
_ADULT = 19
View = dict[str, Any]


@dataclass(frozen=True)
class Youth:
    """A young person whom a hospital has told of, and the id of the consent."""

    person: YoungPerson
    youth_id: str
    consent: str
    claim_code: str | None = None

    def personal(self) -> Iterator[str]:
        """Yields what no programme may be told unasked, in every form in which it could stand somewhere."""
        cpr, born = self.person.cpr, self.person.birth_date
        yield from (cpr, f"{cpr[:6]}-{cpr[6:]}", born.isoformat(), born.strftime("%d-%m-%Y"), born.strftime("%d.%m.%Y"))
        yield from (self.person.first_name, self.person.last_name, ADDRESS, PHONE, UNIT, self.youth_id, self.consent)


@dataclass
class ClosedLoop:
    """A running service, a hospital at its doors, and a clock that only goes forward."""

    running: SecuredService
    hospital: httpx.AsyncClient
    _chance: random.Random = field(default_factory=lambda: random.Random(20261122))
    _numbers: set[str] = field(default_factory=set)

    async def tell(self, count: int, municipality: str = "0101", scope: str = "named") -> list[Youth]:
        """Tells of so many young people with consent, admission and discharge home; blocks until that is folded."""
        people = [self._person(municipality) for _ in range(count)]
        consents = [str(uuid4()) for _ in people]
        now = datetime.now(UTC)
        answers = await self._post(
            "consents",
            [
                _about(one, now - timedelta(days=1), consent)
                | {"decision": "given", "given_by": ["young_person"], "purpose": "aftercare", "scope": scope}
                | {"evidence": "spoken_and_recorded", "recorded_by": "Ungdomspsykiatrisk afsnit"}
                for one, consent in zip(people, consents, strict=True)
            ],
        )
        for status, ago in (("admitted", timedelta(days=3)), ("discharged_home", timedelta(minutes=1))):
            stays = [
                _about(one, now - ago, str(uuid4()))
                | {"episode_id": f"stay-{one.cpr[:4]}-{consent}", "unit": UNIT, "stay_class": "inpatient"}
                | {"status": status}
                for one, consent in zip(people, consents, strict=True)
            ]
            await self._post("discharges", stays)
        await self.running.service.wait_until_folded()
        vault = opened_vault(self.running.service.settings)
        return [
            Youth(one, vault.youth_id(CPR, one.cpr), consent, answer.get("claim_code"))
            for one, consent, answer in zip(people, consents, answers, strict=True)
        ]

    async def take_back_consent(self, youth: Youth) -> None:
        """Lets a young person take the consent back; blocks until that is folded."""
        taken_back = _about(youth.person, datetime.now(UTC), youth.consent) | {
            "decision": "withdrawn",
            "given_by": ["young_person"],
            "purpose": "aftercare",
            "scope": "named",
            "evidence": "spoken_and_recorded",
            "recorded_by": "Ungdomspsykiatrisk afsnit",
        }
        await self._post("consents", [taken_back])
        await self.running.service.wait_until_folded()

    async def wait_until_morning(self) -> None:
        """Sets the calendar to ten o'clock the next day: the clocks of what is offered within some hours end alike."""
        service = self.running.service
        tomorrow = (datetime.now(UTC) + service.ahead).astimezone(COPENHAGEN) + timedelta(days=1)
        await service.step_to(tomorrow.replace(hour=10, minute=0))

    async def pathways(self) -> dict[str, View]:
        """Returns the latest public view of each young person's pathway, as it is committed."""
        settings = self.running.service.settings
        places = [TopicPartition(kafka_name("pathways"), number) for number in range(settings.partitions)]
        views: dict[str, View] = {}
        async for _, record in committed_records(self.running.service.connection, places):
            if record.value is not None:
                views[record.key.decode()] = codec(PathwayView).decode_raw(record.value)
        return views

    async def state_of(self, handover_id: str) -> tuple[View, View]:
        """Returns a handover, by the id that its programme knows it by, and its need as the pathway has them."""
        for view in (await self.pathways()).values():
            for handover in view["handovers"]:
                if self._told_id(view, handover) == handover_id:
                    return handover, view["needs"][-1]
        raise AssertionError(f"no pathway has the handover {handover_id}")

    async def reply_by(self, handover_id: str) -> datetime:
        """Returns by when an offered handover has to be answered: then its clock ends it."""
        _, need = await self.state_of(handover_id)
        return moment_of(need["clock_at"])

    async def free_places_told(self) -> list[int]:
        """Returns the numbers of free places that programmes have told of, as they stand on ``replies``."""
        settings = self.running.service.settings
        places = [TopicPartition(kafka_name("replies"), number) for number in range(settings.partitions)]
        records = committed_records(self.running.service.connection, places)
        replies = [codec(Reply).decode_raw(record.value) async for _, record in records]
        return [one["free_places"] for one in replies if one["status"] == ReplyStatus.FREE_CAPACITY]

    async def offered(self, count: int, programme: str) -> list[tuple[Youth, str]]:
        """Tells of so many young people; returns each with the handover by which the programme is offered the need."""
        youths = await self.tell(count)
        views = await self.pathways()
        return [(youth, self.handover_in(views[youth.youth_id], programme)) for youth in youths]

    def handover_in(self, view: View, programme: str) -> str:
        """Returns the handover that a pathway has with a programme, by the id that the programme knows it by."""
        [handover] = [one for one in view["handovers"] if one["programme"] == programme]
        return self._told_id(view, handover)

    def _told_id(self, view: View, handover: View) -> str:
        pseudonyms = Pseudonyms(pseudonym_roots(self.running.service.settings.keys_folder))
        only = handover["handover_id"] if handover["identity"] == "anonymous" else None
        alias = pseudonyms.alias_of(handover["programme"], view["youth_id"], only)
        return alias.ids.shown(handover["handover_id"])

    def token(self, kind: ClientKind, name: str) -> str:
        """Returns the token of a new client."""
        legal = {"data_controller": "Region H", "legal_basis": "Sundhedsloven §43"}
        ledger = sqlite_url(self.running.service.settings.data_folder / "gateway.sqlite")
        return open_clients(ledger).create(NewClient(kind=kind, name=name, **legal), datetime.now(UTC))

    def client(self, kind: ClientKind, name: str) -> httpx.AsyncClient:
        """Returns an HTTP client with a new token."""
        return client_of(self.running, self.token(kind, name))

    def _person(self, municipality: str) -> YoungPerson:
        while True:
            person = a_young_person(self._chance, municipality, _ADULT, datetime.now(UTC).date())
            if person.cpr not in self._numbers:
                self._numbers.add(person.cpr)
                return person

    async def _post(self, topic: str, statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        headers = {"content-type": "application/x-ndjson"}
        body = b"".join(json.dumps(one).encode() + b"\n" for one in statements)
        answer = await self.hospital.post(f"/events/{topic}", content=body, headers=headers)
        outcomes = [json.loads(line) for line in answer.text.splitlines()]
        assert [one["outcome"] for one in outcomes] == ["accepted"] * len(statements), answer.text
        return outcomes


def client_of(running: SecuredService, token: str) -> httpx.AsyncClient:
    """Returns an HTTP client with a token."""
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=running.doors, headers=headers, timeout=ANSWER_SECONDS_MAX)


def closed_loop_of(running: SecuredService) -> ClosedLoop:
    """Returns the loop of a running service, with a hospital of its own."""
    loop = ClosedLoop(running, httpx.AsyncClient())
    loop.hospital = loop.client(ClientKind.SOURCE, "region-h")
    return loop


def _about(person: YoungPerson, occurred_at: datetime, subject: str) -> dict[str, Any]:
    who = {"cpr": person.cpr, "municipality": person.municipality, "address": ADDRESS, "phone": PHONE}
    name = f"{person.first_name} {person.last_name}"
    return {"subject": subject, "occurred_at": occurred_at.isoformat(), "person": who | {"name": name}}
