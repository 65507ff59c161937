"""No field but ``person`` says who somebody is: whatever else a statement says goes on to topics and people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from connectors.identifying_text import ADVICE, RULE, identifies
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from connectors.person_details import PersonDetails

_IDS = frozenset({"statement_id", "episode_id"})


def refuse_identifying(form: BaseModel, *people: PersonDetails) -> None:
    """Raises RefusedError where a field holds anybody's number, or a detail of those whom the statement is about."""
    for name in type(form).model_fields:
        if _says_who(name, getattr(form, name), people):
            raise RefusedError(Refusal("identifier_in_text", name, RULE, ADVICE))


def _says_who(name: str, value: object, people: Sequence[PersonDetails]) -> bool:
    if isinstance(value, int):  # a count may well look like anybody's number
        return f"{value:010}" in {person.number for person in people}
    if not isinstance(value, str | UUID):
        return False
    return any(identifies(str(value), person, is_id=name in _IDS) for person in people or (None,))
