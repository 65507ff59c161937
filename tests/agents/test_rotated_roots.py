"""A new root of pseudonyms: handovers that have begun keep their names, and a replay finds the same bytes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.outputs import HandoverEvent
from schemas.topics import kafka_name
from tests.agents.entries import Entry, a_tick, discharged
from tests.agents.intake import ROOTS, Fold, a_log, a_version
from tests.domain.catalogues import a_catalogue
from tests.domain.story import MONDAY, a_step

BOTH = Pseudonyms((PseudonymRoot("k002", b"s" * 32), *ROOTS))
NOON = MONDAY + timedelta(hours=2)
TOPIC = "handovers.ungevaerftet"


def rotated() -> list[Entry]:
    """Returns a log whose second version brings the next root into force between two discharges."""
    version = msgspec.structs.replace(a_catalogue(2), pseudonym_keys=((1, "k001"), (2, "k002")))
    return [
        *discharged(),
        a_tick(MONDAY + timedelta(minutes=16)),
        (NOON, a_version(version, NOON)),
        (NOON, a_step("stin-2", NOON - timedelta(days=1), "admitted", episode_id="second")),
        (NOON, a_step("slhj-2", NOON, "discharged_home", episode_id="second")),
        a_tick(NOON + timedelta(days=6)),
    ]


def test_a_handover_that_has_begun_keeps_its_pseudonym_and_ids_and_the_next_has_the_next_roots() -> None:
    told = Fold(pseudonyms=BOTH).take(a_log(rotated())).decoded(TOPIC, HandoverEvent)

    names = {(one["youth_id"][:4], one["youth_id"], one["subject"]) for one in told}
    assert sorted(key_id for key_id, _, _ in names) == ["k001", "k002"]
    first = [one["type"] for one in told if one["youth_id"].startswith("k001")]
    assert first == ["offered", "withdrawn"]


def test_a_replay_with_both_roots_finds_what_was_written_while_there_was_one() -> None:
    log = a_log(rotated())
    before = Fold().take(log[:6])
    after = Fold(pseudonyms=BOTH).take(log)

    written, again = before.written[kafka_name(TOPIC)], after.written[kafka_name(TOPIC)]
    assert written == again[: len(written)]
    assert Fold(pseudonyms=BOTH).take(log, 1).written == after.written


def test_a_worker_without_the_root_that_the_catalogue_names_stops_before_it_says_anything_else() -> None:
    fold = Fold().take(a_log(rotated())[:6])

    with pytest.raises(KeyFileError, match=r"the root k002 is missing in pseudonyms\.json"):
        fold.take(a_log(rotated())[6:])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [((), [None] * 4), (((1, "k001"),), ["k001"] * 4), (((2, "k001"), (3, "k002")), ["k001", "k001", "k002", "k002"])],
)
def test_a_version_has_the_root_that_came_into_force_last_before_it(
    keys: tuple[tuple[int, str], ...], expected: list[str | None]
) -> None:
    catalogue = msgspec.structs.replace(a_catalogue(), pseudonym_keys=keys)

    assert [catalogue.pseudonym_key_at(version) for version in (1, 2, 3, 4)] == expected
