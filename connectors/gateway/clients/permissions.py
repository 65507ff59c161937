"""What a client may state: a source in its own name, a programme about itself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.gateway.clients.clients import NO_INDIVIDUAL_PATHWAY, Client, ClientKind, Role
from schemas.codes import ReplyStatus
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.vault.pseudonyms import Pseudonyms

_PROGRAMME_TOPICS = frozenset({"replies", "enrolments", "referrals"})
_NAMING_FIELDS = ("source", "programme", "referred_to", "referred_from", "receiver")
_VOUCHED_FOR = frozenset({ReplyStatus.CODE_CLAIMED, ReplyStatus.IDENTITY_WANTED, ReplyStatus.UNDELIVERABLE})
_OF_SOURCES_ALONE = ("name", "address", "phone", "protected")
_HELP = "use the token of the client that this is about"


def role_for(topic: str) -> Role:
    """Returns the role that stating on a topic takes."""
    return {"replies": Role.REPLIES, "persons": Role.PERSONS}.get(topic, Role.STATEMENTS)


def check_may_submit(client: Client, topic: str) -> None:
    """Raises RefusedError where nothing on the topic is this client's to state."""
    if client.site is not None:
        rule = "a token that is bound to a site answers that site's handovers, and states nothing else"
        raise RefusedError(
            Refusal("foreign_topic", "topic", rule, "use POST /handovers/{handover_id}/replies, or the pages")
        )
    of_programme = client.kind is ClientKind.PROGRAMME and topic in _PROGRAMME_TOPICS
    if not of_programme and not (client.kind is ClientKind.SOURCE and topic != "replies"):
        rule = "programmes state replies, enrolments and referrals; sources everything but replies; owners nothing"
        raise RefusedError(Refusal("foreign_topic", "topic", rule, _HELP))


def check_statement(client: Client, topic: str, form: BaseModel) -> None:
    """Raises RefusedError where the statement is not this client's, or is for PsykInfo.

    PsykInfo has no individual pathway: a sign-up for one of its events makes no statement about a young person.
    """
    named = {field: value for field in _NAMING_FIELDS if (value := getattr(form, field, None)) is not None}
    for field, value in named.items():
        if value.strip().lower() == NO_INDIVIDUAL_PATHWAY:
            raise RefusedError(
                Refusal(
                    "no_individual_pathway",
                    field,
                    "PsykInfo has no individual pathway, and none is ever made",
                    "don't send sign-ups for PsykInfo's events",
                )
            )
    if named.get("source", client.name) != client.name:
        raise RefusedError(Refusal("foreign_source", "source", "a client states in its own name alone", _HELP))
    if getattr(form, "status", None) in _VOUCHED_FOR:
        raise RefusedError(
            Refusal(
                "foreign_statement",
                "status",
                "the service alone states this, at a door of its own",
                "claim a code at POST /claims, ask for an identity at GET /handovers/{handover_id}/identity",
            )
        )
    if client.kind is ClientKind.PROGRAMME:
        _check_own(client, topic, form)


def check_pseudonym(pseudonyms: Pseudonyms, form: Any) -> None:
    """Raises RefusedError where a reply names nobody whom the programme was told of; free capacity names nobody."""
    free_places = form.status == "free_capacity"
    if form.youth_id is None and not free_places:
        raise RefusedError(
            Refusal(
                "missing_field",
                "youth_id",
                "a reply names the young person, free capacity does not",
                "give the youth_id of the handover that this answers",
            )
        )
    if form.youth_id is not None and pseudonyms.youth_of(form.programme, form.youth_id) is None:
        raise RefusedError(
            Refusal(
                "unknown_pseudonym",
                "youth_id",
                "the pseudonym is one that this programme was given",
                "copy the youth_id of the handover that this answers, letter by letter",
            )
        )


def _check_own(client: Client, topic: str, form: BaseModel) -> None:
    field = "referred_from" if topic == "referrals" else "programme"
    if getattr(form, field) != client.name:
        raise RefusedError(Refusal("foreign_programme", field, "a programme speaks for itself alone", _HELP))
    person = getattr(form, "person", None)
    for name in _OF_SOURCES_ALONE:
        if getattr(person, name, None) is not None:
            rule = (
                "a programme names the young person and the municipality; what the vault keeps is a source's to state"
            )
            raise RefusedError(Refusal("foreign_statement", f"person.{name}", rule, "leave the field out"))
    if topic == "referrals" and getattr(form, "bridging", False) is not True:
        raise RefusedError(
            Refusal("foreign_programme", "bridging", "a programme's referrals ask for bridging", "set bridging to true")
        )
