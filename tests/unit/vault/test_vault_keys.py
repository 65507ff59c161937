"""Key files: once, whole, private."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import (
    IndexKey,
    PseudonymRoot,
    WrappingKey,
    add_key,
    create_keys,
    drop_key,
    index_keys,
    pseudonym_roots,
    receipts_key,
    sealing_private_key,
    sealing_public_key,
    wrapping_keys,
)
from tests.unit.vault.instances import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


PRIVATE = ("index.json", "receipts.key", "claims.key", "pseudonyms.json", "identities.json", "sealing.private.key")


def _create_and_read(folder: Path) -> tuple[tuple[IndexKey, ...], bytes, bytes]:
    create_keys(folder)
    return index_keys(folder), receipts_key(folder), sealing_public_key(folder).public_bytes_raw()


def test_creating_again_keeps_the_keys(tmp_path: Path) -> None:
    create_keys(tmp_path)
    first = (index_keys(tmp_path), receipts_key(tmp_path), pseudonym_roots(tmp_path))

    create_keys(tmp_path)

    assert (index_keys(tmp_path), receipts_key(tmp_path), pseudonym_roots(tmp_path)) == first


@pytest.mark.long
def test_processes_that_create_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    with PROCESSES.Pool(4) as pool:
        seen = pool.map(_create_and_read, [tmp_path / "keys"] * 8)

    assert len(set(seen)) == 1


def test_files_are_their_owners_only_and_no_draft_is_left(tmp_path: Path) -> None:
    create_keys(tmp_path)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes.pop("sealing.public.key") == 0o644
    assert modes == dict.fromkeys(PRIVATE, 0o600)


def test_the_public_key_is_readable_without_the_private_one(tmp_path: Path) -> None:
    create_keys(tmp_path)
    expected = sealing_private_key(tmp_path).public_key().public_bytes_raw()
    (tmp_path / "sealing.private.key").unlink()

    assert sealing_public_key(tmp_path).public_bytes_raw() == expected


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (tmp_path / "index.json").chmod(0o640)

    with pytest.raises(KeyFileError, match="chmod 600"):
        index_keys(tmp_path)


@pytest.mark.parametrize("content", [b"", b"zz", b"00" * 31, b"\xff" * 64])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    create_keys(tmp_path)
    (tmp_path / "receipts.key").write_bytes(content)

    with pytest.raises(KeyFileError, match="64 hexadecimal digits"):
        receipts_key(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "[1]", '[{"key_id": "K001", "root": "00"}]'])
def test_damaged_roots_are_refused(tmp_path: Path, content: str) -> None:
    create_keys(tmp_path)
    (tmp_path / "pseudonyms.json").write_text(content, encoding="utf-8")

    with pytest.raises(KeyFileError):
        pseudonym_roots(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "[]", '[{"key_id": "k001", "root": "00"}]', '[{"key_id": "k001", "key": "00"}]']
)
@pytest.mark.parametrize(("name", "read"), [("identities", wrapping_keys), ("index", index_keys)])
def test_damaged_keys_of_several_are_refused(
    tmp_path: Path, content: str, name: str, read: Callable[[Path], object]
) -> None:
    create_keys(tmp_path)
    (tmp_path / f"{name}.json").write_text(content, encoding="utf-8")

    with pytest.raises(KeyFileError):
        read(tmp_path)


def test_an_index_key_from_before_there_could_be_several_goes_on_as_the_first_of_them(tmp_path: Path) -> None:
    former = tmp_path / "index.key"
    former.write_text("ab" * 32 + "\n", encoding="ascii")
    former.chmod(0o600)

    create_keys(tmp_path)

    assert index_keys(tmp_path) == (IndexKey("k001", b"\xab" * 32),)
    assert not former.exists()


def test_a_key_that_is_added_comes_last_and_one_that_is_dropped_leaves_the_others(tmp_path: Path) -> None:
    create_keys(tmp_path)
    [first] = wrapping_keys(tmp_path)

    add_key(tmp_path, "identities", "k002")
    before, second = wrapping_keys(tmp_path)
    drop_key(tmp_path, "identities", "k001")
    drop_key(tmp_path, "identities", "k001")

    assert (before, second.key_id) == (first, "k002")
    assert wrapping_keys(tmp_path) == (second,)
    assert stat.S_IMODE((tmp_path / "identities.json").stat().st_mode) == 0o600


def test_neither_the_last_key_is_dropped_nor_one_added_twice(tmp_path: Path) -> None:
    create_keys(tmp_path)

    with pytest.raises(KeyFileError, match="at least one key"):
        drop_key(tmp_path, "index", "k001")
    with pytest.raises(KeyFileError, match="differ"):
        add_key(tmp_path, "index", "k001")
    assert len(index_keys(tmp_path)) == 1


def test_a_wrapping_key_never_shows_itself() -> None:
    assert "AAAA" not in repr(WrappingKey("k001", b"A" * 32))


def test_a_missing_key_says_which(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"index\.json"):
        index_keys(tmp_path)


def test_a_root_never_shows_itself() -> None:
    assert "41" * 4 not in repr(PseudonymRoot("k001", b"A" * 32))
    assert "AAAA" not in repr(PseudonymRoot("k001", b"A" * 32))
