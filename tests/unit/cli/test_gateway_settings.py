"""What the gateway is told by the settings of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from schemas.rules import CLOCK_SKEW_MAX
from streams.cli.main import app
from streams.instance import gateway_settings
from streams.settings import SettingsError, settings_from

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path


@pytest.mark.parametrize(("allowed", "ahead_max"), [("false", CLOCK_SKEW_MAX), ("true", None)])
def test_times_ahead_are_taken_only_where_the_calendar_may_be_set(
    tmp_path: Path, allowed: str, ahead_max: timedelta | None
) -> None:
    variables = {
        "BROBYGGER_DATA": str(tmp_path),
        "KAFKA_BOOTSTRAP": "localhost:1",
        "BROBYGGER_CALENDAR_ALLOWED": allowed,
    }

    assert gateway_settings(settings_from(variables)).limits.ahead_max == ahead_max


def test_databases_may_lie_elsewhere(tmp_path: Path) -> None:
    urls = {name: f"sqlite:///{tmp_path / name}" for name in ("vault", "ledger", "read_model")}
    variables = {f"BROBYGGER_{name.upper()}_URL": url for name, url in urls.items()}

    gateway = gateway_settings(settings_from(variables | {"KAFKA_BOOTSTRAP": "localhost:1"}))

    assert [gateway.vault_database, gateway.ledger_database, gateway.read_model_database] == list(urls.values())


def test_clients_are_made_where_the_gateway_looks_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BROBYGGER_LEDGER_URL", f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")

    assert CliRunner().invoke(app, ["clients", "create", "programme", "headspace"]).exit_code == 0
    assert (tmp_path / "elsewhere.sqlite").exists()
    assert not (tmp_path / "data").exists()


def test_trusted_proxies_are_addresses_or_networks() -> None:
    given = {"KAFKA_BOOTSTRAP": "localhost:1", "BROBYGGER_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1"}

    settings = settings_from(given)

    assert gateway_settings(settings).trusted_proxies == ("10.0.0.0/8", "2001:db8::1")
    assert settings_from(given | settings.as_variables()).trusted_proxies == settings.trusted_proxies
    for wrong in ("*", "proxy.example", "10.0.0.0/33"):
        with pytest.raises(SettingsError, match="BROBYGGER_TRUSTED_PROXIES"):
            settings_from({"BROBYGGER_TRUSTED_PROXIES": wrong})
