"""Which keys are in force: what processes with other keys in hand see of it, and who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, event

from connectors.vault.keys import index_keys
from connectors.vault.keys_in_force import KeyPurpose, UnknownKeyError, generation_in_force
from connectors.vault.rotation import Retired
from connectors.vault.store import SqlVault
from connectors.vault.tables import VaultUnavailableError, in_transaction
from tests.unit.vault.builders import AT, SYSTEM
from tests.unit.vault.instances import NUMBERS, Instance, an_instance, everybody

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.long

ALL_KINDS = pytest.mark.parametrize("kind", list(KeyPurpose))
FILED_KINDS = pytest.mark.parametrize("kind", [KeyPurpose.INDEX, KeyPurpose.IDENTITIES])


def test_a_machine_that_lacks_the_new_key_allots_nothing_and_says_which_it_lacks(
    instance: Instance, people: dict[str, str]
) -> None:
    old = index_keys(instance.keys)
    elsewhere = SqlVault(instance.vault.engine, lambda: old)
    instance.rotate(KeyPurpose.INDEX)

    assert elsewhere.youth_id(SYSTEM, NUMBERS[0]) == people[NUMBERS[0]]
    with pytest.raises(UnknownKeyError, match=r"the key k002 is missing in index\.json"):
        elsewhere.youth_id(SYSTEM, "0202000000")


@FILED_KINDS
def test_a_key_that_was_prepared_is_the_one_that_comes_into_force(instance: Instance, kind: KeyPurpose) -> None:
    prepared = [instance.rotation.prepare(kind), instance.rotation.prepare(kind)]
    states = {use.key_id: use.state for use in instance.rotation.uses() if use.kind is kind}

    started = instance.rotation.start(kind, AT)

    assert prepared == ["k002", "k002"]
    assert states == {"k001": "current", "k002": "prepared"}
    assert started.key_id == "k002"


def test_keys_that_were_changed_by_hand_before_are_former_ones(instance: Instance, people: dict[str, str]) -> None:
    path = instance.keys / "identities.json"
    other = '[{"key_id": "new1", "key": "%s"}, ' % ("ab" * 32)
    path.write_text(path.read_text(encoding="utf-8").replace("[", other, 1), encoding="utf-8")
    by_hand = an_instance(instance.url, instance.keys)
    by_hand.tell("0202000000")

    by_hand.rotate(KeyPurpose.IDENTITIES)
    retired = by_hand.rotation.retire(KeyPurpose.IDENTITIES)

    assert retired == Retired(("new1", "k001"))
    assert everybody(by_hand) == people


def test_a_prepared_or_a_retired_key_costs_a_look_up_nothing(instance: Instance, people: dict[str, str]) -> None:
    written: list[str] = []
    others = an_instance(instance.url, instance.keys)
    instance.rotate(KeyPurpose.INDEX)
    everybody(others)
    others.vault.youth_id(SYSTEM, "0202000000")
    instance.rework(KeyPurpose.INDEX)
    instance.rotation.retire(KeyPurpose.INDEX, forget=True)
    instance.rotation.prepare(KeyPurpose.INDEX)
    late = an_instance(instance.url, instance.keys)
    for process in (others, late):
        everybody(process)
        event.listen(process.vault.engine, "before_cursor_execute", lambda *seen: written.append(seen[2]))

    assert everybody(others) == everybody(late) == people

    assert [one for one in written if not one.startswith("SELECT")] == []


@pytest.mark.parametrize("kind", list(KeyPurpose))
def test_a_change_of_keys_waits_for_whoever_is_writing_under_them(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, kind: KeyPurpose
) -> None:
    monkeypatch.setattr("connectors.vault.database.LOCK_WAIT_MS", 100)
    impatient = an_instance(instance.url, instance.keys)

    def write(connection: Connection) -> None:
        instance.vault._keys.in_force(connection)
        instance.identities._keys.in_force(connection)
        generation_in_force(connection)
        with pytest.raises(VaultUnavailableError):
            impatient.rotation.start(kind, AT)

    in_transaction(instance.vault.engine, write)

    assert not impatient.rotation.start(kind, AT).resumed


def test_data_keys_are_prepared_nowhere(instance: Instance) -> None:
    with pytest.raises(ValueError, match="in no file"):
        instance.rotation.prepare(KeyPurpose.DATA)
