"""Refusals: what was wrong with an input, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an input was not taken: which field, which rule it broke, and what the sender can do.

    ``code`` is a stable identifier for machines, MedCom's own error code where one fits. None of the
    texts may repeat a value from the input, because values may be personal.
    """

    code: str
    field: str
    rule: str
    help: str

    def as_dict(self) -> dict[str, str]:
        """Returns the refusal in the form in which every door prints it."""
        return {"code": self.code, "field": self.field, "rule": self.rule, "help": self.help}


class RefusedError(Exception):
    """Raised inside a connector to leave a mapping at the first broken rule; caught at its boundary."""

    def __init__(self, refusal: Refusal) -> None:
        """Wraps the refusal that the boundary will answer with."""
        super().__init__(refusal.code)
        self.refusal = refusal
