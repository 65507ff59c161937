"""Keys are rotated by the command while the gateway runs: nobody becomes another, and nobody waits for a restart."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from tests.unit.gateway.builders import Gateway
from tests.unit.gateway.test_identities_kept import desk_of

KNOWN = {"cpr": "0105109996", "municipality": "0217", "name": "Nancy Ann Testesen"}
LATER = {"cpr": "0105109997", "municipality": "0217", "name": "Bruno Testesen"}
STEPS = [
    ["rotate", "index"],
    ["retire", "index"],
    ["rotate", "identities"],
    ["retire", "identities"],
    ["rotate", "data"],
]


async def told(gateway: Gateway, number: int, person: dict[str, Any], headers: dict[str, str]) -> str:
    """Tells the gateway of a person, and returns the youth id that was published."""
    answer = await gateway.statement("consents", headers, subject=f"consent-{number}", person=person)
    assert answer.status_code == 201, answer.text
    youth_id: str = gateway.published("consents")[-1]["youth_id"]
    return youth_id


def name_of(gateway: Gateway, youth_id: str) -> str | None:
    """Returns the name that the gateway's vault has of a person."""
    details = desk_of(gateway).identities.details_of(youth_id)
    return None if details is None else details.name


async def test_whoever_is_told_of_before_and_after_each_step_is_the_same(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(gateway.settings.data_folder))
    headers = gateway.token()
    before = await told(gateway, 0, KNOWN, headers)
    seen, new = [], set()

    for number, step in enumerate(STEPS, 1):
        ended = CliRunner().invoke(app, ["keys", *step])
        assert ended.exit_code == 0, ended.output
        seen.append(await told(gateway, number, KNOWN | {"phone": f"+45 {number}"}, headers))
        new.add(await told(gateway, 100 + number, LATER, headers))

    assert seen == [before] * len(STEPS)
    assert len(new) == 1
    assert (name_of(gateway, before), name_of(gateway, new.pop())) == ("Nancy Ann Testesen", "Bruno Testesen")
