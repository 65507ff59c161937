"""Whoever has the vault's database, and all its keys but the key-encryption keys, learns of nobody who they are."""

from __future__ import annotations

import base64
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from connectors.vault.claims import Claim, ClaimCodes
from connectors.vault.envelopes import BrokenIdentityError
from connectors.vault.identities import PersonStore
from connectors.vault.key_files import KeyFileError
from connectors.vault.keys import IndexKey, WrappingKey, index_keys, wrapping_keys
from connectors.vault.keys_in_force import KeyPurpose
from connectors.vault.number_links import NumberLink, NumberLinks
from connectors.vault.reworking import Reworking
from connectors.vault.store import open_vault
from connectors.vault.tables import IDENTITIES, TABLES, VaultUnavailableError, open_vault_tables
from connectors.vault.urls import sqlite_url
from tests.postgresql import Cluster
from tests.unit.vault.builders import AT, SYSTEM, stated
from tests.unit.vault.instances import Instance, an_instance

NUMBERS = [f"260899{number:04}" for number in range(9000, 9006)]
OLDER = AT - timedelta(days=1)


def told_of(number: str) -> dict[str, str]:
    """Returns what the vault is told of a made-up person: texts that stand nowhere else."""
    return {"name": f"Sørine Hemmelig-{number[-4:]}", "address": f"Skjultvej {number[-4:]}", "phone": f"+45 70{number}"}


def a_life(instance: Instance) -> list[str]:
    """Fills a vault by everything that it does; returns all that is planted in it."""
    planted = list(NUMBERS)
    youth_ids = [instance.vault.youth_id(SYSTEM, number) for number in NUMBERS]
    for number, youth_id in zip(NUMBERS, youth_ids, strict=True):
        former = told_of(number) | {"address": f"Gammelgade {number[-4:]}"}
        instance.identities.keep([stated(youth_id, number=number, **former, sent_at=OLDER)])
        instance.identities.keep([stated(youth_id, number=number, **told_of(number), protected=True)])
        planted += [*told_of(number).values(), former["address"]]
    NumberLinks(instance.vault.engine).record([NumberLink(youth_ids[0], youth_ids[1], linked=True, occurred_at=AT)])
    planted += [ClaimCodes(instance.vault.engine, b"c" * 32).make(youth_ids[0], AT)]
    for kind in KeyPurpose:
        instance.rotate(kind)
        instance.rotation.retire(kind)
    return planted


def spellings_of(text: str) -> Iterator[bytes]:
    """Returns what a text could look like in a file: encoded, with or without separators, in hexadecimal or base64."""
    for one in {text, text.upper(), text.replace("-", ""), text.replace(" ", "")}:
        for encoding in ("utf-8", "latin-1", "utf-16-le"):
            plain = one.encode(encoding)
            yield from (plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")[:-1])


def traces_in(stolen: bytes, planted: list[str]) -> list[str]:
    """Returns those of the planted texts that can be found."""
    return [text for text in planted if any(spelling in stolen for spelling in spellings_of(text))]


@pytest.fixture
def instance(database: str, tmp_path: Path) -> Instance:
    """Returns a new vault whose keys lie apart from it."""
    return an_instance(database, tmp_path / "apart" / "keys")


@pytest.fixture
def steal(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], bytes]:
    """Returns what takes all that lies on the disk: the SQLite file with its log; a cluster's files and a dump."""

    def sqlite() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

    def postgresql() -> bytes:
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.files() + cluster.dump()

    return sqlite if database.startswith("sqlite") else postgresql


def test_nothing_that_was_told_can_be_found_in_what_lies_on_the_disk(
    instance: Instance, steal: Callable[[], bytes]
) -> None:
    planted = a_life(instance)

    stolen = steal()

    # That what is looked for would be found: a table's name, and a youth id, which stands for nobody.
    assert traces_in(stolen, ["youth_index", instance.vault.youth_id(SYSTEM, NUMBERS[0])]) != []
    assert traces_in(stolen, planted) == []


def test_no_key_lies_with_what_it_opens(instance: Instance, steal: Callable[[], bytes]) -> None:
    a_life(instance)
    keys = [index_keys(instance.keys)[0].key, wrapping_keys(instance.keys)[0].key]

    stolen = steal()

    assert [key for key in keys if key in stolen or key.hex().encode() in stolen] == []


def opened_by_a_thief(engine: Engine) -> list[str]:
    """Tries everything that the code offers on identities with keys of a thief's own; returns what it yields."""
    key_ids = ["k001", "k002", "k003"]
    thief = tuple(WrappingKey(key_id, secrets.token_bytes(32)) for key_id in key_ids)
    identities, yielded = PersonStore(engine, lambda: thief), list[str]()
    with engine.connect() as connection:
        youth_ids = connection.scalars(select(IDENTITIES.c.youth_id)).all()
    for youth_id in youth_ids:
        with pytest.raises(BrokenIdentityError):
            yielded.append(str(identities.details_of(youth_id)))
        with pytest.raises(VaultUnavailableError):
            identities.keep([stated(youth_id, number=NUMBERS[0], name="A thief")])
    for kind in (KeyPurpose.IDENTITIES, KeyPurpose.DATA):
        other = Reworking(engine, lambda: (IndexKey("k002", b"x" * 32),), lambda: thief, rest=lambda _: None)
        assert list(other.run(kind))[-1].seen == list(other.run(kind))[-1].left
    return yielded


def test_all_other_keys_open_no_identity(instance: Instance, tmp_path: Path) -> None:
    planted = a_life(instance)
    stolen_keys = shutil.copytree(instance.keys, tmp_path / "stolen-keys")
    (stolen_keys / "identities.json").unlink()
    engine = open_vault_tables(instance.url)

    yielded = opened_by_a_thief(engine)
    codes = [ClaimCodes(engine, secrets.token_bytes(32)).claim(planted[-1], "thief", AT)]

    assert yielded == []
    assert [one for one in codes if isinstance(one, Claim)] == []
    with pytest.raises(KeyFileError):
        wrapping_keys(stolen_keys)
    with engine.connect() as connection:
        rows = [str(tuple(row)) for table in TABLES.sorted_tables for row in connection.execute(select(table))]
    assert traces_in("\n".join(rows).encode(), planted) == []


def test_without_the_index_key_nobody_is_looked_up(instance: Instance) -> None:
    a_life(instance)
    thief = open_vault(instance.url, lambda: (IndexKey("k002", secrets.token_bytes(32)),))

    assert [thief.known_youth_id(SYSTEM, number) for number in NUMBERS] == [None] * len(NUMBERS)


def test_a_copy_of_the_file_elsewhere_yields_no_more(tmp_path: Path) -> None:
    instance = an_instance(sqlite_url(tmp_path / "vault.sqlite"), tmp_path / "apart" / "keys")
    planted = a_life(instance)
    instance.vault.close()
    copied = shutil.copy(tmp_path / "vault.sqlite", tmp_path / "elsewhere.sqlite")

    assert traces_in(Path(copied).read_bytes(), planted) == []
    assert opened_by_a_thief(open_vault_tables(sqlite_url(Path(copied)))) == []
