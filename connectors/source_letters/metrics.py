"""Every metric of letters to sources, in one place. No recipient and no young person is a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from connectors.source_letters.schedule import LetterState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry


class LetterMetrics:
    """The metrics of letters, in the registry of the process that sends them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers them, all at zero."""
        # Every attempt to bring a Bundle across by its outcome: delivered, or as brobygger_webhook_attempts.
        self.attempts = Counter(
            "brobygger_source_letter_attempts", "Attempts to send a letter by outcome", ("outcome",), registry=registry
        )
        # Letters in the outbox by state: waiting, sending, sent (unacknowledged so far), acknowledged, refused,
        # unacknowledged (given up after two resends), undeliverable.
        self.letters = Gauge("brobygger_source_letters", "Letters to sources by state", ("state",), registry=registry)

    def counted(self, counts: Mapping[str, int]) -> None:
        """Sets how many letters are in each state."""
        for state in LetterState:
            self.letters.labels(state.value).set(counts.get(state.value, 0))
