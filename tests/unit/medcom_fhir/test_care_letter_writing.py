"""Letters that the service writes keep CareCommunication's rules, and say nothing that the receiver has not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from connectors.medcom_fhir.care_letter_rules import defects_of_care_letter
from connectors.medcom_fhir.care_letter_writing import AnsweredMessage, OutgoingLetter, ServiceOffice, build_care_letter
from connectors.medcom_fhir.organisations import Organisation
from tests.unit.medcom_fhir.builders import a_message, organisation, outcome_of, resources, the, the_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.medcom_fhir.builders import Json

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
HOSPITAL = Organisation("265161000016000", "5790000209354")
EARLIER = "8f537c84-17f9-4fd1-a3d6-3d4008d6c6ec"
EPISODE = "bd481c38-a921-11ed-afa1-0242ac120002"
TEXT = "Der mangler et samtykke & et svar <her>.\nSe linket."


def a_letter(**changes: object) -> OutgoingLetter:
    """Returns a letter of the service to a hospital about an episode, unless said."""
    service = the_reference().service
    letter = OutgoingLetter(
        letter_id=UUID("0b7d6f3e-5b1b-5f6e-9d43-5a3f1a2b3c4d"),
        thread=UUID("1b7d6f3e-5b1b-5f6e-9d43-5a3f1a2b3c4d"),
        sender=ServiceOffice(Organisation(service.sor, service.gln), service.name, "+4570000000"),
        receiver=HOSPITAL,
        topic="Samtykke mangler",
        text=TEXT,
        written_at=AT - timedelta(minutes=5),
        answered=AnsweredMessage(EARLIER, EPISODE),
    )
    return replace(letter, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("episode", [EPISODE, None])
@pytest.mark.parametrize("sending", [1, 2, 3])
def test_a_letter_keeps_every_rule_of_the_guide(episode: str | None, sending: int) -> None:
    letter = a_letter(answered=AnsweredMessage(EARLIER, episode))

    bundle = build_care_letter(letter, sending, AT)

    assert defects_of_care_letter(json.loads(json.dumps(bundle))) == ()


def test_a_letter_answers_the_receivers_own_and_names_its_episode() -> None:
    bundle = build_care_letter(a_letter(), 1, AT)

    entities = the(bundle, "Provenance")["entity"]
    assert entities[0]["what"] == {"reference": f"MessageHeader/{EARLIER}"}
    episode = {"system": f"https://sor2.sum.dsdn.dk/#id={HOSPITAL.sor}", "value": EPISODE}
    assert the(bundle, "Encounter")["episodeOfCare"] == [{"identifier": episode}]


def test_a_letter_names_nobody() -> None:
    patient = the(build_care_letter(a_letter(), 1, AT), "Patient")

    assert [one["value"] for one in patient["identifier"]] == [EARLIER]
    assert "given" not in patient["name"][0]
    assert "family" not in patient["name"][0]


def test_a_letter_that_is_sent_again_is_the_same_but_for_its_bundle_and_times() -> None:
    first, again = (build_care_letter(a_letter(), sending, AT + timedelta(hours=sending)) for sending in (1, 2))
    changed = {first["id"], again["id"], first["timestamp"], again["timestamp"]}

    assert len(changed) == 4
    assert the(first, "MessageHeader")["id"] == the(again, "MessageHeader")["id"]
    assert _without(first, changed) == _without(again, changed)


def _without(bundle: Json, texts: set[str]) -> str:
    said = json.dumps(bundle, sort_keys=True)
    for text in texts:
        said = said.replace(text, "")
    return said


def test_the_same_sending_gives_the_same_bundle() -> None:
    assert build_care_letter(a_letter(), 2, AT) == build_care_letter(a_letter(), 2, AT)


def test_a_reply_to_a_letter_of_ours_is_in_its_thread() -> None:
    ours = build_care_letter(a_letter(), 1, AT)
    reply = a_message("H-reply-before-original")
    the(reply, "Communication")["identifier"] = the(ours, "Communication")["identifier"]
    service, receiver = the_reference().service, organisation(reply, "5790000209354")
    receiver["identifier"] = [
        {"system": "https://www.gs1.org/gln", "value": service.gln},
        {"system": "urn:oid:1.2.208.176.1.1", "value": service.sor},
    ]

    events = getattr(outcome_of(reply), "events", ())

    assert [topic for topic, _ in events] == ["correspondence", "persons"]


BREAKING: list[tuple[str, Callable[[Json], object], str]] = [
    ("two patients", lambda m: m["entry"].append(_entry(m, "Patient")), "exactly one Patient"),
    ("no identifier", lambda m: the(m, "Patient").pop("identifier"), "dk-core-patient"),
    ("no name", lambda m: the(m, "Patient").pop("name"), "an official one"),
    ("definition", lambda m: the(m, "MessageHeader").update(definition="|4.0.0"), "version 5.x"),
    ("thread", lambda m: the(m, "Communication")["identifier"][0].update(value="a"), "medcom-uuidv4"),
    ("phone", lambda m: _contact(m).update(value="ring"), "a telephone number"),
    ("role", lambda m: the(m, "PractitionerRole").pop("code"), "carecommunication-7"),
    ("organization", lambda m: the(m, "PractitionerRole").pop("organization"), "medcom-core-practitionerrole"),
    ("name", lambda m: the(m, "Practitioner").pop("name"), "carecommunication-4"),
    ("encounter", lambda m: the(m, "Communication").pop("encounter"), "carecommunication-15"),
    ("profile", lambda m: the(m, "Patient")["meta"].update(profile=[]), "meta.profile"),
    ("narrative", lambda m: the(m, "Patient")["text"].update(div=""), "a narrative"),
    ("followed", lambda m: the(m, "Provenance")["entity"].pop(0), "names what it follows"),
    ("payload", lambda m: the(m, "Provenance")["entity"].pop(1), "at least one payload"),
    ("priority", lambda m: the(m, "Communication").update(priority="asap"), "regarding-referral"),
]


def _entry(message: Json, resource_type: str) -> Json:
    [resource] = resources(message, resource_type)
    return {"fullUrl": f"{resource_type}/other", "resource": {**resource, "id": "other"}}


def _contact(message: Json) -> Json:
    contact: Json = the(message, "Communication")["payload"][0]["extension"][3]["valueContactPoint"]
    return contact


@pytest.mark.parametrize(("change", "rule"), [pytest.param(*row[1:], id=row[0]) for row in BREAKING])
def test_the_rules_find_what_breaks_them(change: Callable[[Json], object], rule: str) -> None:
    bundle = json.loads(json.dumps(build_care_letter(a_letter(), 1, AT)))
    change(bundle)

    assert any(rule in defect for defect in defects_of_care_letter(bundle))
