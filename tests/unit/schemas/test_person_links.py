"""What a person event may say of two numbers of one person."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codec import codec, raw_of
from schemas.events import Person
from schemas.refusals import RefusedError
from tests.unit.schemas.records import an_old_person

OLD, NEW, THIRD = "a" * 32, "b" * 32, "c" * 32


@pytest.mark.parametrize("said", [{"linked_to": NEW}, {"unlinked_from": NEW}])
def test_a_link_and_its_undoing_name_one_young_person_and_one_other(said: dict[str, Any]) -> None:
    value = codec(Person).encode_raw(raw_of(an_old_person()) | {"youth_id": OLD} | said)

    event = codec(Person).decode(value)

    assert {name: getattr(event, name) for name in said} == said


@pytest.mark.parametrize(
    "said",
    [
        {"youth_id": OLD, "linked_to": OLD},
        {"youth_id": OLD, "unlinked_from": OLD},
        {"youth_id": None, "linked_to": NEW},
        {"youth_id": OLD, "linked_to": NEW, "unlinked_from": THIRD},
    ],
)
def test_a_link_of_one_with_itself_or_nobody_or_two_at_once_is_refused_by_name(said: dict[str, Any]) -> None:
    value = codec(Person).encode_raw(raw_of(an_old_person()) | said)

    with pytest.raises(RefusedError) as caught:
        codec(Person).decode(value)

    assert caught.value.refusal.code == "impossible_link"
