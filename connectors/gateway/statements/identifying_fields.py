"""No field but ``person`` says who somebody is: whatever else a statement says goes on to topics and people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from connectors.identifying_text import ADVICE, RULE, divided_between, holds_details, identifies
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from connectors.person_details import PersonDetails

_IDS = frozenset({"subject", "episode_id"})


def refuse_identifying(form: BaseModel, *people: PersonDetails) -> None:
    """Raises RefusedError where a field holds anybody's number, or a detail of those whom the statement is about.

    A number that is divided between two fields is refused by the one that has its end.
    """
    fields = {name: getattr(form, name) for name in type(form).model_fields}
    texts = {name: str(value) for name, value in fields.items() if isinstance(value, str | UUID | int)}
    said = next((name for name in texts if _says_who(name, fields[name], people)), None)
    said = said or next(filter(None, (divided_between([*texts.items()], person) for person in people)), None)
    if said is not None:
        raise RefusedError(Refusal("identifier_in_text", said, RULE, ADVICE))


def _says_who(name: str, value: object, people: Sequence[PersonDetails]) -> bool:
    if isinstance(value, int):  # a count may well look like anybody's number
        return any(holds_details(f"{value:010}", person) for person in people)
    return any(identifies(str(value), person, is_id=name in _IDS) for person in people or (None,))
