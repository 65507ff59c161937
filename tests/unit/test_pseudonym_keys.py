"""Which roots of pseudonyms a catalogue version names, by the key file of the machine that applies it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.vault.keys import PSEUDONYMS, create_keys
from schemas.programmes import Catalogue
from streams.provision import pseudonym_keys_of
from tests.domain.catalogues import a_catalogue


def naming(*keys: tuple[int, str]) -> Catalogue:
    return Catalogue(1, {}, frozenset(), {}, {}, pseudonym_keys=keys)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Returns a folder of keys whose file of roots was never changed."""
    create_keys(tmp_path)
    return tmp_path


def with_next_root(folder: Path) -> Path:
    """Puts another root before the first one, as an operator does."""
    path = folder / PSEUDONYMS
    path.write_text(json.dumps([{"key_id": "k002", "root": "5" * 64}, *json.loads(path.read_text())]))
    return folder


def test_the_first_version_names_the_one_root_there_is(keys: Path) -> None:
    assert pseudonym_keys_of(keys, None, 1) == ((1, "k001"),)


def test_a_version_after_the_next_root_was_put_first_names_it_from_there_on(keys: Path) -> None:
    logged = naming((1, "k001"))

    assert pseudonym_keys_of(keys, logged, 2) == ((1, "k001"),)
    assert pseudonym_keys_of(with_next_root(keys), logged, 7) == ((1, "k001"), (7, "k002"))


def test_where_no_version_named_a_root_yet_what_was_said_before_stays_the_oldest_roots(keys: Path) -> None:
    assert pseudonym_keys_of(with_next_root(keys), a_catalogue(6), 7) == ((1, "k001"), (7, "k002"))


def test_a_machine_without_the_key_file_leaves_it_as_it_is(tmp_path: Path) -> None:
    assert pseudonym_keys_of(tmp_path, None, 1) == ()
    assert pseudonym_keys_of(tmp_path, naming((1, "k001")), 2) == ((1, "k001"),)
