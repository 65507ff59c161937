"""One word, one thing: what a name means doesn't depend on the folder that it is read in."""

from __future__ import annotations

import pytest

from tests.house.names import given_twice, public_names


def test_no_two_things_have_one_name() -> None:
    assert given_twice(public_names()) == {}


@pytest.mark.parametrize("name", ["Pathway", "give_back", "Moment"])
def test_the_check_sees_a_name_given_again(name: str) -> None:
    assert given_twice([*public_names(), (name, "elsewhere.py")]).keys() == {name}
