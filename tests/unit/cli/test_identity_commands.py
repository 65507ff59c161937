"""The commands about identity that need no broker: keys, sealed answers, whom a command is about, and proofs."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from typer.testing import CliRunner, Result

from connectors.vault.release import Binding, seal_identity
from streams.cli.main import app
from streams.cli.people import youth_id_of
from streams.log.erasing import digest_of_proof
from tests.unit.vault.builders import CPR, SYSTEM, a_vault, details

BINDING = Binding("6f1c2f7a-53c0-5e63-8a58-0f9c1a1c6a34", "aftercare", "headspace")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def a_pair(folder: Path) -> tuple[Path, X25519PublicKey]:
    """Makes a key pair by the command, and returns the private key's file and the public key."""
    made = run("identity", "keypair", str(folder / "key"))
    assert made.exit_code == 0, made.output
    public = json.loads(made.stdout.removeprefix("public_key = "))
    return folder / "key", X25519PublicKey.from_public_bytes(bytes.fromhex(public))


def a_sealed_file(folder: Path, key: X25519PublicKey, **changes: Any) -> Path:
    """Writes a sealed identity as a programme saves it."""
    path = folder / "sealed.json"
    path.write_text(json.dumps({"grant_id": "g"} | seal_identity(key, details(), BINDING) | changes), encoding="utf-8")
    return path


def test_what_was_sealed_to_a_pair_opens_with_it(tmp_path: Path) -> None:
    key, public = a_pair(tmp_path)

    opened = run("identity", "open", str(a_sealed_file(tmp_path, public)), "--key", str(key))

    assert opened.exit_code == 0, opened.output
    assert (json.loads(opened.stdout)["number"], stat.S_IMODE(key.stat().st_mode)) == (CPR, 0o600)


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    key, _ = a_pair(tmp_path)
    before = key.read_bytes()

    assert run("identity", "keypair", str(key)).exit_code == 2
    assert key.read_bytes() == before


@pytest.mark.parametrize("changes", [{"receiver": "ungevaerftet"}, {"sealed": "AAAA"}, {"sealed": 7}])
def test_what_was_altered_does_not_open(tmp_path: Path, changes: dict[str, Any]) -> None:
    key, public = a_pair(tmp_path)

    opened = run("identity", "open", str(a_sealed_file(tmp_path, public, **changes)), "--key", str(key))

    assert (opened.exit_code, opened.stdout) == (2, "")


@pytest.mark.parametrize("content", ["", "[]", '"text"', "{}"])
def test_what_is_no_answer_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    key, _ = a_pair(tmp_path)
    (tmp_path / "sealed.json").write_text(content, encoding="utf-8")

    opened = run("identity", "open", str(tmp_path / "sealed.json"), "--key", str(key))

    assert opened.exit_code == 2
    assert "Traceback" not in opened.output


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    key, public = a_pair(tmp_path)
    key.write_text(content, encoding="ascii")

    opened = run("identity", "open", str(a_sealed_file(tmp_path, public)), "--key", str(key))

    assert opened.exit_code == 2
    assert "keypair" in opened.output


@pytest.mark.parametrize("typed", [CPR, f"{CPR[:6]}-{CPR[6:]}\n", f" {CPR[:6]} {CPR[6:]} "])
def test_a_person_is_found_by_the_number_that_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    vault = a_vault(tmp_path)
    youth_id = vault.youth_id(SYSTEM, CPR)
    monkeypatch.setattr("streams.cli.people._asked", lambda: typed)

    assert youth_id_of(vault, None) == youth_id
    assert youth_id_of(vault, "a" * 32) == "a" * 32


@pytest.mark.parametrize(
    ("given", "typed"), [(None, "0101019999"), (None, "Nancy"), (None, ""), (CPR, ""), ("A" * 32, "")]
)
def test_whom_nobody_knows_is_refused_and_allotted_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str | None, typed: str
) -> None:
    vault = a_vault(tmp_path)
    monkeypatch.setattr("streams.cli.people._asked", lambda: typed)

    with pytest.raises(typer.Exit):
        youth_id_of(vault, given)

    assert vault.known_youth_id(SYSTEM, "0101019999") is None
    assert not any(one in capsys.readouterr().err for one in (typed, given) if one)


def test_no_command_takes_a_number_as_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "localhost:1")
    a_vault(tmp_path).close()

    for command in (("erase", "--yes"), ("disclosures", "show")):
        refused = run(*command, CPR)
        assert refused.exit_code == 2
        assert CPR not in refused.output


def test_a_proof_that_was_altered_is_told_by_its_hash() -> None:
    proof = {"youth_id": "a" * 32, "vault": {"identities": 1}}
    signed = proof | {"sha256": digest_of_proof(proof)}

    assert digest_of_proof(signed) == signed["sha256"]
    assert digest_of_proof(signed | {"vault": {"identities": 0}}) != signed["sha256"]
