"""The port to the vault: a person's number in, a random pseudonym out."""

from __future__ import annotations

from typing import Protocol


class YouthIdLookup(Protocol):
    """Looks up or allots the youth id of a person; the vault's, or a key per run for ``translate``."""

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the same id for the same number, always; may block and may write.

        Called at most once a message, last, and only where the message will be published.
        """
        ...
