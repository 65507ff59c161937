"""What commands print for people stays readable at 80 columns, whatever they have to tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from streams.cli import dead_letters
from streams.cli.main import app
from streams.cli.printing import print_entries, print_table
from streams.log.books import DeadLetterKey
from streams.log.dead_letters import DeadLetter

REASON = "age_band: a string has at most 128 characters; correct it in the source's system, and send the record again"


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the terminal's width."""
    monkeypatch.setenv("COLUMNS", "80")


def test_dead_letters_are_listed_with_every_word_whole(run: None, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = DeadLetterKey("merge_intake", "brobygger.discharges.v1", 7, 1_234_567, "broken_rule")
    letter = DeadLetter("11-1234567", origin, REASON, datetime(2026, 11, 29, 8, tzinfo=UTC), b"sealed")
    monkeypatch.setattr(dead_letters, "dead_letters", lambda *_: iter([letter, letter]))
    monkeypatch.setattr(dead_letters, "broker_of", lambda _: None)

    printed = CliRunner().invoke(app, ["dead-letters", "list"]).stdout

    assert max(map(len, printed.splitlines())) <= 80
    assert printed.splitlines()[:4] == [
        "dead letters: 2",
        "",
        "11-1234567  broken_rule",
        "  written 2026-11-29T08:00:00+00:00; by merge_intake; from discharges 7@1234567",
    ]
    assert " ".join(printed.split()).count(REASON) == 2


def test_a_table_that_fits_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("topics", ("topic", "days", "partitions"), [("discharges", 30, None)])

    assert "┃ topic      ┃ days ┃ partitions ┃" in capsys.readouterr().out


def test_a_table_that_is_wider_than_the_terminal_names_each_cell_instead(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("letters", ("id", "state", "what to do", "next"), [("a" * 36, "undeliverable", REASON, None)])

    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert printed.startswith(f"letters: 1\n\n{'a' * 36}\n  state undeliverable; what to do age_band: a string")
    assert "next" not in printed


def test_entries_without_anything_to_tell_are_their_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_entries("webhooks", [("headspace  active", [{"url": None}, {"failing": 0}])])

    assert capsys.readouterr().out == "webhooks: 1\n\nheadspace  active\n  failing 0\n"
