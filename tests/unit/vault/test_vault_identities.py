"""Identities in the vault: kept and joined, and of no use to whoever has the file without the keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from connectors.vault.identities import BrokenIdentityError, PersonUpdate
from connectors.vault.keys import WrappingKey
from connectors.vault.tables import IDENTITIES
from tests.unit.vault.builders import (
    AT,
    CPR,
    KEY,
    PERSONAL,
    SYSTEM,
    a_vault,
    allotted,
    details,
    everything_in,
    stated,
    the_identities,
    the_vault,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

A, B = "a" * 32, "b" * 32
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database: str) -> Engine:
    """Returns the engine of a new vault, in which two people are known."""
    return allotted(the_vault(database).engine, A, B)


def row_of(engine: Engine, youth_id: str) -> dict[str, Any]:
    """Returns a person's row."""
    with engine.connect() as connection:
        row = connection.execute(select(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id)).one()
        return dict(row._mapping)


def set_row(engine: Engine, youth_id: str, **values: Any) -> None:
    """Changes a person's row behind the vault's back."""
    with engine.begin() as connection:
        connection.execute(update(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id).values(values))


def test_what_was_kept_is_known_after_a_restart(database: str) -> None:
    first = the_vault(database)
    the_identities(allotted(first.engine, A)).keep([stated(A)])
    first.close()

    identities = the_identities(the_vault(database).engine)

    assert identities.details_of(A) == details()
    assert identities.details_of(B) is None


def test_the_newest_statement_wins_field_by_field_whatever_came_first(engine: Engine) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A, phone=None, address="Nyvej 1", sent_at=AT + HOUR)])
    identities.keep([stated(A), stated(A, name="Older Name", phone=None, sent_at=AT - HOUR)])

    assert identities.details_of(A) == details(address="Nyvej 1")


def test_a_protected_address_is_kept_as_such_until_a_newer_message_says_otherwise(engine: Engine) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A, protected=True)])
    identities.keep([stated(A, protected=False, sent_at=AT - HOUR), stated(A, protected=None, sent_at=AT + HOUR)])
    before = identities.details_of(A)
    identities.keep([stated(A, protected=False, sent_at=AT + 2 * HOUR)])
    after = identities.details_of(A)

    assert before is not None
    assert after is not None
    assert (before.protected, after.protected) == (True, False)


_TEXTS = st.none() | st.sampled_from(["one", "two", "three"])
_STATEMENTS = st.lists(
    st.builds(
        lambda name, phone, protected, hours: stated(
            A, name=name, phone=phone, protected=protected, sent_at=AT + hours * HOUR
        ),
        _TEXTS,
        _TEXTS,
        st.none() | st.booleans(),
        st.integers(-800_000, 3),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(statements=_STATEMENTS, data=st.data())
def test_any_order_and_any_repetition_keeps_the_same(
    tmp_path_factory: pytest.TempPathFactory, statements: list[PersonUpdate], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(statements + statements[:2]))
    one, other = (the_identities(allotted(a_vault(tmp_path_factory.mktemp("vault")).engine, A)) for _ in range(2))

    one.keep(statements)
    for statement in shuffled:
        other.keep([statement])

    assert one.details_of(A) == other.details_of(A)


def test_a_repeat_writes_nothing(engine: Engine) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A)])
    before = row_of(engine, A)

    identities.keep([stated(A)])

    assert row_of(engine, A) == before


def test_what_many_threads_say_at_once_is_joined(engine: Engine) -> None:
    identities = the_identities(engine)
    parts = [{"name": None}, {"address": None}, {"phone": None}] * 8

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda part: identities.keep([stated(A, **part)]), parts))

    assert identities.details_of(A) == details()


def test_a_stolen_file_without_the_keys_yields_nothing(tmp_path: Path) -> None:
    vault = a_vault(tmp_path)
    youth_id = vault.youth_id(SYSTEM, CPR)
    the_identities(vault.engine).keep([stated(youth_id)])
    the_identities(vault.engine).keep([stated(youth_id, address="Nyvej 1", sent_at=AT + HOUR)])

    copied = everything_in(tmp_path)

    assert youth_id.encode() in copied
    words = {word for text in (*PERSONAL, "Nyvej 1") for word in (text, *text.split()) if len(word) > 2}
    for word in words:
        for code in ("utf-8", "latin-1", "utf-16-le"):
            assert word.encode(code) not in copied
    assert KEY.key not in copied


def test_the_same_identity_twice_is_not_the_same_bytes(engine: Engine) -> None:
    the_identities(engine).keep([stated(A), stated(B)])

    one, other = row_of(engine, A), row_of(engine, B)

    assert one["sealed"] != other["sealed"]
    assert one["wrapped_key"] != other["wrapped_key"]


@pytest.mark.parametrize("column", ["sealed", "wrapped_key"])
@pytest.mark.parametrize("place", [0, 20, -1])
def test_an_altered_row_is_refused_and_says_nothing_of_it(engine: Engine, column: str, place: int) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A)])
    altered = bytearray(row_of(engine, A)[column])
    altered[place] ^= 1
    set_row(engine, A, **{column: bytes(altered)})

    with pytest.raises(BrokenIdentityError) as error:
        identities.details_of(A)
    with pytest.raises(BrokenIdentityError):
        identities.keep([stated(A, sent_at=AT + HOUR)])

    assert not any(text in str(error.value) for text in (*PERSONAL, A))


@pytest.mark.parametrize("content", [b"", b"short", b"\x00" * 60])
def test_a_row_of_another_form_is_refused(engine: Engine, content: bytes) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A)])
    set_row(engine, A, sealed=content)

    with pytest.raises(BrokenIdentityError):
        identities.details_of(A)


@pytest.mark.parametrize("columns", [("sealed",), ("wrapped_key",), ("sealed", "wrapped_key")])
def test_a_row_in_anothers_place_is_refused(engine: Engine, columns: tuple[str, ...]) -> None:
    identities = the_identities(engine)
    identities.keep([stated(A), stated(B, name="Another Person")])
    theirs = row_of(engine, B)
    set_row(engine, A, **{column: theirs[column] for column in columns})

    with pytest.raises(BrokenIdentityError):
        identities.details_of(A)


def test_another_key_of_the_same_name_opens_nothing(engine: Engine) -> None:
    the_identities(engine).keep([stated(A)])

    with pytest.raises(BrokenIdentityError):
        the_identities(engine, WrappingKey("k001", b"x" * 32)).details_of(A)


def test_a_missing_key_is_named(engine: Engine) -> None:
    the_identities(engine).keep([stated(A)])

    with pytest.raises(BrokenIdentityError, match="k001"):
        the_identities(engine, WrappingKey("k002", b"x" * 32)).details_of(A)


def test_a_new_key_opens_the_old_rows_and_wraps_what_is_written_anew(engine: Engine) -> None:
    the_identities(engine).keep([stated(A), stated(B)])
    new = WrappingKey("k002", b"x" * 32)
    rotated = the_identities(engine, new, KEY)

    rotated.keep([stated(A, phone="+45 1", sent_at=AT + HOUR)])

    assert rotated.details_of(B) == details()
    assert the_identities(engine, new).details_of(A) == details(phone="+45 1")
    assert (row_of(engine, A)["kek_id"], row_of(engine, B)["kek_id"]) == ("k002", "k001")


def test_nothing_of_a_person_shows_in_a_repr() -> None:
    assert not any(text in repr(stated(A)) for text in PERSONAL)
