"""Youth ids: random, stable, the same in every process, and nothing in clear."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from connectors.vault.store import RunVault, VaultUnavailableError
from connectors.vault.urls import sqlite_url
from tests.unit.vault.builders import the_vault
from tests.unit.vault.instances import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYSTEM = "urn:oid:1.2.208.176.1.2"
CPR = "2512489996"


def _allot(url: str) -> list[str]:
    vault = the_vault(url)
    return [vault.youth_id(SYSTEM, f"{number:010}") for number in range(20)]


def test_the_same_number_gives_the_same_id_and_another_number_another(database: str) -> None:
    vault = the_vault(database)

    youth_id = vault.youth_id(SYSTEM, CPR)

    assert re.fullmatch("[0-9a-f]{32}", youth_id)
    assert vault.youth_id(SYSTEM, CPR) == youth_id
    assert len({youth_id, vault.youth_id(SYSTEM, "2512489997"), vault.youth_id("urn:oid:1", CPR)}) == 3


def test_ids_are_found_again_after_a_restart(database: str) -> None:
    first = the_vault(database)
    youth_id = first.youth_id(SYSTEM, CPR)
    first.close()

    assert the_vault(database).youth_id(SYSTEM, CPR) == youth_id


def test_ids_are_random_and_no_function_of_the_number(new_database: Callable[[], str]) -> None:
    one = the_vault(new_database())
    other = the_vault(new_database())

    assert one.youth_id(SYSTEM, CPR) != other.youth_id(SYSTEM, CPR)


@pytest.mark.long
def test_processes_that_allot_at_once_agree(database: str) -> None:

    with PROCESSES.Pool(4) as pool:
        seen = pool.map(_allot, [database] * 4)

    assert all(ids == seen[0] for ids in seen)
    assert len(set(seen[0])) == 20


def test_threads_that_allot_at_once_agree(database: str) -> None:
    vault = the_vault(database)

    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(lambda _: vault.youth_id(SYSTEM, CPR), range(64)))

    assert len(seen) == 1


def test_the_files_hold_no_number_and_are_their_owners_only(tmp_path: Path) -> None:
    vault = the_vault(sqlite_url(tmp_path / "vault.sqlite"))
    vault.youth_id(SYSTEM, CPR)

    for path in tmp_path.iterdir():
        assert CPR.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_vault_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "vault.sqlite").write_bytes(b"this is no database" * 100)

    with pytest.raises(VaultUnavailableError):
        the_vault(sqlite_url(tmp_path / "vault.sqlite"))


def test_a_run_gives_stable_ids_and_two_runs_different_ones() -> None:
    run = RunVault()

    assert run.youth_id(SYSTEM, CPR) == run.youth_id(SYSTEM, CPR)
    assert re.fullmatch("[0-9a-f]{32}", run.youth_id(SYSTEM, CPR))
    assert run.youth_id(SYSTEM, CPR) != RunVault().youth_id(SYSTEM, CPR)
