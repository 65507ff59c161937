"""Whatever a command needs and can't reach, it says so in seconds, and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from connectors.kafka import reachability
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
    ("erase", "a-youth-id", "--yes"),
    ("needs", "list"),
    ("needs", "assign", _NEED, *_WHO),
    ("needs", "ask-consent", _NEED, *_WHO),
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
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Names a cluster that nobody answers for."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    return iter(["127.0.0.1:1"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_without_a_broker_says_which_does_not_answer_and_what_to_do(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, list(command), input="")

    assert (done.exit_code, done.stdout) == (2, "")
    assert re.fullmatch(r"brobygger: no Kafka broker answers at 127\.0\.0\.1:1 .*`brobygger doctor`.*\n", done.stderr)


def test_a_broker_is_given_three_seconds_and_no_more() -> None:
    assert reachability._CUT_OFF.total_seconds() == 3
    assert reachability._ANSWER_MAX < reachability._CUT_OFF
