"""``BROBYGGER_WATCH`` names the folders that ``up`` watches."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kafka.connection import KafkaConnection
from streams.cli.up import children_of
from streams.settings import SettingsError, settings_from


def test_each_folder_has_a_process_and_a_token_of_its_own(tmp_path: Path) -> None:
    watched = f"{tmp_path / 'region-h'}:{tmp_path / 'helsingoer'}"
    settings = settings_from({"BROBYGGER_DATA": str(tmp_path / "data"), "BROBYGGER_WATCH": watched})

    children = children_of(settings, KafkaConnection(bootstrap="localhost:1"), workers=1)

    roles = {child.role: list(child.arguments[:2]) for child in children if child.role.startswith("watch-")}
    assert roles == {
        "watch-region-h": ["watch", str(tmp_path / "region-h")],
        "watch-helsingoer": ["watch", str(tmp_path / "helsingoer")],
    }
    assert settings.watch_token_file(tmp_path / "region-h") == tmp_path / "data" / "keys" / "watch" / "region-h.token"
    assert settings_from(settings.as_variables()).watched_folders == settings.watched_folders


def test_two_folders_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="BROBYGGER_WATCH"):
        settings_from({"BROBYGGER_WATCH": "/srv/a/in:/srv/b/in"})
