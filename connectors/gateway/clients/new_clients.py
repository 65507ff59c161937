"""What a client may be: its kind, its roles, and the rules that a new one keeps."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from schemas.events import Name
from schemas.programmes import ProgrammeId
from schemas.refusals import Refusal, RefusedError

ANY_SENDER = "*"
NO_INDIVIDUAL_PATHWAY = "psykinfo"
_SENDER = re.compile(r"[0-9]{11,20}")


def _code_of_sender(text: str) -> str:
    if _SENDER.fullmatch(text) is None:
        raise ValueError("a SOR code or location number is 11 to 20 digits")
    return text


SenderCode = Annotated[str, AfterValidator(_code_of_sender)]


class ClientKind(StrEnum):
    """What a client speaks for."""

    SOURCE = "source"
    PROGRAMME = "programme"
    OWNER = "owner"


class Role(StrEnum):
    """What a client may do."""

    MEDCOM = "medcom"
    STATEMENTS = "statements"
    REPLIES = "replies"
    PERSONS = "persons"
    NEEDS = "needs"


_ROLES = {
    ClientKind.SOURCE: frozenset({Role.MEDCOM, Role.STATEMENTS, Role.PERSONS}),
    ClientKind.PROGRAMME: frozenset({Role.STATEMENTS, Role.REPLIES}),
    ClientKind.OWNER: frozenset({Role.NEEDS}),
}
#: Who has one of these tells of young people by number, and answers for doing so.
PERSON_DATA_ROLES = frozenset({Role.MEDCOM, Role.STATEMENTS, Role.PERSONS})


class NewClient(BaseModel):
    """A client to be created. No ``roles`` means all that its kind can have, MedCom where it has a sender alone.

    Who tells of young people names a data controller and the legal basis: a source always, a programme where it makes
    statements. Linking two numbers joins two people: ``persons`` has to be given by name. ``senders`` are the SOR codes
    in whose name it may send MedCom messages, and the location numbers in whose it may send letters from before FHIR;
    ``any_sender`` is for a hub that carries everybody's, such as a VANS provider.
    ``site`` binds a programme's client to the handovers of one of its sites. ``kafka_id`` lets a source state over
    Kafka too, in the topic ``statements.<kafka_id>``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: ClientKind
    name: Name
    data_controller: Name | None = None
    legal_basis: Name | None = None
    roles: frozenset[Role] | None = None
    senders: tuple[SenderCode, ...] = ()
    any_sender: bool = False
    site: Name | None = None
    kafka_id: ProgrammeId | None = None


def usual_roles(client: NewClient, senders: list[str]) -> frozenset[Role]:
    """Returns what a client may do where nobody says: all of its kind that it has named enough for."""
    roles = _ROLES[client.kind] - {Role.PERSONS}
    if not senders:
        roles -= {Role.MEDCOM}
    return (
        roles
        if client.kind is ClientKind.SOURCE or has_legal_basis(client.data_controller, client.legal_basis)
        else roles - PERSON_DATA_ROLES
    )


def has_legal_basis(data_controller: str | None, legal_basis: str | None) -> bool:
    """Returns whether a data controller and a legal basis are named."""
    return all((text or "").strip() for text in (data_controller, legal_basis))


def refuse_incomplete(client: NewClient) -> None:
    """Raises RefusedError where a client lacks what its kind or its roles take, or is PsykInfo's."""
    if client.name.lower() == NO_INDIVIDUAL_PATHWAY:
        raise RefusedError(
            Refusal(
                "no_individual_pathway",
                "name",
                "PsykInfo has no individual pathway and gets no client",
                "create a client for the programme that the young person is handed over to",
            )
        )
    if client.kind is ClientKind.SOURCE or not PERSON_DATA_ROLES.isdisjoint(client.roles or ()):
        for field in ("data_controller", "legal_basis"):
            if not (getattr(client, field) or "").strip():
                raise RefusedError(
                    Refusal(
                        f"missing_{field}",
                        field,
                        "who tells of young people names its data controller and its legal basis",
                        f"give --{field.replace('_', '-')}",
                    )
                )
    if client.site is not None and client.kind is not ClientKind.PROGRAMME:
        raise RefusedError(Refusal("foreign_site", "site", "a programme alone has sites", "leave out --site"))
    if client.kafka_id is not None and client.kind is not ClientKind.SOURCE:
        rule = "a source alone has statements of its own on Kafka; a programme's topics are made with its file"
        raise RefusedError(Refusal("foreign_topic", "kafka", rule, "leave out --kafka"))
    if not (client.roles or frozenset()) <= _ROLES[client.kind]:
        raise RefusedError(
            Refusal(
                "foreign_role",
                "roles",
                f"a {client.kind} may have: {', '.join(sorted(_ROLES[client.kind]))}",
                "leave out the other roles",
            )
        )


def check_senders(roles: frozenset[Role], senders: list[str]) -> None:
    """Raises RefusedError where who may send MedCom messages has no sender, or who may not has one."""
    if (Role.MEDCOM in roles) is not bool(senders):
        raise RefusedError(
            Refusal(
                "missing_sender" if not senders else "foreign_sender",
                "senders",
                "who may send MedCom messages, and nobody else, is bound to the organisations that send them",
                "give --sender, a SOR code (MessageHeader.sender) or location number (letters); for a hub --any-sender",
            )
        )
