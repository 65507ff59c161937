"""MedCom's table: all 18 codes, their times, and what they revise and cancel."""

from __future__ import annotations

import pytest

from connectors.medcom_fhir.letters import message_id_of
from schemas.codes import Remark, StayClass, StayStatus
from tests.unit.medcom_fhir.builders import Json, a_chain, discharge_of, own_provenance, resources, the

HOSPITAL = "265161000016000"
EPISODE = "bd481c38a92111edafa10242ac120002"
LEAVE = (
    "http://medcomfhir.dk/ig/hospitalnotification/StructureDefinition/medcom-hospitalnotifiation-leave-period-extension"
)
START, LEFT, BACK, END = (f"2022-12-{day}T12:00:00+01:00" for day in ("07", "10", "12", "18"))
EMER = {"class": {"code": "EMER"}}
ON_LEAVE = {"extension": [{"url": LEAVE, "valuePeriod": {"start": LEFT}}], "period": {"start": START}}
RETURNED = {"extension": [{"url": LEAVE, "valuePeriod": {"start": LEFT, "end": BACK}}], "period": {"start": START}}
OPEN: Json = {"period": {"start": START}}
CLOSED: Json = {"period": {"start": START, "end": END}}
STIN, STAA, STOR, SLOR = "admit-inpatient", "admit-emergency", "start-leave-inpatient", "end-leave-inpatient"
SLHJ = "discharge-inpatient-home"

TABLE = [
    ("STAA", (STAA,), "in-progress", None, {**EMER, **OPEN}, START),
    ("RE_STAA", (STAA, f"revise-{STAA}"), "in-progress", None, {**EMER, **OPEN}, START),
    ("AN_STAA", (STAA, f"cancel-{STAA}"), "cancelled", None, {**EMER, **OPEN}, START),
    ("STIN", (STIN,), "in-progress", None, OPEN, START),
    ("STIN", (STAA, STIN), "in-progress", None, OPEN, START),
    ("RE_STIN", (STIN, f"revise-{STIN}"), "in-progress", None, OPEN, START),
    ("AN_STIN", (STIN, f"cancel-{STIN}"), "entered-in-error", None, OPEN, START),
    ("STOR", (STIN, STOR), "onleave", None, ON_LEAVE, LEFT),
    ("RE_STOR", (STIN, STOR, f"revise-{STOR}"), "onleave", None, ON_LEAVE, LEFT),
    ("AN_STOR", (STIN, STOR, f"cancel-{STOR}"), "in-progress", None, OPEN, START),
    ("SLOR", (STIN, STOR, SLOR), "in-progress", None, RETURNED, BACK),
    ("RE_SLOR", (STIN, STOR, SLOR, f"revise-{SLOR}"), "in-progress", None, RETURNED, BACK),
    ("AN_SLOR", (STIN, STOR, SLOR, f"cancel-{SLOR}"), "onleave", None, ON_LEAVE, LEFT),
    ("SLHJ", (STIN, SLHJ), "finished", None, CLOSED, END),
    ("SLHJ", (STAA, "discharge-emergency-home"), "finished", None, {**EMER, **CLOSED}, END),
    ("RE_SLHJ", (STIN, SLHJ, f"revise-{SLHJ}"), "finished", None, CLOSED, END),
    ("AN_SLHJ", (STIN, SLHJ, f"cancel-{SLHJ}"), "in-progress", None, OPEN, START),
    ("MORS", (STIN, STIN), "finished", True, CLOSED, END),
    ("MORS", (STIN, STOR, STOR), "finished", True, CLOSED, END),
    ("MORS", (STIN, f"revise-{STIN}", f"revise-{STIN}"), "finished", True, CLOSED, END),
    ("RE_MORS", (STIN, STIN, STIN), "finished", True, CLOSED, END),
    ("RE_MORS", (STIN, STIN), "finished", True, {"period": {"start": END, "end": END}}, END),
    ("AN_MORS", (STIN, STIN, STIN), "in-progress", False, OPEN, START),
    ("AN_MORS", (STIN, STOR, STOR, STOR), "onleave", False, ON_LEAVE, START),
]


@pytest.mark.parametrize(("code", "activities", "status", "deceased", "encounter", "occurred"), TABLE)
def test_the_code_follows_from_class_status_activity_and_deceased(
    code: str,
    activities: tuple[str, ...],
    status: str,
    deceased: bool | None,
    encounter: Json,
    occurred: str,
) -> None:
    message = a_chain(*activities, status=status, deceased=deceased, **encounter)

    event = discharge_of(message)

    named = message_id_of(HOSPITAL, f"letter-{len(activities) - 2}", EPISODE) if len(activities) > 1 else None
    assert event.notification == code
    assert event.remarks == ()
    assert event.occurred_at.isoformat() == occurred.replace("12:00:00+01:00", "11:00:00+00:00")
    assert event.revises == (named if code.startswith("RE_") else None)
    assert event.cancels == (named if code.startswith("AN_") else None)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AN_SLHJ", StayStatus.DISCHARGED_HOME),
        ("AN_STIN", StayStatus.ADMITTED),
        ("AN_MORS", StayStatus.DECEASED),
        ("AN_STOR", StayStatus.ON_LEAVE),
        ("AN_SLOR", StayStatus.BACK),
    ],
)
def test_a_cancellation_says_what_the_cancelled_step_said(code: str, status: StayStatus) -> None:
    _, activities, held, deceased, encounter, _ = next(row for row in TABLE if row[0] == code)

    event = discharge_of(a_chain(*activities, status=held, deceased=deceased, **encounter))

    assert event.status is status


@pytest.mark.parametrize("status", ["in-progress", "onleave", "cancelled"])
def test_a_status_that_contradicts_the_activity_is_taken_by_the_activity_with_a_remark(status: str) -> None:
    event = discharge_of(a_chain(STIN, SLHJ, status=status, **CLOSED))

    assert (event.notification, event.remarks) == ("SLHJ", (Remark.INCONSISTENT_STATUS,))


def test_a_death_on_arrival_that_is_still_in_progress_is_a_death_with_a_remark() -> None:
    event = discharge_of(a_chain(STIN, status="in-progress", deceased=True, period={"start": END, "end": END}))

    assert (event.notification, event.remarks) == ("MORS", (Remark.INCONSISTENT_STATUS,))


def test_a_transfer_that_repeats_the_admission_from_another_hospital_is_no_death() -> None:
    message = a_chain(STIN, STIN, STIN, status="finished", deceased=True, **CLOSED)
    other = {
        "resourceType": "Organization",
        "id": "other",
        "identifier": [{"system": "urn:oid:1.2.208.176.1.1", "value": "502701000016000"}],
    }
    message["entry"].append({"fullUrl": "Organization/other", "resource": other})
    the(message, "Provenance")["agent"] = [{"who": {"reference": "Organization/other"}}]

    event = discharge_of(message)

    assert event.notification == "MORS"
    assert event.revises is None


def test_the_sender_of_an_earlier_letter_is_the_agent_of_its_own_provenance() -> None:
    message = a_chain(STIN, f"revise-{STIN}", status="in-progress", **OPEN)
    other = {
        "resourceType": "Organization",
        "id": "other",
        "identifier": [{"system": "urn:oid:1.2.208.176.1.1", "value": "502701000016000"}],
    }
    message["entry"].append({"fullUrl": "Organization/other", "resource": other})
    the(message, "Provenance")["agent"] = [{"who": {"reference": "Organization/other"}}]

    event = discharge_of(message)

    assert event.revises == message_id_of("502701000016000", "letter-0", EPISODE)


def test_a_first_letter_whose_agent_is_left_out_is_from_whoever_made_the_episode() -> None:
    message = a_chain(STIN, f"revise-{STIN}", status="in-progress", **OPEN)
    the(message, "Provenance")["agent"] = [{"who": {"reference": "Organization/elsewhere"}}]
    the(message, "Encounter")["episodeOfCare"][0]["identifier"]["system"] = (
        "https://sor2.sum.dsdn.dk/#id=441211000016000"
    )

    event = discharge_of(message)

    assert event.revises == message_id_of("441211000016000", "letter-0", EPISODE)


def test_the_class_of_a_stay_is_its_activitys_and_a_contradiction_is_remarked() -> None:
    event = discharge_of(a_chain(STIN, status="in-progress", **{**EMER, **OPEN}))

    assert (event.notification, event.stay_class) == ("STIN", StayClass.INPATIENT)
    assert event.remarks == (Remark.INCONSISTENT_STATUS,)


def _with_the_own_role(message: Json, role: str) -> Json:
    for entity in own_provenance(message).get("entity", ()):
        entity["role"] = role
    return message


@pytest.mark.parametrize(
    ("code", "activities", "status", "encounter"),
    [(row[0], row[1], row[2], row[4]) for row in TABLE if row[3] is None],
)
def test_a_patient_who_lives_by_default_changes_nothing(
    code: str, activities: tuple[str, ...], status: str, encounter: Json
) -> None:
    message = a_chain(*activities, status=status, deceased=False, **encounter)
    role = "removal" if activities[-1].startswith("cancel-") else "revision"

    event = discharge_of(_with_the_own_role(message, role))

    assert event == discharge_of(a_chain(*activities, status=status, **encounter)).model_copy(
        update={"said_alive": True}
    )
    assert event.notification == code


def test_a_first_letter_takes_no_death_back() -> None:
    event = discharge_of(a_chain(STIN, status="in-progress", deceased=False, **OPEN))

    assert (event.notification, event.cancels, event.remarks) == ("STIN", None, ())


@pytest.mark.parametrize("role", ["removal", "revision"])
def test_a_death_that_the_chain_shows_is_taken_back(role: str) -> None:
    message = a_chain(STIN, STIN, STIN, status="in-progress", deceased=False, **OPEN)

    event = discharge_of(_with_the_own_role(message, role))

    assert (event.notification, event.status) == ("AN_MORS", StayStatus.DECEASED)
    assert event.cancels == message_id_of(HOSPITAL, "letter-1", EPISODE)


def test_a_death_that_the_chain_does_not_retell_is_taken_back_by_a_removal() -> None:
    message = a_chain(STIN, STIN, STIN, status="in-progress", deceased=False, **OPEN)
    own = own_provenance(message)
    message["entry"] = [
        entry
        for entry in message["entry"]
        if entry["resource"]["resourceType"] != "Provenance" or entry["resource"] is own
    ]

    assert discharge_of(message).notification == "AN_MORS"


def test_a_cancellation_of_a_death_that_followed_a_cancellation_is_one() -> None:
    cancelled = f"cancel-{SLHJ}"
    message = a_chain(STIN, SLHJ, cancelled, cancelled, cancelled, status="in-progress", deceased=False, **OPEN)

    assert discharge_of(message).notification == "AN_MORS"


@pytest.mark.parametrize("deceased", [True, False, None])
def test_what_is_said_of_a_death_is_kept_for_the_fold(deceased: bool | None) -> None:
    message = a_chain(STIN, SLHJ, status="finished", **CLOSED)
    if deceased is not None:
        the(message, "Patient")["deceasedBoolean"] = deceased

    assert discharge_of(message).said_alive is (deceased is False)


@pytest.mark.parametrize("unknown", [0, 1])
def test_a_second_transfer_of_somebody_who_lives_by_default_is_an_admission(unknown: int) -> None:
    message = a_chain(STIN, STIN, STIN, status="in-progress", deceased=False, **OPEN)
    retold = next(one for one in resources(message, "Provenance") if one["id"] == f"provenance-{unknown}")
    retold["agent"] = [{"who": {"reference": "Organization/not-in-the-bundle"}}]

    event = discharge_of(_with_the_own_role(message, "revision"))

    assert (event.notification, event.cancels, event.said_alive) == ("STIN", None, True)
