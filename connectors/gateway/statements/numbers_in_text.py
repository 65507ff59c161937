"""No field but ``person`` holds a CPR number: whatever else a statement says goes on to topics and people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.cpr import PersonNumber

_CPR_IN_TEXT = re.compile(r"(?<![0-9])(?:[06][1-9]|[1278][0-9]|[39][01])(?:0[1-9]|1[0-2])[0-9]{2}-[0-9]{4}(?![0-9])")


def refuse_numbers_in_text(form: BaseModel) -> None:
    """Raises RefusedError where a text looks as if it held a CPR number."""
    for name, text in _texts(form).items():
        if _CPR_IN_TEXT.search(text):
            raise _number_in_text(name)


def refuse_own_number_in_text(form: BaseModel, who: PersonNumber) -> None:
    """Raises RefusedError where a text holds the number of the person whom the statement is about."""
    for name, text in _texts(form).items():
        if who.number in re.sub(r"[\s-]", "", text).upper():
            raise _number_in_text(name)


def _texts(form: BaseModel) -> dict[str, str]:
    return {name: value for name in type(form).model_fields if isinstance(value := getattr(form, name), str)}


def _number_in_text(name: str) -> RefusedError:
    rule = "no field but person holds a CPR number"
    return RefusedError(Refusal("identifier_in_text", name, rule, "use an id of your own that says nothing"))
