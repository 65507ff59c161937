"""The chain of disclosures: what was altered, left out, repeated or moved is found, wherever it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import codec
from schemas.codes import Disclosed, NeedKind
from schemas.disclosures import NO_DISCLOSURE, NO_KEY, chained, digest_of_disclosure, first_break
from schemas.identifiers import derived_text
from schemas.outputs import Disclosure

KEY = b"k" * 32
KEYS = (b"n" * 32, KEY)


def a_disclosure(number: int, **changes: Any) -> dict[str, Any]:
    """Returns the raw fields of a disclosure, without its place in the chain."""
    fields: dict[str, Any] = {
        "event_id": derived_text("disclosure", str(number)),
        "source": "brobygger",
        "source_sequence": None,
        "correlation_id": derived_text("need", str(number)),
        "causation_id": None,
        "occurred_at": 1_768_000_000_000 + number,
        "sent_at": 1_768_000_000_000 + number,
        "recorded_at": 1_768_000_000_000 + number,
        "youth_id": f"{number:032x}",
        "subject": derived_text("handover", str(number)),
        "revises": None,
        "cancels": None,
        "receiver": "headspace",
        "disclosed": Disclosed.HANDOVER,
        "purpose": NeedKind.AFTERCARE,
        "consent_id": "consent-3",
        "grant_id": None,
    }
    return fields | changes


def a_chain(length: int) -> list[dict[str, Any]]:
    """Returns a partition's disclosures as they are read back from the log."""
    head, chain = NO_DISCLOSURE, []
    for position in range(1, length + 1):
        value = codec(Disclosure).encode_raw(chained(a_disclosure(position), position, head, KEY))
        chain.append(codec(Disclosure).decode_raw(value))
        head = chain[-1]["digest"]
    return chain


def test_a_chain_written_and_read_back_holds() -> None:
    assert first_break(a_chain(5), keys=KEYS) is None


def test_a_chain_goes_on_from_a_head_that_was_kept() -> None:
    chain = a_chain(5)

    assert first_break(chain[2:], position=2, head=chain[1]["digest"], keys=KEYS) is None
    assert first_break(chain[2:], keys=KEYS) is not None


def test_what_is_given_stays_as_it_was() -> None:
    fields = a_disclosure(1)

    chained(fields, 1, NO_DISCLOSURE)

    assert fields == a_disclosure(1)


def test_a_field_without_a_value_leaves_the_digest_as_it_is() -> None:
    fields = a_disclosure(1)

    assert digest_of_disclosure(NO_DISCLOSURE, fields) == digest_of_disclosure(NO_DISCLOSURE, fields | {"added": None})


@pytest.mark.parametrize("field", [name for name in Disclosure.model_fields if name != "digest"])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_every_field_of_every_disclosure_is_held(field: str, place: int) -> None:
    chain = a_chain(5)

    chain[place] = chain[place] | {field: 7 if field == "position" else "f" * 64}

    broken = first_break(chain, keys=KEYS)
    assert broken is not None
    assert broken.position == place + 1


def test_an_altered_disclosure_with_a_digest_of_its_own_breaks_the_next() -> None:
    chain = a_chain(3)

    chain[1] = chained(a_disclosure(2, receiver="ungevaerftet"), 2, chain[0]["digest"], KEY)

    broken = first_break(chain, keys=KEYS)
    assert broken is not None
    assert (broken.position, broken.field) == (3, "previous")


@pytest.mark.parametrize("key", [NO_KEY, b"w" * 32])
def test_whoever_lacks_the_key_writes_no_chain_of_their_own(key: bytes) -> None:
    forged = chained(a_disclosure(2, receiver="ungevaerftet"), 2, a_chain(1)[0]["digest"], key)

    broken = first_break([*a_chain(1), forged], keys=KEYS)

    assert broken is not None
    assert (broken.position, broken.field) == (2, "digest")


@given(st.data())
def test_what_is_left_out_repeated_or_moved_is_found(data: st.DataObject) -> None:
    chain = a_chain(6)
    place = data.draw(st.integers(0, 4))
    act = data.draw(st.sampled_from(["leave out", "repeat", "move"]))

    if act == "leave out":
        del chain[place]
    elif act == "repeat":
        chain.insert(place, chain[place])
    else:
        chain.insert(place, chain.pop(place + 1))

    assert first_break(chain, keys=KEYS) is not None
