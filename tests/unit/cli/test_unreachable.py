"""Whatever a command needs and can't reach, it says so in seconds, and does nothing."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from connectors.vault.keys import create_keys
from streams.cli.main import app

_NEED = str(UUID(int=1))
_WHO = ("--actor", "anna", "--role", "owner")
#: Every command that works with the brokers, with as much as it needs to get as far as them.
COMMANDS = (
    ("acls", "apply"),
    ("acls", "check"),
    ("acls", "user", "gateway"),
    ("dead-letters", "list"),
    ("dead-letters", "show", "0-0"),
    ("dead-letters", "retry", "0-0"),
    ("deliver",),
    ("disclosures", "verify"),
    ("disclosures", "show", "a-youth-id"),
    ("erase", "0" * 32, "--yes"),
    ("needs", "list"),
    ("needs", "assign", _NEED, *_WHO),
    ("needs", "ask-consent", _NEED, *_WHO),
    ("needs", "answer", _NEED, *_WHO),
    ("needs", "offer", _NEED, *_WHO, "--programme", "headspace"),
    ("needs", "reopen", _NEED, *_WHO),
    ("needs", "close", _NEED, *_WHO, "--reason", "moved_away"),
    ("pathway", "a-youth-id"),
    ("programmes", "apply"),
    ("publish", "discharges", "-"),
    ("reconcile",),
    ("replay",),
    ("simulate",),
    ("subscribe", "notices"),
    ("topics", "apply"),
    ("topics", "list"),
    ("worker",),
)


@pytest.fixture(autouse=True)
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names a cluster that nobody answers for."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    create_keys(tmp_path / "keys")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_without_a_broker_says_which_does_not_answer_and_what_to_do(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, list(command), input="")

    assert (done.exit_code, done.stdout) == (2, "")
    assert re.fullmatch(r"brobygger: no Kafka broker answers at 127\.0\.0\.1:1 .*`brobygger doctor`.*\n", done.stderr)


async def test_files_for_a_gateway_that_is_not_there_or_silent_are_refused_in_seconds(tmp_path: Path) -> None:
    (tmp_path / "statement.json").write_text("{}", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("127.0.0.1:1", f"127.0.0.1:{silent.getsockname()[1]}"):
            command = ["ingest", str(tmp_path / "statement.json"), "--topic", "discharges"]
            command += ["--gateway", f"http://{address}", "--token", "t"]
            done = CliRunner().invoke(app, command)

            assert (done.exit_code, done.stdout) == (2, "")
            assert f"the gateway at http://{address} does not answer" in done.stderr
