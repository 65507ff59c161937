"""Signs in names that nobody sees, and that turn or cut what stands beside them."""

from __future__ import annotations

import pytest

from connectors.person_details import detail_of
from connectors.vault.identities import PersonStore
from tests.unit.gateway.builders import Gateway, a_message, refused
from tests.unit.medcom_fhir.builders import the

UNFIT = ("\x9b31m", "\x85", "\x7f", "\u202e", "\u2066", "\u200f", "\u061c", "\u2028")


@pytest.mark.parametrize("sign", UNFIT)
@pytest.mark.parametrize("field", ["person.name", "person.address", "person.phone", "referred_from", "subject"])
async def test_a_statement_with_such_a_sign_is_refused_by_field(gateway: Gateway, field: str, sign: str) -> None:
    person, _, own = field.rpartition(".")
    said = {"person": {"cpr": "0105109996", own: f"Test{sign}e"}} if person else {field: f"Test{sign}e"}

    answer = await gateway.statement("referrals", gateway.token(), **said)

    assert refused(answer) == (422, "wrong_form", field)


async def test_a_message_is_not_lost_for_one_but_the_vault_has_the_name_without(gateway: Gateway) -> None:
    message = a_message()
    the(message, "Patient")["name"] = [{"given": ["\u202eTes\x9btine"], "family": "Test\u2066esen"}]

    await gateway.message(message, gateway.token())

    [event] = gateway.published("discharges")
    identities: PersonStore = gateway.app.state.desk.identities
    details = identities.details_of(event["youth_id"])
    assert details is not None
    assert details.name == "Testine Testesen"


def test_what_is_such_signs_alone_is_nothing() -> None:
    assert detail_of(" \u202e\x85\u200e ") is None
    assert detail_of("Åse\n\tSørensen") == "Åse Sørensen"
