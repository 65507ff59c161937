"""CareCommunications: their kind and thread are taken, nothing of what they say is published."""

from __future__ import annotations

import json
import random

import pytest

from connectors.cpr import D_ECPR, X_ECPR
from connectors.medcom_fhir.letters import message_id_of
from connectors.medcom_fhir.outcomes import FhirOutOfScope
from schemas.codes import CorrespondenceForm
from tests.unit.medcom_fhir.breaking_letters import BROKEN_LETTERS, Change, communication, date_extension
from tests.unit.medcom_fhir.builders import (
    CARE_LETTERS,
    INVALID,
    PUBLISHED,
    FixedIdentities,
    Json,
    a_door,
    a_message,
    correspondence_of,
    organisation,
    outcome_of,
    own_provenance,
    person_of,
    refusal_of,
    resources,
    the,
    the_reference,
    translation_of,
)

HOSPITAL, CARE_HOME = "265161000016000", "953741000016009"


@pytest.mark.parametrize(("change", "code", "field"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN_LETTERS])
def test_a_broken_rule_is_refused_with_its_code_and_place(change: Change, code: str, field: str) -> None:
    message = a_message("cc-14-new")
    change(message)

    refusal = refusal_of(message)

    assert (refusal.code, refusal.field) == (code, field)
    assert "2509479989" not in json.dumps(refusal.as_dict())


@pytest.mark.parametrize("name", CARE_LETTERS)
def test_nothing_that_a_letter_says_is_in_what_becomes_of_it(name: str) -> None:
    message = a_message(name)
    said = [text for one in resources(message, "Communication") for text in _texts(one)]

    published = json.dumps([event.model_dump(mode="json") for _, event in translation_of(message).events])

    assert said
    assert not [text for text in said if text in published]


def _texts(one: Json) -> list[str]:
    contents = [part.get("contentString") or part["contentAttachment"]["title"] for part in one["payload"]]
    return [*contents, *([one["topic"]["text"]] if "topic" in one else [])]


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name not in INVALID])
def test_the_order_of_entries_means_nothing(name: str) -> None:
    message = a_message(name)
    header, *others = message["entry"]
    shuffled = {**message, "entry": [header, *random.Random(name).sample(others, len(others))]}

    assert translation_of(shuffled) == translation_of(message)


def test_a_reply_and_what_it_answers_share_a_correlation_and_know_each_other_in_either_order() -> None:
    reply, original = (
        correspondence_of(a_message(name)) for name in ("H-reply-before-original", "I-original-after-reply")
    )

    assert reply.correlation_id == original.correlation_id
    assert reply.causation_id == original.event_id
    assert (reply.form, original.form) == (CorrespondenceForm.REPLY, CorrespondenceForm.NEW)


def test_a_reply_to_a_reply_is_in_the_thread_of_the_first_letter() -> None:
    first, third = correspondence_of(a_message("cc-14-new")), correspondence_of(a_message("cc-16-reply-of-reply"))

    assert third.correlation_id == first.correlation_id
    assert third.causation_id == message_id_of(CARE_HOME, "d5bd2111-2576-48d3-84d4-8be0297a038d", "")


def test_a_reply_happened_when_its_own_segment_was_written_not_the_newest_that_it_retells() -> None:
    message = a_message("cc-16-reply-of-reply")
    retold, *_, own = the(message, "Communication")["payload"]
    date_extension(retold)["valueDateTime"] = "2024-06-01T12:00:00+02:00"

    assert correspondence_of(message).occurred_at.isoformat() == "2024-05-03T07:25:00+00:00"
    assert date_extension(own)["valueDateTime"] == "2024-05-03T09:25:00+02:00"


def test_before_guide_4_a_thread_begins_with_the_first_letter_of_its_chain() -> None:
    forward, retraction = a_message("cc-3.0-forward"), a_message("cc-2.0-retract")

    assert correspondence_of(forward).correlation_id == correspondence_of(retraction).correlation_id


@pytest.mark.parametrize(("name", "field"), [("cc-2.0-modify", "revises"), ("cc-2.0-retract", "cancels")])
def test_guide_2_modifies_and_retracts_the_letter_that_it_names(name: str, field: str) -> None:
    event = correspondence_of(a_message(name))

    named = message_id_of(HOSPITAL, "42cb9200-f421-4d08-8391-7d51a2503cb4", "")
    assert {"revises": event.revises, "cancels": event.cancels} == {"revises": None, "cancels": None, field: named}
    assert (event.form, event.causation_id) == (CorrespondenceForm.NEW, None)


def test_the_form_of_a_letter_that_modifies_one_of_which_nothing_is_told_is_unknown() -> None:
    message = a_message("cc-2.0-modify")
    own = own_provenance(message)
    message["entry"] = [
        entry
        for entry in message["entry"]
        if entry["resource"] is own or entry["resource"]["resourceType"] != "Provenance"
    ]

    assert correspondence_of(message).form is CorrespondenceForm.UNKNOWN


def test_a_reply_to_a_letter_in_another_format_follows_none_of_ours() -> None:
    event = correspondence_of(a_message("cc-2.1-reply-to-edifact"))

    assert (event.form, event.causation_id) == (CorrespondenceForm.REPLY, None)


def test_a_forward_of_a_letter_whose_writer_is_not_retold_names_nobody() -> None:
    message = a_message("cc-R-C-forward")
    own = own_provenance(message)
    message["entry"] = [
        entry
        for entry in message["entry"]
        if entry["resource"] is own or entry["resource"]["resourceType"] != "Provenance"
    ]

    assert correspondence_of(message).causation_id is None


def test_a_letter_to_the_service_itself_is_taken() -> None:
    message, service = a_message("cc-14-new"), the_reference().service
    receiver = organisation(message, "5790001348120")
    receiver["identifier"][0]["value"], receiver["identifier"][1]["value"] = service.gln, service.sor

    assert correspondence_of(message).source == f"sor:{HOSPITAL}"


def test_a_coding_of_another_system_beside_medcoms_is_passed_over() -> None:
    message, other = a_message("cc-14-new"), {"system": "urn:oid:1.2.3", "code": "letter"}
    the(message, "Communication")["category"][0]["coding"].insert(0, other)

    assert correspondence_of(message).category == correspondence_of(a_message("cc-14-new")).category


def test_the_receivers_municipality_is_not_taken_to_be_home() -> None:
    person = person_of(a_message("cc-14-new"))

    assert (person.municipality, str(person.birth_date)) == (None, "1947-09-25")


@pytest.mark.parametrize(
    ("name", "system", "number"),
    [
        ("CPR-X-eCPR", X_ECPR, "0703921VJ5"),
        ("cc-R-Tek-B-regional-D-eCPR", f"{D_ECPR}.177", "1206550VK9"),
        ("cc-R-Tek-CPR-3-two-eCPR", X_ECPR, "0703921VJ5"),
    ],
)
def test_a_replacement_number_is_asked_for_in_its_own_system(name: str, system: str, number: str) -> None:
    identities = FixedIdentities()

    person = person_of(a_message(name), a_door(range(3, 26), identities))

    assert set(identities.asked) == {(system, number)}
    assert person.birth_date is None


def test_nobody_of_any_programmes_ages_is_looked_up_in_the_vault() -> None:
    identities = FixedIdentities()

    outcome = outcome_of(a_message("cc-14-new"), a_door(range(3, 26), identities))

    assert isinstance(outcome, FhirOutOfScope)
    assert (outcome.reason, outcome.topic, identities.asked) == ("age", "correspondence", [])


def _resent(message: Json) -> Json:
    message.update(id="another", timestamp="2024-08-26T16:00:00+02:00")
    own_provenance(message).update(recorded="2024-08-26T16:00:00+02:00", occurredDateTime="2024-08-26T16:00:00+02:00")
    return message


def test_a_letter_that_is_sent_again_says_the_same() -> None:
    first, again = translation_of(a_message("cc-16-reply-of-reply")), _resent(a_message("cc-16-reply-of-reply"))

    assert translation_of(again).letter_id == first.letter_id
    assert translation_of(again).content_digest == first.content_digest


@pytest.mark.parametrize(
    "change",
    [
        communication(topic={"text": "Something else"}),
        lambda m: the(m, "Communication")["payload"][0].update(contentString="Something else"),
        lambda m: the(m, "Communication")["payload"][2]["contentAttachment"].update(data="AAAA"),
        lambda m: the(m, "Communication")["payload"].pop(),
    ],
)
def test_a_letter_that_is_sent_again_with_another_text_says_something_else(change: Change) -> None:
    message = _resent(a_message("cc-16-reply-of-reply"))
    change(message)

    first = translation_of(a_message("cc-16-reply-of-reply"))
    assert translation_of(message).letter_id == first.letter_id
    assert translation_of(message).content_digest != first.content_digest
