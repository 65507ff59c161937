"""The young people whom the pages are tried on: each stands at another point of the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams.cli.people import opened_vault
from streams.settings import settings_of_process
from tests.domain.story import a_consent, a_person, a_step, an_id
from tests.integration.command_line import NOW, publish
from tests.unit.vault.builders import allotted

HOSPITAL = "region-hovedstaden"
UNIT = "9991084000016101"
_COVERED, _NOWHERE = "0217", "0360"


def tell_of_all() -> None:
    """Tells of four to be offered to Ungeværftet, one whom nothing fits, and one whose consent is wanted."""
    for name in ("accept", "decline", "waitlist", "stay"):
        _tell_of(name, _COVERED)
    _tell_of("nowhere", _NOWHERE)
    _tell_of("consent", _COVERED, consent=False)


def youth_id_of(name: str) -> str:
    """Returns the id of the young person who was told of under a name."""
    return an_id(f"browser-{name}").hex


def _tell_of(name: str, municipality: str, *, consent: bool = True) -> None:
    own: dict[str, Any] = {"youth_id": youth_id_of(name), "source": HOSPITAL}
    allotted(opened_vault(settings_of_process()).engine, own["youth_id"])
    stay = {"unit": UNIT, "episode_id": f"episode-{name}"}
    publish("persons", a_person(f"person-{name}", **own, municipality=municipality))
    if consent:
        publish("consents", a_consent(f"consent-{name}", NOW - timedelta(days=1), **own))
    publish(
        "discharges",
        a_step(f"stin-{name}", NOW - timedelta(days=12), "admitted", **own, **stay),
        a_step(f"slhj-{name}", NOW - timedelta(hours=1), "discharged_home", **own, **stay),
    )
