"""Typed reading of a FHIR resource, element by element, with the path kept for refusals.

No reader trusts the message: whatever the type of a node, reading it gives a value of the wanted type or
raises RefusedError with MedCom's ``MSG_Datatype_Wrong`` or ``element_missing``, never another exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.medcom_fhir.codes import ErrorCode
from schemas.refusals import Refusal, RefusedError

TEXT_CHARACTERS_MAX = 1024
ADVICE = "correct the message and send it with a new Bundle.id"


def fhir_refusal(code: str, path: str, rule: str, advice: str | None = None) -> RefusedError:
    """Returns the exception that leaves a mapping at the first broken rule."""
    return RefusedError(Refusal(str(code), path, rule, advice or ADVICE))


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON object of a message, its FHIR path, and the number of the Bundle's entry in which it stands."""

    value: dict[str, Any] = field(repr=False)
    path: str
    entry: int | None = field(default=None, compare=False)

    def child(self, name: str) -> Node:
        """Returns a required object."""
        child = self.optional_child(name)
        if child is None:
            raise self._missing(name)
        return child

    def optional_child(self, name: str) -> Node | None:
        """Returns an object, or None where it is absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Node(value, f"{self.path}.{name}", self.entry)

    def children(self, name: str) -> tuple[Node, ...]:
        """Returns the objects of a list, none where it is absent."""
        value = self.value.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(name, "a list of objects")
        return tuple(Node(item, f"{self.path}.{name}[{index}]", self.entry) for index, item in enumerate(value))

    def text(self, name: str) -> str:
        """Returns a required, non-empty string."""
        value = self.optional_text(name)
        if value is None:
            raise self._missing(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Returns a non-empty string of bounded length, or None where it is absent."""
        value = self.value.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name, "a non-empty string")
        if len(value) > TEXT_CHARACTERS_MAX:
            raise fhir_refusal(
                ErrorCode.ELEMENT_TOO_LONG,
                f"{self.path}.{name}",
                f"the element has at most {TEXT_CHARACTERS_MAX} characters",
            )
        return value.strip()

    def optional_boolean(self, name: str) -> bool | None:
        """Returns true or false, or None where it is absent."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "a boolean")
        return value

    def _missing(self, name: str) -> RefusedError:
        return fhir_refusal("element_missing", f"{self.path}.{name}", "the element is required")

    def _wrong(self, name: str, wanted: str) -> RefusedError:
        return fhir_refusal(ErrorCode.DATATYPE_WRONG, f"{self.path}.{name}", f"the element is {wanted}")
