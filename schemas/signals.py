"""Signals: what one key tells another through the intake log, as JSON in a Signal record's ``content``."""

from __future__ import annotations

import msgspec

from schemas.facts import Fact
from schemas.pathway import KeptElsewhere
from schemas.refusals import Refusal, RefusedError


class SlotWanted(msgspec.Struct, frozen=True, tag="slot_wanted"):
    """A need asks a programme's site for a slot on a day after ``after_day``; ``number`` counts its asking."""

    youth_id: str
    need_id: str
    number: int
    programme: str
    site: str
    after_day: int


class SlotGivenBack(msgspec.Struct, frozen=True, tag="slot_given_back"):
    """A need no longer wants the slot it was given."""

    need_id: str
    number: int
    programme: str
    site: str
    day: int


class SlotAnswer(msgspec.Struct, frozen=True, tag="slot_answer"):
    """A programme gives a need the slot of a day, or tells by None that none is free within its horizon."""

    need_id: str
    number: int
    programme: str
    site: str
    day: int | None


class PlacesTold(msgspec.Struct, frozen=True, tag="places_told"):
    """A programme told how many free places a site has (None: the programme as a whole), at a time in milliseconds."""

    programme: str
    site: str | None
    places: int
    told_at: int


class FactLent(msgspec.Struct, frozen=True, tag="fact_lent"):
    """A pathway whose number was replaced lends a fact to the one that stands for the person now.

    ``owner`` is whose pathway it was told to first: the lender's own, or one that had lent to it.
    """

    lender: str
    owner: str
    fact: Fact


class FactShared(msgspec.Struct, frozen=True, tag="fact_shared"):
    """A pathway that stands for a lender's person tells a fact in return, while the lender goes on with something.

    ``owner`` is whose pathway it was told to first.
    """

    sharer: str
    owner: str
    fact: Fact


class NeedKept(msgspec.Struct, frozen=True, tag="need_kept"):
    """The lender goes on with a need itself, or it was decided there and is over; None where neither any longer."""

    lender: str
    need_id: str
    kept: KeptElsewhere | None


class LoanEnded(msgspec.Struct, frozen=True, tag="loan_ended"):
    """The lender takes its facts back; those of one owner alone where one is named."""

    lender: str
    owner: str | None


class PersonErased(msgspec.Struct, frozen=True, tag="person_erased"):
    """The young person asked to be forgotten, under another number of theirs."""

    teller: str


SignalContent = (
    SlotWanted | SlotGivenBack | SlotAnswer | PlacesTold | FactLent | FactShared | NeedKept | LoanEnded | PersonErased
)
_decoder: msgspec.json.Decoder[SignalContent] = msgspec.json.Decoder(SignalContent)


def encode_signal(content: SignalContent) -> str:
    """Returns a Signal record's content."""
    return msgspec.json.encode(content, order="sorted").decode()


def decode_signal(content: str) -> SignalContent:
    """Returns what a Signal record's content says; raises RefusedError where it is none."""
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise RefusedError(
            Refusal("unreadable_signal", "content", "the content is a signal of this release", "report it")
        ) from error


def signal_kind(content: SignalContent) -> str:
    """Returns what kind of signal it is, the record's ``topic``."""
    return str(type(content).__struct_config__.tag)
