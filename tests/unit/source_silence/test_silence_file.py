"""``silence.toml`` in the data folder says what is allowed a source instead of what is learnt."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.source_silence.monitor import SilenceFileError, set_rhythms


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert set_rhythms(tmp_path / "silence.toml") == {}


def test_hours_are_set_by_source(tmp_path: Path) -> None:
    (tmp_path / "silence.toml").write_text('[hours]\n"sor:1" = 26\nhelsingoer = 0\n', encoding="utf-8")

    assert set_rhythms(tmp_path / "silence.toml") == {"sor:1": timedelta(hours=26), "helsingoer": timedelta()}


@pytest.mark.parametrize("text", ["[hours", "[hour]\na = 1", '[hours]\na = "x"', "[hours]\na = -1", "[hours]\na = nan"])
def test_another_file_is_refused_with_what_it_holds(tmp_path: Path, text: str) -> None:
    (tmp_path / "silence.toml").write_text(text, encoding="utf-8")

    with pytest.raises(SilenceFileError, match="correct it and start again"):
        set_rhythms(tmp_path / "silence.toml")
