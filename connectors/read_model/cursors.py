"""Cursors: how far a programme has read its topic. They name offsets, so they outlive any rebuild of the database."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

CURSOR_CHARACTERS_MAX = 8192
_OFFSET_MAX = 2**63 - 1


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    v: int = Field(ge=1, le=1)
    p: str
    o: dict[str, int]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next offset of each partition of a programme's topic; one that is not named is read from its start."""

    programme: str
    following: Mapping[int, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Returns it as it is handed out; equal cursors have equal texts.

        >>> Cursor.read("headspace", Cursor("headspace", {3: 7}).text).following
        {3: 7}
        """
        offsets = {str(partition): self.following[partition] for partition in sorted(self.following)}
        content = json.dumps({"v": 1, "p": self.programme, "o": offsets}, separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode("ascii")

    @classmethod
    def read(cls, programme: str, text: str | None) -> Cursor:
        """Returns the cursor of a text, that of the topic's start where there is none.

        Raises RefusedError where the text is no cursor, or another programme's: going on from it would leave
        records out.
        """
        if not text:
            return cls(programme)
        try:
            padded = text[:CURSOR_CHARACTERS_MAX] + "=" * (-len(text) % 4)
            content = _Content.model_validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
            numbered = {one: offset for one, offset in content.o.items() if one.isascii() and one.isdecimal()}
            following = {int(partition): offset for partition, offset in numbered.items()}
        except (binascii.Error, ValueError, ValidationError) as error:
            raise _refused() from error
        if content.p != programme or not all(0 <= offset <= _OFFSET_MAX for offset in following.values()):
            raise _refused()
        return cls(programme, following)

    def after(self, partition: int, offset: int) -> Cursor:
        """Returns the cursor that has read one record more."""
        return Cursor(self.programme, {**self.following, partition: offset + 1})


def _refused() -> RefusedError:
    return RefusedError(
        Refusal(
            "wrong_cursor",
            "cursor",
            "a cursor is one that this programme was given",
            "give `next` of an earlier answer, or no cursor to begin with the oldest record",
        )
    )
