"""Erasure: a copy of the disk taken afterwards holds nothing of the person, and others lose nothing."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, event, insert, select

from connectors.vault.claims import Claim, ClaimCodes
from connectors.vault.erasure import ErasureCounts, erase_from_vault
from connectors.vault.store import VaultUnavailableError, lookup_of
from connectors.vault.tables import CLAIMS, IDENTITIES, INDEX, ErasedMeanwhileError, hold_known, in_transaction
from tests.unit.vault.builders import (
    AT,
    CPR,
    INDEX_KEY,
    SYSTEM,
    a_vault,
    details,
    everything_in,
    stated,
    the_identities,
    the_vault,
)

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.vault.store import SqlVault

pytestmark = pytest.mark.long

OTHERS = [f"{number:010}" for number in range(60)]


def told(vault: SqlVault, number: str) -> str:
    """Tells a vault of a person, and returns the youth id."""
    youth_id = vault.youth_id(SYSTEM, number)
    the_identities(vault.engine).keep([stated(youth_id, number=number)])
    return youth_id


def traces_of(vault: SqlVault, youth_id: str) -> list[bytes]:
    """Returns everything in the vault's file that is this person's, byte by byte."""
    with vault.engine.connect() as connection:
        row = connection.execute(select(IDENTITIES).where(IDENTITIES.c.youth_id == youth_id)).one()
        codes = [row.code for row in connection.execute(select(CLAIMS).where(CLAIMS.c.youth_id == youth_id))]
    sealed = [row.sealed[start : start + 16] for start in range(0, len(row.sealed) - 16, 16)]
    return [youth_id.encode(), row.wrapped_key, *sealed, lookup_of(INDEX_KEY.key, SYSTEM, CPR), *codes]


def test_a_copy_of_the_disk_taken_afterwards_holds_nothing_of_the_person(tmp_path: Path) -> None:
    vault = a_vault(tmp_path)
    before = [told(vault, number) for number in OTHERS[:30]]
    youth_id = told(vault, CPR)
    code = ClaimCodes(vault.engine, b"c" * 32).make(youth_id, AT)
    after = [told(vault, number) for number in OTHERS[30:]]
    traces = traces_of(vault, youth_id)
    copied = everything_in(tmp_path)
    assert all(trace in copied for trace in traces)

    erased = erase_from_vault(vault.engine, youth_id)

    assert erased == ErasureCounts(identities=1, lookups=1, claim_codes=1)
    copied = everything_in(tmp_path)
    assert [trace for trace in traces if trace in copied] == []
    assert the_identities(vault.engine).details_of(youth_id) is None
    assert vault.known_youth_id(SYSTEM, CPR) is None
    assert not isinstance(ClaimCodes(vault.engine, b"c" * 32).claim(code, "headspace", AT), Claim)
    for number, other in zip(OTHERS, before + after, strict=True):
        assert vault.known_youth_id(SYSTEM, number) == other
        assert the_identities(vault.engine).details_of(other) == details(number=number)


def test_erasing_again_finds_nothing_and_clears_the_file_all_the_same(database: str) -> None:
    vault = the_vault(database)
    youth_id = told(vault, CPR)
    erase_from_vault(vault.engine, youth_id)

    assert erase_from_vault(vault.engine, youth_id) == ErasureCounts(0, 0, 0)


def test_who_was_erased_is_a_new_person_when_told_of_again(database: str) -> None:
    vault = the_vault(database)
    youth_id = told(vault, CPR)
    erase_from_vault(vault.engine, youth_id)

    assert told(vault, CPR) != youth_id


def test_while_another_reads_the_rows_go_and_the_file_is_said_to_be_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.vault.database.LOCK_WAIT_MS", 50)
    vault, reader = a_vault(tmp_path), a_vault(tmp_path)
    youth_id = told(vault, CPR)
    with reader.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.execute(select(IDENTITIES)).all()

        with pytest.raises(VaultUnavailableError, match="run it again"):
            erase_from_vault(vault.engine, youth_id)

    assert vault.known_youth_id(SYSTEM, CPR) is None
    assert erase_from_vault(vault.engine, youth_id) == ErasureCounts(0, 0, 0)
    assert youth_id.encode() not in everything_in(tmp_path)


def test_a_request_that_knew_the_youth_id_before_brings_nothing_back_after(tmp_path: Path) -> None:
    vault = a_vault(tmp_path)
    youth_id = told(vault, CPR)
    erase_from_vault(vault.engine, youth_id)

    with pytest.raises(ErasedMeanwhileError) as caught:
        the_identities(vault.engine).keep([stated(youth_id), stated(vault.youth_id(SYSTEM, OTHERS[0]))])
    with pytest.raises(ErasedMeanwhileError):
        ClaimCodes(vault.engine, b"c" * 32).make(youth_id, AT)

    assert caught.value.youth_ids == {youth_id}
    assert youth_id.encode() not in everything_in(tmp_path)


def test_an_erasure_waits_for_the_request_that_came_before_it_and_takes_what_that_wrote(database: str) -> None:
    vault, other = the_vault(database), the_vault(database)
    youth_id = vault.youth_id(SYSTEM, CPR)
    begun = threading.Event()

    def erase(_: object = None) -> ErasureCounts:
        begun.set()
        return erase_from_vault(other.engine, youth_id)

    with ThreadPoolExecutor(1) as threads:

        def write(connection: Connection) -> Future[ErasureCounts]:
            hold_known(connection, [youth_id])
            erasing = threads.submit(erase)
            begun.wait()
            row = {"youth_id": youth_id, "kek_id": "k001", "wrapped_key": b"w" * 60, "sealed": b"s"}
            connection.execute(insert(IDENTITIES).values(row))
            return erasing

        erased = in_transaction(vault.engine, write).result()

    assert erased == ErasureCounts(identities=1, lookups=1, claim_codes=0)
    assert the_identities(vault.engine).details_of(youth_id) is None


def test_the_look_up_goes_first_so_that_a_database_with_many_writers_waits_for_those_who_hold_it(
    database: str,
) -> None:
    vault = the_vault(database)
    youth_id = told(vault, CPR)
    statements: list[str] = []
    event.listen(vault.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    erase_from_vault(vault.engine, youth_id)

    tables = [one.split()[2] for one in statements if one.startswith("DELETE")]
    assert tables == ["youth_index", "identities", "claims", "number_links"]


def test_requests_and_erasures_at_once_leave_no_identity_that_nobody_can_look_up(database: str) -> None:
    vault = the_vault(database)

    def tell(_: int) -> None:
        with suppress(ErasedMeanwhileError):
            told(vault, CPR)

    def erase(_: int) -> None:
        known = vault.known_youth_id(SYSTEM, CPR)
        if known is not None:
            # Where others read all the while, the rows go and the file is said to be in use.
            with suppress(VaultUnavailableError):
                erase_from_vault(vault.engine, known)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: (erase if number % 3 == 0 else tell)(number), range(90)))

    with vault.engine.connect() as connection:
        kept = set(connection.scalars(select(IDENTITIES.c.youth_id)))
        known = set(connection.scalars(select(INDEX.c.youth_id)))
    assert kept <= known
