"""What the gateway is told by the settings of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.rules import CLOCK_SKEW_MAX
from streams.instance import gateway_settings
from streams.settings import settings_from

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
