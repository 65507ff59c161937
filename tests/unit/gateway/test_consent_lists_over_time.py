"""Lists of consents sent again and again: what vanishes is withdrawn, and claim codes are shown as long as told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.sent_lists import (
    Sender,
    map_list,
    missing,
    told,
)

pytestmark = pytest.mark.long

CONSENTS = """
event = "consent"
mode = "snapshot"
statement = ["CPR"]
[columns]
CPR = "person.cpr"
Dato = "occurred_at"
Form = "scope"
[constants]
decision = "given"
given_by = "young_person"
purpose = "aftercare"
evidence = "spoken_and_recorded"
recorded_by = "Børn og Unge"
[missing]
status = "withdrawn"
"""


async def test_a_consent_that_vanishes_is_withdrawn_and_its_claim_code_is_shown_until_then(gateway: Gateway) -> None:
    map_list(gateway, CONSENTS)
    sender = Sender(gateway)
    names, row, other = "CPR;Dato;Form", "0105109996;01-01-2026;anonymous", "2511109991;01-01-2026;named"

    first = await sender.send(row, other, names=names, idempotency_key="k-1")
    again = await sender.send(row, other, names=names, idempotency_key="k-1")
    last = await sender.send(other, names=names)

    assert ["claim_code" in entry for entry in first.json()["report"]] == [True, False]
    assert again.content == first.content
    assert missing(last) == {"rows": 1, "told_as_ended": 1}
    assert told(gateway, "consents")[2:] == [("withdrawn", None, None)]


async def test_a_consent_of_a_later_day_was_given_anew_and_the_first_one_stands(gateway: Gateway) -> None:
    map_list(gateway, CONSENTS)
    sender = Sender(gateway)
    for day in ("01-01-2025", "02-01-2026", "01-01-2026"):
        await sender.send(f"0105109996;{day};named", names="CPR;Dato;Form")

    assert told(gateway, "consents") == [("given", None, None), ("given", None, None), ("given", "1", None)]


async def test_claim_codes_are_shown_even_where_a_file_of_failed_rows_was_asked_for(gateway: Gateway) -> None:
    map_list(gateway, CONSENTS)

    answer = await Sender(gateway).send(
        "0105109996;01-01-2026;anonymous", "x;;", names="CPR;Dato;Form", accept="text/csv"
    )

    assert "claim_code" in answer.json()["report"][0]


async def test_the_rows_that_failed_are_had_beside_claim_codes_by_who_keeps_those(gateway: Gateway) -> None:
    map_list(gateway, CONSENTS)
    rows, sending = ("0105109996;01-01-2026;anonymous", "x;;"), {"names": "CPR;Dato;Form", "idempotency_key": "k-1"}
    await Sender(gateway).send(*rows, **sending)

    failed = await Sender(gateway).send(*rows, **sending, accept="text/csv", query="?claim_codes=kept")

    assert failed.headers["content-type"].startswith("text/csv")
    assert failed.text.splitlines()[1].startswith("x;;;")


async def test_a_list_of_consents_that_comes_again_shows_its_codes_again_for_a_day(gateway: Gateway) -> None:
    map_list(gateway, CONSENTS)
    sender = Sender(gateway)
    row, names = "0105109996;01-01-2026;anonymous", "CPR;Dato;Form"

    first = await sender.send(row, names=names)
    again = await sender.send(row, names=names)
    gateway.clock.now += timedelta(days=1)
    late = await sender.send(row, names=names)

    codes = [answer.json()["report"][0].get("claim_code") for answer in (first, again, late)]
    assert codes == [codes[0], codes[0], None]
    assert codes[0] is not None
