"""The same letter in other dress: order, offsets, forms of ids and references."""

from __future__ import annotations

import copy
import json
import re
from random import Random

import pytest

from connectors.medcom_fhir.outcomes import ReceivedAcknowledgement
from schemas.codes import Specialty
from tests.unit.medcom_fhir.builders import (
    NOTIFICATIONS,
    a_message,
    discharge_of,
    organisation,
    outcome_of,
    own_provenance,
    resources,
    the,
    translation_of,
)

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HERLEV_SOR = "953741000016009"


@pytest.mark.parametrize("name", ["hn-06-SLHJ-discharge-home", "cc-16-reply-of-reply"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_hospitals_own_code_beside_an_activity_is_passed_over(name: str, place: int) -> None:
    message = a_message(name)
    for provenance in resources(message, "Provenance"):
        provenance["activity"]["coding"].insert(place, {"system": "https://hospital.example.dk/steps", "code": "Ud-7"})

    assert translation_of(message) == translation_of(a_message(name))


@pytest.mark.parametrize("name", NOTIFICATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_entries_after_the_header_are_unordered(name: str, seed: int) -> None:
    message = a_message(name)
    rest = message["entry"][1:]
    Random(seed).shuffle(rest)
    shuffled = {**message, "entry": [message["entry"][0], *rest]}

    assert translation_of(shuffled) == translation_of(message)


@pytest.mark.parametrize("name", NOTIFICATIONS)
@pytest.mark.parametrize("form", [str.upper, lambda text: text.replace("-", "")])
def test_uuids_in_upper_case_or_without_hyphens_name_the_same_letter(name: str, form: object) -> None:
    message = a_message(name)
    text = json.dumps(message)
    ids = (
        {resource["resource"]["id"] for resource in message["entry"]}
        | {
            reference["what"]["reference"].split("/")[1]
            for provenance in resources(message, "Provenance")
            for reference in provenance.get("entity", [])
        }
        | {the(message, "Encounter")["episodeOfCare"][0]["identifier"]["value"]}
    )
    for identifier in filter(UUID_FORM.fullmatch, ids):
        text = text.replace(identifier, form(identifier))  # type: ignore[operator]

    assert translation_of(json.loads(text)).events == translation_of(message).events


def test_ids_with_urn_uuid_in_front_name_the_same_letter() -> None:
    message = a_message("hn-03-AN_STIN-cancel-admit")
    prefixed = copy.deepcopy(message)
    the(prefixed, "MessageHeader")["sender"]["reference"] = "urn:uuid:05266a00-81c7-11ed-a1eb-0242ac120002"
    own_provenance(prefixed)["entity"][0]["what"]["reference"] = "urn:uuid:B9B4818E-02DE-4CC4-B418-D20CBC7B5404"
    identifier = the(prefixed, "Encounter")["episodeOfCare"][0]["identifier"]
    identifier["value"] = f"urn:uuid:{identifier['value'].upper()}"

    assert translation_of(prefixed).events == translation_of(message).events


@pytest.mark.parametrize("base", ["", "https://example.dk/fhir/", "https://medcomfhir.dk/ig/hospitalnotification/"])
def test_full_urls_are_absolute_or_relative_and_so_are_references(base: str) -> None:
    message = a_message()
    other = copy.deepcopy(message)
    for entry in other["entry"]:
        entry["fullUrl"] = f"{base}{entry['resource']['resourceType']}/{entry['resource']['id']}"
    header = the(other, "MessageHeader")
    header["sender"]["reference"] = base + header["sender"]["reference"]

    assert translation_of(other).events == translation_of(message).events


@pytest.mark.parametrize(
    ("offset", "occurred"),
    [
        ("Z", "2022-12-18T09:45:30+00:00"),
        ("+01:00", "2022-12-18T08:45:30+00:00"),
        ("-05:30", "2022-12-18T15:15:30+00:00"),
        (".123456789+00:00", "2022-12-18T09:45:30.123000+00:00"),
    ],
)
def test_the_offset_is_taken_as_sent(offset: str, occurred: str) -> None:
    message = a_message()
    the(message, "Encounter")["period"]["end"] = f"2022-12-18T09:45:30{offset}"

    assert discharge_of(message).occurred_at.isoformat() == occurred


def test_the_provenances_time_is_never_the_events() -> None:
    message = a_message()
    for provenance in resources(message, "Provenance"):
        provenance["occurredDateTime"] = "not a time"

    assert translation_of(message).events == translation_of(a_message()).events


def test_the_local_episode_id_wins_over_lpr3s() -> None:
    message = a_message()
    lpr3 = {
        "identifier": {
            "system": "https://www.esundhed.dk/Registre/Landspatientregisteret",
            "value": "urn:uuid:fc60e762-b13b-5773-865e-67f3907bdcc7",
        }
    }
    the(message, "Encounter")["episodeOfCare"].insert(0, lpr3)

    assert discharge_of(message).episode_id == "bd481c38a92111edafa10242ac120002"


def test_lpr3s_episode_id_stands_where_there_is_no_local_one() -> None:
    message = a_message()
    the(message, "Encounter")["episodeOfCare"] = [
        {
            "identifier": {
                "system": "https://www.esundhed.dk/Registre/Landspatientregisteret",
                "value": "urn:uuid:fc60e762-b13b-5773-865e-67f3907bdcc7",
            }
        },
    ]

    assert discharge_of(message).episode_id == "fc60e762b13b5773865e67f3907bdcc7"


def test_the_unit_is_the_service_provider_who_may_differ_from_the_sender_and_lack_a_gln() -> None:
    message = a_message()
    unit = {
        "resourceType": "Organization",
        "id": "unit",
        "identifier": [{"system": "urn:oid:1.2.208.176.1.1", "value": "9991084000016101"}],
    }
    message["entry"].append({"fullUrl": "Organization/unit", "resource": unit})
    the(message, "Encounter")["serviceProvider"]["reference"] = "Organization/unit"

    event = discharge_of(message)

    assert (event.source, event.unit) == ("sor:265161000016000", "9991084000016101")
    assert event.specialty is Specialty.CHILD_PSYCHIATRY


def test_an_unknown_unit_is_taken_with_an_unknown_specialty() -> None:
    message = a_message()
    for identifier in organisation(message, "5790000209354")["identifier"]:
        identifier["value"] = identifier["value"].replace("265161000016000", "123451000016000")

    assert discharge_of(message).specialty is Specialty.UNKNOWN


@pytest.mark.parametrize(("name", "code"), [("ack-21-ok", "ok"), ("ack-22-fatal-error", "fatal-error")])
def test_an_acknowledgement_is_recognised(name: str, code: str) -> None:
    outcome = outcome_of(a_message(name))

    assert isinstance(outcome, ReceivedAcknowledgement)
    assert outcome.response_code == code


def test_a_resubmission_has_the_same_letter_and_digest_and_a_changed_letter_another_digest() -> None:
    message, again, changed = a_message(), a_message(), a_message()
    again.update(id="11111111-2222-4333-8444-555555555555", timestamp="2022-12-19T09:00:00+01:00")
    the(changed, "Encounter")["period"]["end"] = "2022-12-17T09:45:30+02:00"

    first, second, third = (translation_of(item) for item in (message, again, changed))

    assert first.letter_id == second.letter_id == third.letter_id
    assert first.content_digest == second.content_digest != third.content_digest


def test_of_the_hour_that_comes_twice_a_period_ends_after_it_began() -> None:
    message = a_message()
    period = {"start": "2022-10-30T02:45:00+02:00", "end": "2022-10-30T02:15:00+02:00"}
    the(message, "Encounter")["period"] = period

    assert discharge_of(message).occurred_at.isoformat() == "2022-10-30T01:15:00+00:00"


@pytest.mark.parametrize("padding", [b"\x00", b"\x1a", b"\r\n \x00\x00"])
def test_what_fills_a_message_up_says_nothing(padding: bytes) -> None:
    assert outcome_of(json.dumps(a_message()).encode() + padding) == outcome_of(a_message())
