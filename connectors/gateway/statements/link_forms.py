"""The public JSON form of a statement about two numbers of one person (topic ``persons``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.gateway.statements.persons import NumberForm, identified
from connectors.person_details import PersonDetails
from schemas.events import Moment, Name
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from connectors.cpr import PersonNumber
    from connectors.vault.number_links import NumberLink

LINK_FIELDS = ("linked_to", "unlinked_from")


class LinkForm(BaseModel):
    """Says that a number was replaced by another, as at a legal change of gender; or that it was not after all.

    ``person`` has the number that was replaced. Everything that is told under either number is then of one pathway;
    undone, each has its own again. It takes a client that was given the role ``persons``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject: Name
    occurred_at: Moment = Field(description="when the number was replaced, or the link was found to be wrong")
    person: NumberForm
    linked_to: NumberForm | None = Field(default=None, description="the number that stands from then on")
    unlinked_from: NumberForm | None = Field(default=None, description="the number that is another person's")
    event_id: UUID | None = Field(default=None, description="derived from the content where absent")
    correlation_id: UUID | None = Field(default=None, description="derived from the statement where absent")
    sent_at: Moment | None = Field(default=None, description="the time of receipt where absent")
    source: Name | None = Field(default=None, description="your own name; anything else is refused")

    @model_validator(mode="after")
    def _one_other(self) -> Self:
        if (self.linked_to is None) is (self.unlinked_from is None):
            raise ValueError("a statement has either linked_to or unlinked_from")
        return self

    @property
    def named(self) -> str:
        """Returns the name of the field in which the other number is."""
        return "unlinked_from" if self.linked_to is None else "linked_to"


LINK_EXAMPLE: dict[str, Any] = {
    "subject": "change-of-number-3",
    "occurred_at": "2026-01-10T09:30:00+01:00",
    "person": {"cpr": "0105109996"},
    "linked_to": {"cpr": "0105109997"},
}


@dataclass(frozen=True, slots=True)
class LinkedNumbers:
    """A link for the vault, and the two numbers, which it keeps."""

    link: NumberLink
    numbers: tuple[PersonDetails, PersonDetails] = field(repr=False)


def other_number(form: LinkForm, who: PersonNumber) -> PersonNumber:
    """Returns the other number; raises RefusedError where it is no number, or the same."""
    other = form.linked_to or form.unlinked_from
    assert other is not None, "the form has one of the two"  # noqa: S101
    found = identified(other, form.named)
    if (found.system, found.number) == (who.system, who.number):
        rule = "the two numbers differ"
        raise RefusedError(Refusal("impossible_link", form.named, rule, "name the number that replaced the other"))
    return found


def circular_link() -> RefusedError:
    """Returns the refusal of a number that would replace itself in the end."""
    rule = "a number that was replaced doesn't come back as the one that replaces it"
    return RefusedError(Refusal("circular_link", "linked_to", rule, "undo the earlier link by unlinked_from first"))


def numbers_kept(who: PersonNumber, other: PersonNumber) -> tuple[PersonDetails, PersonDetails]:
    """Returns what the vault is to keep of the two numbers: themselves."""
    return PersonDetails(who.system, who.number), PersonDetails(other.system, other.number)
