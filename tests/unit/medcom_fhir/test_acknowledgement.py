"""Acknowledgements keep MedCom's rules, name what they answer, and are the same when rebuilt."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.medcom_fhir.acknowledgement import build_acknowledgement, operation_outcome
from connectors.medcom_fhir.acknowledgement_rules import defects_of_acknowledgement
from connectors.medcom_fhir.codes import ERROR_CODES, ErrorCode, ResponseCode
from connectors.medcom_fhir.letters import Addressing
from connectors.medcom_fhir.outcomes import FhirRefused
from connectors.medcom_fhir.resubmission import BUNDLE_ID_REUSED, OUT_OF_OPERATION
from tests.unit.medcom_fhir.builders import (
    NOTIFICATIONS,
    Json,
    a_message,
    organisation,
    outcome_of,
    own_provenance,
    resources,
    the,
    translation_of,
)

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _addressing(name: str = "hn-06-SLHJ-discharge-home") -> Addressing:
    return translation_of(a_message(name)).addressing


def _built(addressing: Addressing, code: ResponseCode = ResponseCode.OK) -> Json:
    refusal = {ResponseCode.FATAL_ERROR: BUNDLE_ID_REUSED, ResponseCode.TRANSIENT_ERROR: OUT_OF_OPERATION}.get(code)
    answer = build_acknowledgement(addressing, code, refusal, AT)
    assert answer is not None
    return answer


@pytest.mark.parametrize("name", ["ack-21-ok", "ack-22-fatal-error"])
def test_the_published_acknowledgements_are_valid(name: str) -> None:
    assert defects_of_acknowledgement(a_message(name)) == ()


@pytest.mark.parametrize("name", NOTIFICATIONS)
@pytest.mark.parametrize("code", list(ResponseCode))
def test_every_answer_to_a_published_message_is_valid(name: str, code: ResponseCode) -> None:
    assert defects_of_acknowledgement(_built(_addressing(name), code)) == ()


def test_it_quotes_the_message_header_id_as_sent() -> None:
    answer = _built(_addressing())

    header = the(answer, "MessageHeader")
    assert header["response"] == {"identifier": "g1affa53-c157-4080-abb0-8e681524f969", "code": "ok"}


def test_sender_and_receiver_are_swapped() -> None:
    answer = _built(_addressing())

    header, ours, theirs = (
        the(answer, "MessageHeader"),
        organisation(answer, "5790001348120"),
        organisation(answer, "5790000209354"),
    )
    assert header["sender"]["reference"] == f"Organization/{ours['id']}"
    assert header["destination"][0]["receiver"]["reference"] == f"Organization/{theirs['id']}"


def test_it_retells_the_messages_latest_provenance_beside_its_own() -> None:
    answer, sent = _built(_addressing()), own_provenance(a_message())

    retold = next(item for item in resources(answer, "Provenance") if item is not own_provenance(answer))
    for element in ("target", "occurredDateTime", "activity", "entity"):
        assert retold[element] == sent[element]
    assert own_provenance(answer)["activity"]["coding"][0]["code"] == "acknowledgement"


def test_a_rebuilt_one_is_identical_and_each_answer_has_ids_of_its_own() -> None:
    addressing = _addressing()

    assert _built(addressing) == _built(addressing)
    ids = {_built(addressing, code)["id"] for code in ResponseCode}
    assert len(ids) == len(ResponseCode)


def test_an_unknown_receiver_is_a_fatal_error_with_medcoms_code() -> None:
    message = a_message()
    organisation(message, "5790001348120")["identifier"][1]["value"] = "123451000016009"
    outcome = outcome_of(message)
    assert isinstance(outcome, FhirRefused)

    answer = build_acknowledgement(outcome.addressing, ResponseCode.FATAL_ERROR, outcome.refusal, AT)

    assert answer is not None
    assert defects_of_acknowledgement(answer) == ()
    coding = the(answer, "OperationOutcome")["issue"][0]["details"]["coding"][0]
    assert coding == {"system": ERROR_CODES, "code": "MSG_Receiver_Identifier_UNKNOWN"}


def test_codes_of_our_own_stand_in_the_text_beside_medcoms_nearest() -> None:
    details = operation_outcome(BUNDLE_ID_REUSED)["issue"][0]["details"]

    assert details["text"].startswith("bundle_id_reused: ")
    assert details["coding"][0]["code"] in set(ErrorCode)


def test_a_message_that_cannot_be_addressed_has_none() -> None:
    assert build_acknowledgement(None, ResponseCode.FATAL_ERROR, BUNDLE_ID_REUSED, AT) is None


@pytest.mark.parametrize(("code", "has_refusal"), [(ResponseCode.OK, True), (ResponseCode.FATAL_ERROR, False)])
def test_an_outcome_stands_if_and_only_if_it_is_not_ok(code: ResponseCode, has_refusal: bool) -> None:
    with pytest.raises(ValueError, match="if and only if"):
        build_acknowledgement(_addressing(), code, BUNDLE_ID_REUSED if has_refusal else None, AT)


def _without_outcome(answer: Json) -> None:
    answer["entry"] = [item for item in answer["entry"] if item["resource"]["resourceType"] != "OperationOutcome"]


@pytest.mark.parametrize(
    "break_it",
    [
        _without_outcome,
        lambda answer: answer["entry"].reverse(),
        lambda answer: answer["entry"].pop(1),
        lambda answer: the(answer, "MessageHeader")["eventCoding"].update(code="hospital-notification-message"),
        lambda answer: the(answer, "MessageHeader")["response"].update(code="fine"),
        lambda answer: the(answer, "MessageHeader")["response"].pop("identifier"),
        lambda answer: the(answer, "Organization")["identifier"].pop(),
        lambda answer: the(answer, "OperationOutcome").pop("issue"),
        lambda answer: answer.pop("timestamp"),
    ],
)
def test_the_rules_find_a_broken_acknowledgement(break_it: object) -> None:
    answer = _built(_addressing(), ResponseCode.FATAL_ERROR)
    break_it(answer)  # type: ignore[operator]

    assert defects_of_acknowledgement(answer) != ()
