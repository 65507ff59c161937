"""Rotation: nobody is lost or moves, whoever started before goes on, and a former key retires when nothing needs it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, select, update

from connectors.vault.erasure import erase_from_vault
from connectors.vault.keys import index_keys, wrapping_keys
from connectors.vault.keys_in_force import KeyPurpose
from connectors.vault.reworking import Reworking, ReworkProgress
from connectors.vault.rotation import KeyUse, Retired, StillNeeded
from connectors.vault.tables import IDENTITIES, INDEX
from tests.unit.vault.builders import AT, SYSTEM
from tests.unit.vault.instances import NUMBERS, Instance, an_instance, everybody

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.long

ALL_KINDS = pytest.mark.parametrize("kind", list(KeyPurpose))
FILED_KINDS = pytest.mark.parametrize("kind", [KeyPurpose.INDEX, KeyPurpose.IDENTITIES])


def rows_of(engine: Engine, table: Any, column: str) -> dict[str, Any]:
    """Returns a column of each person's row."""
    with engine.connect() as connection:
        return {row.youth_id: row._mapping[column] for row in connection.execute(select(table))}


@ALL_KINDS
def test_everybody_is_found_and_read_before_during_and_after(
    instance: Instance, people: dict[str, str], kind: KeyPurpose
) -> None:
    others = an_instance(instance.url, instance.keys)
    instance.rotation.start(kind, AT)
    reworking = Reworking(
        instance.vault.engine, lambda: index_keys(instance.keys), lambda: wrapping_keys(instance.keys), lambda _: None
    )

    for _ in reworking.run(kind, batch=4):
        assert everybody(others) == everybody(instance) == people

    instance.rotation.retire(kind)
    assert everybody(others) == everybody(instance) == everybody(an_instance(instance.url, instance.keys)) == people


@FILED_KINDS
def test_a_key_retires_when_nothing_needs_it_and_leaves_the_file(
    instance: Instance, people: dict[str, str], kind: KeyPurpose
) -> None:
    assert people
    instance.rotation.start(kind, AT)

    too_early = instance.rotation.retire(kind)
    instance.rework(kind)
    needed = {use.key_id: (use.state, use.needed_by) for use in instance.rotation.uses() if use.kind is kind}
    retired = instance.rotation.retire(kind)

    assert too_early == StillNeeded(10)
    assert needed["k002"] == ("current", 10)
    assert needed["k001"] == ("former", 10 if kind is KeyPurpose.INDEX else 0)
    assert retired == Retired(("k001",))
    assert [use for use in instance.rotation.uses() if use.kind is kind] == [KeyUse(kind, "k002", "current", 10)]


@FILED_KINDS
def test_a_rotation_that_runs_again_goes_on_with_the_same_key_and_ends_by_retiring_alone(
    instance: Instance, people: dict[str, str], kind: KeyPurpose
) -> None:
    assert people
    first = instance.rotation.start(kind, AT)
    again = instance.rotation.start(kind, AT)
    done = [instance.rework(kind)[-1], instance.rework(kind)[-1]]
    after_all = instance.rotation.start(kind, AT)
    retired = [instance.rotation.retire(kind), instance.rotation.retire(kind)]
    following = instance.rotation.start(kind, AT)

    assert [(one.key_id, one.resumed) for one in (first, again, after_all, following)] == [
        ("k002", False),
        ("k002", True),
        ("k002", True),
        ("k003", False),
    ]
    assert done == [ReworkProgress(10, 10), ReworkProgress(0, 0)]
    assert retired == [Retired(("k001",)), Retired(())]


def test_a_rotation_of_data_keys_encrypts_each_identity_anew(instance: Instance, people: dict[str, str]) -> None:
    before = {name: rows_of(instance.vault.engine, IDENTITIES, name) for name in ("sealed", "wrapped_key")}

    started = [instance.rotation.start(KeyPurpose.DATA, AT) for _ in range(2)]
    instance.rework(KeyPurpose.DATA)
    following = instance.rotation.start(KeyPurpose.DATA, AT)

    after = {name: rows_of(instance.vault.engine, IDENTITIES, name) for name in ("sealed", "wrapped_key")}
    assert [(one.key_id, one.resumed) for one in (*started, following)] == [("2", False), ("2", True), ("3", False)]
    assert all(before[name][one] != after[name][one] for name in before for one in people.values())
    assert set(rows_of(instance.vault.engine, IDENTITIES, "generation").values()) == {2}


def test_what_is_written_meanwhile_is_under_the_new_keys(instance: Instance, people: dict[str, str]) -> None:
    others = an_instance(instance.url, instance.keys)
    for kind in KeyPurpose:
        instance.rotation.start(kind, AT)

    youth_id = others.tell("0202000000")

    assert youth_id not in people.values()
    with instance.vault.engine.connect() as connection:
        own = INDEX.c.youth_id == youth_id
        keys = connection.scalars(select(INDEX.c.key_id).where(own).order_by(INDEX.c.key_id)).all()
    assert keys == ["k001", "k002"]
    assert rows_of(instance.vault.engine, IDENTITIES, "kek_id")[youth_id] == "k002"
    assert rows_of(instance.vault.engine, IDENTITIES, "generation")[youth_id] == 2


def test_who_is_erased_meanwhile_stays_erased(instance: Instance, people: dict[str, str]) -> None:
    youth_id = people[NUMBERS[3]]
    instance.rotation.start(KeyPurpose.INDEX, AT)
    reworking = Reworking(
        instance.vault.engine, lambda: index_keys(instance.keys), lambda: wrapping_keys(instance.keys), lambda _: None
    )
    list(islice(reworking.run(KeyPurpose.INDEX, batch=5), 2))

    erased = erase_from_vault(instance.vault.engine, youth_id)
    instance.rework(KeyPurpose.INDEX)

    assert erased.identities == 1
    assert instance.vault.known_youth_id(SYSTEM, NUMBERS[3]) is None
    assert instance.rotation.retire(KeyPurpose.INDEX) == Retired(("k001",))


def test_of_whom_nothing_is_kept_is_indexed_when_next_looked_up(instance: Instance, people: dict[str, str]) -> None:
    unknown = instance.vault.youth_id(SYSTEM, "0202000000")
    instance.rotation.start(KeyPurpose.INDEX, AT)

    first = instance.rework(KeyPurpose.INDEX)[-1]
    too_early = instance.rotation.retire(KeyPurpose.INDEX)
    found = an_instance(instance.url, instance.keys).vault.youth_id(SYSTEM, "0202000000")

    assert first == ReworkProgress(11, 11, left=1)
    assert too_early == StillNeeded(1)
    assert found == unknown
    assert instance.rotation.retire(KeyPurpose.INDEX) == Retired(("k001",))
    assert everybody(instance) == people


def test_of_whom_nothing_is_kept_may_be_forgotten_where_that_is_said(
    instance: Instance, people: dict[str, str]
) -> None:
    unknown = instance.vault.youth_id(SYSTEM, "0202000000")
    instance.rotation.start(KeyPurpose.INDEX, AT)
    needed = instance.rotation.retire(KeyPurpose.INDEX, forget=True)

    instance.rework(KeyPurpose.INDEX)
    retired = instance.rotation.retire(KeyPurpose.INDEX, forget=True)

    assert needed == StillNeeded(10)
    assert retired == Retired(("k001",))
    assert instance.vault.youth_id(SYSTEM, "0202000000") != unknown
    assert everybody(instance) == people


@pytest.mark.parametrize("kind", [KeyPurpose.IDENTITIES, KeyPurpose.DATA])
def test_what_cannot_be_opened_is_left_counted_and_keeps_its_key(
    instance: Instance, people: dict[str, str], kind: KeyPurpose
) -> None:
    broken = people[NUMBERS[0]]
    with instance.vault.engine.begin() as connection:
        altered = {"wrapped_key": b"x" * 60}
        connection.execute(update(IDENTITIES).where(IDENTITIES.c.youth_id == broken).values(altered))
    instance.rotation.start(kind, AT)

    done = instance.rework(kind)[-1]

    assert done == ReworkProgress(10, 10, left=1)
    assert instance.rotation.retire(kind) == StillNeeded(1)
