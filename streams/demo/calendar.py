"""The calendar of a demo or a scenario: it is set forward in the log, so that days pass at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from streams.provision import set_calendar

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection
    from streams.settings import Settings


@dataclass
class Calendar:
    """The calendar's time, which runs ahead of the clock; kept in a file so that it never goes back."""

    settings: Settings
    connection: KafkaConnection
    ahead: timedelta = timedelta()
    run: int = 1

    def load(self) -> None:
        """Reads how far ahead an earlier run came."""
        file = self.settings.data_folder / "demo.json"
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            self.ahead, self.run = timedelta(seconds=kept["ahead_seconds"]), kept["run"] + 1

    def now(self) -> datetime:
        """Returns the calendar's time now."""
        return datetime.now(UTC) + self.ahead

    async def step_to(self, moment: datetime) -> None:
        """Sets the calendar where the moment lies ahead."""
        if moment <= self.now():
            return
        await set_calendar(self.connection, self.settings.partitions, moment)
        self.ahead = moment - datetime.now(UTC)
        kept = {"ahead_seconds": self.ahead.total_seconds(), "run": self.run}
        (self.settings.data_folder / "demo.json").write_text(json.dumps(kept), encoding="utf-8")
