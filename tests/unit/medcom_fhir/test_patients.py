"""Who the patient is: numbers, birth dates, protection, and the ages that are in scope."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.cpr import CPR, D_ECPR, WITH_SIXTY_ADDED, X_ECPR
from connectors.medcom_fhir.outcomes import FhirOutOfScope
from schemas.codes import Remark
from tests.unit.medcom_fhir.builders import (
    FixedIdentities,
    Json,
    a_door,
    a_message,
    discharge_of,
    outcome_of,
    person_of,
    the,
)


@pytest.mark.parametrize("label", ["Patient", "Bundle"])
def test_security_label_r_protects_the_person(label: str) -> None:
    message = a_message()
    holder = message if label == "Bundle" else the(message, label)
    holder["meta"]["security"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]

    assert person_of(message).protected


@pytest.mark.parametrize(
    ("number", "birth_date"),
    [
        ("2509479989", date(1947, 9, 25)),
        ("0105104000", date(2010, 5, 1)),
        ("0105109000", date(2010, 5, 1)),
        ("0105375999", date(2037, 5, 1)),
        ("0105585999", date(1858, 5, 1)),
        ("0105373999", date(1937, 5, 1)),
        ("0105374000", date(1937, 5, 1)),
        ("2902008000", date(2000, 2, 29)),
    ],
)
def test_the_birth_date_has_the_century_of_digit_seven_and_the_year(number: str, birth_date: date) -> None:
    message = a_message()
    the(message, "Patient")["identifier"][0]["value"] = number

    assert person_of(message, a_door(range(-50, 300))).birth_date == birth_date


@pytest.mark.parametrize(
    ("system", "number", "known_as"),
    [
        (X_ECPR, "0703921VJ5", X_ECPR),
        (D_ECPR, "0703925VJ5", D_ECPR),
        (CPR, "0703921VJ5", X_ECPR),
        (CPR, "6105109996", WITH_SIXTY_ADDED),
        (CPR, "0703920vj5", D_ECPR),
    ],
)
def test_a_replacement_number_is_taken_with_a_remark_and_no_birth_date(system: str, number: str, known_as: str) -> None:
    message, identities = a_message(), FixedIdentities()
    the(message, "Patient")["identifier"][0] = {"system": system, "value": number}
    door = a_door(range(3, 26), identities)

    assert discharge_of(message, door).remarks == (Remark.NONSTANDARD_IDENTIFIER,)
    assert person_of(message, door).birth_date is None
    assert set(identities.asked) == {(known_as, number.upper())}


def _with_born(number: str) -> Json:
    message = a_message()
    the(message, "Patient")["identifier"][0]["value"] = number
    return message


@pytest.mark.parametrize(
    ("number", "in_scope"),
    [
        ("0712094000", True),  # turns 13 on the day of admission, 7 December 2022
        ("0812094000", True),  # turns 13 during the stay
        ("1912094000", False),  # is 12 until the day after the discharge
        ("0712964000", True),  # turns 26 on the day of admission
        ("0812964000", True),  # turns 26 during the stay
    ],
)
def test_a_stay_is_in_scope_whole_if_the_patient_has_one_of_the_ages_in_it(number: str, in_scope: bool) -> None:
    ages = range(13, 26) if not number.startswith("0712964") else range(13, 27)

    outcome = outcome_of(_with_born(number), a_door(ages))

    assert isinstance(outcome, FhirOutOfScope) is not in_scope


def test_nobody_of_any_programmes_ages_is_looked_up_in_the_vault() -> None:
    identities = FixedIdentities()

    outcome = outcome_of(a_message(), a_door(range(3, 26), identities))

    assert isinstance(outcome, FhirOutOfScope)
    assert outcome.reason == "age"
    assert identities.asked == []
