"""Pseudonyms: deterministic, pairwise, one spelling each."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.events import PseudonymousId

ROOTS = (PseudonymRoot("k001", b"r" * 32),)
YOUTH_ID = "00112233445566778899aabbccddeeff"
HANDOVER, OTHER = "6f0b61a7-3d6a-5a0e-9c3b-7d7c1c6f9d55", "1567b423-75ff-58e5-8bd2-8794bf33e9f9"
youth_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
programmes = st.text(min_size=1, max_size=40)


@given(programmes, youth_ids)
def test_inverting_gives_the_youth_id_back(programme: str, youth_id: str) -> None:
    pseudonyms = Pseudonyms(ROOTS)
    pseudonym = pseudonyms.pseudonym_of(programme, youth_id)

    assert pseudonyms.youth_of(programme, pseudonym) == youth_id
    TypeAdapter(PseudonymousId).validate_python(pseudonym)


@given(st.text(max_size=60))
def test_any_other_text_is_nobody(text: str) -> None:
    assert Pseudonyms(ROOTS).youth_of("headspace", text) is None


def test_the_same_roots_give_the_same_text_in_every_process() -> None:
    assert Pseudonyms(ROOTS).pseudonym_of("headspace", YOUTH_ID) == ("k001fA2QaHYGXSsa-5tiBj8jqpJkRp9WtU5eqpWUbxzpkKU")


def test_two_programmes_know_one_youth_by_two_names() -> None:
    pseudonyms = Pseudonyms(ROOTS)
    one, other = (pseudonyms.pseudonym_of(programme, YOUTH_ID) for programme in ("headspace", "stime"))

    assert one != other
    assert pseudonyms.youth_of("stime", one) is None


def test_a_handover_may_have_a_pseudonym_of_its_own_that_leads_to_the_young_person_too() -> None:
    pseudonyms = Pseudonyms(ROOTS)
    named, one, other = (pseudonyms.pseudonym_of("headspace", YOUTH_ID, only) for only in (None, HANDOVER, OTHER))

    assert [pseudonyms.youth_of("headspace", name) for name in (named, one, other)] == [YOUTH_ID] * 3
    assert (len({named, one, other}), len({named[4:16], one[4:16], other[4:16]})) == (3, 3)
    assert pseudonyms.youth_of("stime", one) is None
    TypeAdapter(PseudonymousId).validate_python(one)


def test_what_is_said_under_a_pseudonym_is_read_under_it_by_whoever_has_the_root() -> None:
    made = Pseudonyms(ROOTS).alias_of("headspace", YOUTH_ID, HANDOVER)
    found = Pseudonyms((PseudonymRoot("k002", b"s" * 32), *ROOTS)).alias_under("headspace", made.pseudonym)

    assert found == made
    assert found is not None
    assert found.ids.internal(made.ids.shown(HANDOVER)) == HANDOVER
    assert Pseudonyms(ROOTS).alias_under("stime", made.pseudonym) is None


def test_a_root_that_is_not_there_makes_nothing_and_says_what_to_copy() -> None:
    with pytest.raises(KeyFileError, match=r"the root k009 is missing in pseudonyms\.json; copy it"):
        Pseudonyms(ROOTS).alias_of("headspace", YOUTH_ID, key_id="k009")


@pytest.mark.parametrize("only", [None, "6f0b61a7-3d6a-5a0e-9c3b-7d7c1c6f9d55"])
def test_a_changed_character_is_nobody(only: str | None) -> None:
    pseudonyms = Pseudonyms(ROOTS)
    pseudonym = pseudonyms.pseudonym_of("headspace", YOUTH_ID, only)

    for position in range(len(pseudonym)):
        other = "B" if pseudonym[position] != "B" else "C"
        changed = pseudonym[:position] + other + pseudonym[position + 1 :]
        assert pseudonyms.youth_of("headspace", changed) is None


def test_a_second_spelling_of_the_same_bytes_is_nobody() -> None:
    pseudonyms = Pseudonyms(ROOTS)
    pseudonym = pseudonyms.pseudonym_of("headspace", YOUTH_ID)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    neighbour = pseudonym[:-1] + alphabet[alphabet.index(pseudonym[-1]) | 1]

    assert base64.urlsafe_b64decode(neighbour[4:] + "=") == base64.urlsafe_b64decode(pseudonym[4:] + "=")
    assert neighbour != pseudonym
    assert pseudonyms.youth_of("headspace", neighbour) is None


def test_an_older_root_is_understood_and_the_first_is_used() -> None:
    old = Pseudonyms(ROOTS).pseudonym_of("headspace", YOUTH_ID)
    rotated = Pseudonyms((PseudonymRoot("k002", b"s" * 32), *ROOTS))

    assert rotated.youth_of("headspace", old) == YOUTH_ID
    assert rotated.pseudonym_of("headspace", YOUTH_ID).startswith("k002")


@pytest.mark.parametrize("youth_id", ["", "y", YOUTH_ID.upper(), YOUTH_ID + "\n", YOUTH_ID + "00"])
def test_what_is_no_youth_id_gets_no_pseudonym(youth_id: str) -> None:
    with pytest.raises(ValueError, match="32 lower-case"):
        Pseudonyms(ROOTS).pseudonym_of("headspace", youth_id)
