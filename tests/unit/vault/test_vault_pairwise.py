"""Ids and times of one pseudonym: a bijection for every text, in order, and nobody else's."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from connectors.vault.keys import PseudonymRoot
from connectors.vault.pairwise import EARLIER_MAX_MS, PairwiseIds
from connectors.vault.pseudonyms import Pseudonyms
from schemas.identifiers import derived_id, derived_text

PSEUDONYMS = Pseudonyms((PseudonymRoot("k001", b"r" * 32),))
YOUTH_ID = "00112233445566778899aabbccddeeff"
ids = st.uuids().map(str) | st.text(max_size=12).map(lambda name: derived_text("handover", name))
times = st.integers(-(2**42), 2**42)


def ids_of(programme: str, only: str | None = None) -> PairwiseIds:
    return PSEUDONYMS.alias_of(programme, YOUTH_ID, only).ids


@given(ids)
def test_an_id_is_read_back_as_it_was_shown_and_is_another_for_each_pseudonym(internal: str) -> None:
    own = [ids_of("headspace"), ids_of("stime"), ids_of("headspace", str(derived_id("handover", "a")))]
    shown = [one.shown(internal) for one in own]

    assert [one.internal(text) for one, text in zip(own, shown, strict=True)] == [internal] * 3
    assert len({internal, *shown}) == 4
    assert {UUID(one).version == 5 for one in shown} == {UUID(internal).version == 5}


@given(st.text(max_size=40) | st.uuids().map(lambda one: str(one).upper()).filter(lambda text: text != text.lower()))
def test_a_word_stays_what_it_is(text: str) -> None:
    assert (ids_of("headspace").shown(text), ids_of("headspace").internal(text)) == (text, text)


def test_every_process_shows_the_same_id_and_time() -> None:
    shown = ids_of("headspace").shown("1567b423-75ff-58e5-8bd2-8794bf33e9f9")

    assert (shown, ids_of("headspace").earlier(1_770_023_700_000)) == (SHOWN, EARLIER)


SHOWN, EARLIER = "0be5b70e-d5bd-5c82-b12d-0a553ac9b4fb", 1_770_023_661_592


@given(times)
def test_a_time_is_shown_thirty_to_ninety_seconds_early(time_ms: int) -> None:
    early = time_ms - ids_of("headspace").earlier(time_ms)

    assert 30_000 < early <= EARLIER_MAX_MS == 90_000


@given(times)
def test_a_time_is_read_back_to_a_millisecond(time_ms: int) -> None:
    own = ids_of("headspace")

    assert time_ms - own.later(own.earlier(time_ms)) in {0, 1}


@given(st.lists(times, min_size=2, max_size=20), st.integers(0, 200_000))
def test_times_keep_their_order(moments: list[int], apart: int) -> None:
    near = [moments[0] + apart * number for number in range(20)]
    for some in (moments, near):
        shown = [ids_of("headspace").earlier(one) for one in sorted(some)]
        assert shown == sorted(shown)


def test_who_knows_one_time_exactly_learns_no_other_minutes() -> None:
    own = ids_of("headspace")
    early = [minute * 60_000 - own.earlier(minute * 60_000) for minute in range(200)]

    assert len(set(early)) > 190
    assert len({one - other for one, other in pairwise(early)}) > 190
