"""The heads of the disclosures that are kept elsewhere: by them is found what was cut off, or written anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.vault.keys import PseudonymRoot
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codec import codec
from schemas.disclosures import NO_DISCLOSURE, Head, chained
from schemas.outputs import Disclosure
from streams.log.disclosures import HeadsError, chain_of, heads_in, keep_heads
from tests.unit.schemas.test_disclosures import a_disclosure

OLD = PseudonymRoot("k001", b"o" * 32)
PSEUDONYMS = Pseudonyms([PseudonymRoot("k002", b"n" * 32), OLD])
KEYS = PSEUDONYMS.disclosures_keys


def records(length: int, receiver: str = "headspace", key: bytes = PSEUDONYMS.disclosures_key) -> list[bytes]:
    head, values = NO_DISCLOSURE, []
    for position in range(1, length + 1):
        fields = chained(a_disclosure(position, receiver=receiver), position, head, key)
        head = fields["digest"]
        values.append(codec(Disclosure).encode_raw(fields))
    return values


def test_a_chain_that_goes_on_holds_the_heads_that_were_kept(tmp_path: Path) -> None:
    file = tmp_path / "heads.json"
    assert heads_in(file) == {}
    keep_heads(file, [chain_of(0, records(3), KEYS, Head()), chain_of(7, [], KEYS, Head())])

    kept = heads_in(file)

    assert (kept[0].position, kept[7]) == (3, Head())
    assert chain_of(0, records(5), KEYS, kept[0]).broken is None
    assert chain_of(7, [], KEYS, kept[7]).broken is None


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        (records(2), (3, "position")),
        ([], (1, "position")),
        (records(5, receiver="ungevaerftet"), (3, "digest")),
        ([*records(2), b"no record"], (3, "value")),
    ],
)
def test_what_was_cut_off_or_written_anew_is_found(values: list[bytes], broken: tuple[int, str]) -> None:
    whole = chain_of(0, records(3), KEYS, Head())

    found = chain_of(0, values, KEYS, Head(whole.disclosures, whole.head)).broken

    assert found is not None
    assert (found.position, found.field) == broken


def test_a_new_root_changes_nothing_for_the_chain() -> None:
    assert Pseudonyms([OLD]).disclosures_key == PSEUDONYMS.disclosures_key


def test_what_was_chained_under_any_root_holds_and_under_none_does_not() -> None:
    assert chain_of(0, records(3, key=KEYS[0]), KEYS, Head()).broken is None
    assert chain_of(0, records(3, key=b"x" * 32), KEYS, Head()).broken is not None


@pytest.mark.parametrize("content", [b"", b"{", b'{"0": {"position": "x"}}', b"[]"])
def test_a_file_that_holds_no_heads_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "heads.json"
    file.write_bytes(content)

    with pytest.raises(HeadsError, match="elsewhere"):
        heads_in(file)
