"""The parts of a mapping file that say how a list is written, and what a missing row means."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.municipal.dates import DateForm

Words = Annotated[str, Field(min_length=1, max_length=200)]
HEADER_LINE_MAX = 50
_Line = Annotated[int, Field(ge=1, le=HEADER_LINE_MAX)]


class MappingPart(BaseModel):
    """A table of a mapping file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def as_list(value: Any) -> Any:
    """Returns what may stand alone in the file as a list of one."""
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


_Lines = Annotated[tuple[_Line, ...], BeforeValidator(as_list)]


class Layout(MappingPart):
    """How the file is written. What is absent is found in the file itself.

    ``header`` are the lines with the columns' names, counted from 1: where there are several, a name is put together
    from all of them, and an empty cell of an upper line continues the one before it (merged cells). ``totals`` are
    first words of rows that tell a sum.
    """

    encoding: Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "cp850", "mac_roman"] | None = (
        None
    )
    delimiter: Annotated[str, Field(pattern=r"^[;,|\t:]$")] | None = None
    header: _Lines = ()
    sheet: Words | None = None
    totals: tuple[Words, ...] = ("i alt", "ialt", "total", "sum", "antal")
    other_columns: Literal["refuse", "ignore"] = "refuse"


class Values(MappingPart):
    """How the list writes values. ``zero_lost`` says that Excel has eaten the leading zero of CPR numbers."""

    dates: tuple[Literal["iso", "day_first", "written_out", "compact", "month_first"], ...] = (
        *("iso", "day_first", "written_out"),
    )
    decimal: Literal[",", "."] = ","
    zero_lost: bool = False
    yes: tuple[Words, ...] = ("ja", "j", "x", "yes", "true", "sand", "1")
    no: tuple[Words, ...] = ("nej", "n", "no", "false", "falsk", "0")

    @property
    def date_forms(self) -> tuple[DateForm, ...]:
        """Returns the forms of its dates."""
        return tuple(DateForm[name.upper()] for name in self.dates)

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if {"day_first", "month_first"} <= set(self.dates):
            raise ValueError("dates are day_first or month_first, not both: 03-04-2026 would be two days")
        return self


class Missing(MappingPart):
    """What it means that a statement of the last snapshot is not in this one; says either ``cancelled`` or a status.

    ``status`` is the new status (a consent's: decision), told as of the day on which it was first missing.
    ``share_max`` is how much of a list may vanish at once and be believed.
    """

    status: Words | None = None
    reason_code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")] | None = None
    cancelled: bool = False
    share_max: Annotated[float, Field(gt=0, le=1)] = 0.25

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.cancelled is (self.status is not None):
            raise ValueError("a missing row is either cancelled, or has a status")
        return self
