"""A reference names what FHIR R4 says that it names: by fullUrl, relative to the holder's, by version, or contained."""

from __future__ import annotations

import copy
import json

import pytest

from tests.unit.medcom_fhir.builders import (
    Json,
    a_message,
    discharge_of,
    own_provenance,
    refusal_of,
    resources,
    the,
    translation_of,
)

OWN = "https://medcomfhir.dk/ig/hospitalnotification"
ELSEWHERE = "https://region.example.dk/fhir"
OTHER_SOR = "502701000016000"


def _entry_of(message: Json, resource: Json) -> Json:
    return next(entry for entry in message["entry"] if entry["resource"] is resource)


def _sender(message: Json) -> Json:
    """Returns the organisation that sends a message."""
    name = the(message, "MessageHeader")["sender"]["reference"].rpartition("/")[2]
    return next(one for one in resources(message, "Organization") if one["id"] == name)


def _with_two_organisations_of_one_id() -> Json:
    """Returns a message whose sender and receiver have the same id on two servers."""
    message = a_message()
    header, sender = the(message, "MessageHeader"), _sender(message)
    receiver = next(one for one in resources(message, "Organization") if one is not sender)
    old = {sender["id"]: "https://region.example.dk/fhir", receiver["id"]: "https://kommune.example.dk/fhir"}
    for one in (sender, receiver):
        base = old[one["id"]]
        _entry_of(message, one)["fullUrl"] = f"{base}/Organization/1"
    places = [header["sender"], header["destination"][0]["receiver"], the(message, "Encounter")["serviceProvider"]]
    places += [agent["who"] for one in resources(message, "Provenance") for agent in one.get("agent", ())]
    for place in places:
        name = place["reference"].rpartition("/")[2]
        place["reference"] = f"{old[name]}/Organization/1" if name in old else place["reference"]
    sender["id"] = receiver["id"] = "1"
    return message


def test_one_id_on_two_servers_is_two_organisations() -> None:
    told, published = translation_of(_with_two_organisations_of_one_id()), translation_of(a_message())

    assert (told.addressing.sender, told.addressing.receiver) == (
        published.addressing.sender,
        published.addressing.receiver,
    )
    assert told.events == published.events


def test_a_relative_reference_is_not_to_what_another_server_has() -> None:
    message = a_message()
    _entry_of(message, _sender(message))["fullUrl"] = f"{ELSEWHERE}/Organization/{_sender(message)['id']}"

    refusal = refusal_of(message)

    assert (refusal.code, refusal.field) == ("unresolved_reference", "MessageHeader.sender.reference")


@pytest.mark.parametrize("full_url", [None, "Organization/{}", "urn:uuid:{}"])
def test_a_relative_reference_names_by_type_and_id_what_says_no_server(full_url: str | None) -> None:
    message = a_message()
    sender = _sender(message)
    entry = _entry_of(message, sender)
    entry.pop("fullUrl")
    if full_url is not None:
        entry["fullUrl"] = full_url.format(sender["id"])

    assert translation_of(message).events == translation_of(a_message()).events


@pytest.mark.parametrize("name", ["hn-06-SLHJ-discharge-home", "hn-03-AN_STIN-cancel-admit", "cc-16-reply-of-reply"])
def test_a_uuid_in_front_of_an_entry_names_it_whatever_its_id_is(name: str) -> None:
    message = a_message(name)
    urls = {}
    for number, entry in enumerate(message["entry"]):
        entry["fullUrl"] = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
        urls[f"{entry['resource']['resourceType']}/{entry['resource']['id']}"] = entry["fullUrl"]
    text = json.dumps(message)
    for old, new in urls.items():
        text = text.replace(f'"reference": "{old}"', f'"reference": "{new}"')

    assert translation_of(json.loads(text)).events == translation_of(a_message(name)).events


@pytest.mark.parametrize(
    ("held", "asked", "is_taken"),
    [("2", "2", True), ("2", "1", False), (None, "1", True)],
)
def test_a_versioned_reference_names_that_version(held: str | None, asked: str, is_taken: bool) -> None:
    message = a_message()
    header = the(message, "MessageHeader")
    if held is not None:
        _sender(message).setdefault("meta", {})["versionId"] = held
    header["sender"]["reference"] += f"/_history/{asked}"

    if is_taken:
        assert translation_of(message).events == translation_of(a_message()).events
    else:
        assert refusal_of(message).code == "unresolved_reference"


def test_a_reference_may_name_what_its_holder_contains() -> None:
    message = a_message()
    header, sender = the(message, "MessageHeader"), copy.deepcopy(_sender(message))
    header["contained"] = [{**sender, "id": "sender"}]
    header["sender"]["reference"] = "#sender"

    assert translation_of(message).events == translation_of(a_message()).events


@pytest.mark.parametrize("reference", ["#nobody", "Organization", "x", "Patient/x", "ftp://a/Organization/x", "/", "#"])
def test_what_names_nothing_of_the_bundle_is_refused_by_that_name(reference: str) -> None:
    message = a_message()
    the(message, "MessageHeader")["sender"]["reference"] = reference

    refusal = refusal_of(message)

    assert (refusal.code, refusal.field) == ("unresolved_reference", "MessageHeader.sender.reference")


def test_a_resource_that_another_one_contains_is_not_meant() -> None:
    message = a_message()
    header = the(message, "MessageHeader")
    the(message, "Encounter")["contained"] = [{**copy.deepcopy(_sender(message)), "id": "sender"}]
    header["sender"]["reference"] = "#sender"

    assert refusal_of(message).code == "unresolved_reference"


def test_http_and_https_name_the_same_resource() -> None:
    message = a_message()
    header = the(message, "MessageHeader")
    header["sender"]["reference"] = f"http://medcomfhir.dk/ig/hospitalnotification/{header['sender']['reference']}"

    assert translation_of(message).events == translation_of(a_message()).events


def test_the_header_of_another_server_is_not_this_letter() -> None:
    message = a_message()
    own_provenance(message)["target"][0]["reference"] = (
        f"{ELSEWHERE}/MessageHeader/{the(message, 'MessageHeader')['id']}"
    )

    assert refusal_of(message).code == "current_provenance_missing"


@pytest.mark.parametrize("reference", ["#x", "Encounter/x", "x"])
def test_a_followed_letter_is_named_as_a_message_header(reference: str) -> None:
    message = a_message()
    own_provenance(message)["entity"][0]["what"]["reference"] = reference

    assert refusal_of(message).field == "Provenance.entity.what.reference"


@pytest.mark.parametrize(("first", "second"), [("1-12", "11-2"), ("Xa7", "xA7"), ("a.b", "A.b")])
def test_ids_that_differ_by_a_hyphen_or_a_capital_are_two_letters(first: str, second: str) -> None:
    letters = []
    for header_id in (first, second):
        message = a_message()
        own, header = own_provenance(message), the(message, "MessageHeader")
        entry = _entry_of(message, header)
        header["id"], entry["fullUrl"] = header_id, f"{OWN}/MessageHeader/{header_id}"
        own["target"][0]["reference"] = f"MessageHeader/{header_id}"
        letters.append(translation_of(message))

    assert letters[0].letter_id != letters[1].letter_id
    assert letters[0].events[0][1].subject == first


@pytest.mark.parametrize(("first", "second"), [("1-12", "11-2"), ("Xa7", "xA7")])
def test_episodes_that_differ_by_a_hyphen_or_a_capital_are_two(first: str, second: str) -> None:
    episodes = []
    for value in (first, second):
        message = a_message()
        the(message, "Encounter")["episodeOfCare"][0]["identifier"]["value"] = value
        episodes.append(discharge_of(message).episode_id)

    assert episodes == [first, second]
