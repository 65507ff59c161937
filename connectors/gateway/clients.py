"""Clients of the gateway and their tokens: kept as hashes, each bound to one source, programme or owner of needs."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import insert, select, update

from connectors.gateway.tables import CLIENTS, in_transaction, open_ledger, reading
from connectors.read_model.handovers import Reach
from schemas.events import Name
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

_TOKEN_BYTES = 32
_ID_BYTES = 6
_ANY_SENDER = "*"
NO_INDIVIDUAL_PATHWAY = "psykinfo"
Sor = Annotated[str, StringConstraints(pattern=r"^[0-9]{11,20}$")]


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
_TELLING = frozenset({Role.MEDCOM, Role.STATEMENTS, Role.PERSONS})


class NewClient(BaseModel):
    """A client to be created. No ``roles`` means all that its kind can have, MedCom where it has a sender alone.

    Who tells of young people names a data controller and the legal basis: a source always, a programme where it makes
    statements. Linking two numbers joins two people: ``persons`` has to be given by name. ``senders`` are the SOR codes
    in whose name it may send MedCom messages, and the location numbers in whose it may send letters from before FHIR;
    ``any_sender`` is for a hub that carries everybody's, such as a VANS provider.
    ``site`` binds a programme's client to the handovers of one of its sites.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: ClientKind
    name: Name
    data_controller: Name | None = None
    legal_basis: Name | None = None
    roles: frozenset[Role] | None = None
    senders: tuple[Sor, ...] = ()
    any_sender: bool = False
    site: Name | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A client as the gateway knows it. ``name`` is the one source, programme or owner that it speaks for."""

    client_id: str
    kind: ClientKind
    name: str
    roles: frozenset[Role]
    senders: frozenset[str]
    data_controller: str | None
    legal_basis: str | None
    created_at: datetime
    revoked_at: datetime | None
    site: str | None = None

    @property
    def reach(self) -> Reach:
        """Returns which handovers it sees and answers, where it is a programme's."""
        return Reach(self.name, self.site)

    def may_tell_by(self, role: Role) -> bool:
        """Returns whether it has the data controller and the legal basis that a role takes."""
        return role not in _TELLING or _is_lawful(self)

    def may_send_for(self, sender: str) -> bool:
        """Returns whether it may send what an organisation sends, by its SOR code or location number."""
        return not self.senders.isdisjoint({sender, _ANY_SENDER})


class Clients:
    """The clients in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def create(self, client: NewClient, at: datetime) -> str:
        """Returns the new client's token, which is kept nowhere: only its hash is.

        Raises RefusedError where who tells of young people lacks its data controller or legal basis, where the roles
        are not its kind's, where MedCom's lacks a sender, or for PsykInfo, which has no individual pathway.
        """
        senders = [_ANY_SENDER] if client.any_sender else sorted(client.senders)
        roles = client.roles or _usual_roles(client, senders)
        _refuse_incomplete(client)
        _refuse_unbound(roles, senders)
        client_id = secrets.token_hex(_ID_BYTES)
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        values = client.model_dump(exclude={"roles", "senders", "any_sender"}) | {
            "client_id": client_id,
            "token_sha256": _hash_of(secret),
            "roles": json.dumps(sorted(roles)),
            "senders": json.dumps(senders),
            "created_at_ms": milliseconds_of(at),
        }
        in_transaction(self._engine, lambda connection: connection.execute(insert(CLIENTS).values(values)))
        return f"{client_id}.{secret}"

    def listed(self) -> tuple[Client, ...]:
        """Returns every client, the revoked ones too, by kind, name and age."""
        order = (CLIENTS.c.kind, CLIENTS.c.name, CLIENTS.c.created_at_ms, CLIENTS.c.client_id)
        rows = reading(self._engine, lambda connection: connection.execute(select(CLIENTS).order_by(*order)).all())
        return tuple(_client_of(row) for row in rows)

    def revoke(self, client_id: str, at: datetime) -> bool:
        """Revokes a client's token from its next request on; False where there is none to revoke."""

        def work(connection: Connection) -> bool:
            valid = (CLIENTS.c.client_id == client_id) & CLIENTS.c.revoked_at_ms.is_(None)
            changed = connection.execute(update(CLIENTS).where(valid).values(revoked_at_ms=milliseconds_of(at)))
            return changed.rowcount == 1

        return in_transaction(self._engine, work)

    def valid(self, client_id: str) -> Client | None:
        """Returns a client by its id, or None where it is unknown or revoked."""
        wanted = select(CLIENTS).where(CLIENTS.c.client_id == client_id, CLIENTS.c.revoked_at_ms.is_(None))
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else _client_of(row)

    def authenticated(self, token: str) -> Client | None:
        """Returns the client whose token this is, or None where it is unknown, altered or revoked."""
        client_id, _, secret = token.partition(".")
        wanted = select(CLIENTS).where(CLIENTS.c.client_id == client_id)
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        if row is None or not hmac.compare_digest(row.token_sha256, _hash_of(secret)):
            return None
        return _client_of(row) if row.revoked_at_ms is None else None


def open_clients(ledger_url: str) -> Clients:
    """Returns the clients of a gateway's database (``GatewaySettings.ledger_database``)."""
    return Clients(open_ledger(ledger_url))


def _usual_roles(client: NewClient, senders: list[str]) -> frozenset[Role]:
    roles = _ROLES[client.kind] - {Role.PERSONS}
    if not senders:
        roles -= {Role.MEDCOM}
    return roles if client.kind is ClientKind.SOURCE or _is_lawful(client) else roles - _TELLING


def _is_lawful(client: NewClient | Client) -> bool:
    return all((text or "").strip() for text in (client.data_controller, client.legal_basis))


def _hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _client_of(row: Row[Any]) -> Client:
    return Client(
        client_id=row.client_id,
        kind=ClientKind(row.kind),
        name=row.name,
        roles=frozenset(Role(role) for role in json.loads(row.roles)),
        senders=frozenset(json.loads(row.senders)),
        data_controller=row.data_controller,
        legal_basis=row.legal_basis,
        created_at=moment_of(row.created_at_ms),
        revoked_at=None if row.revoked_at_ms is None else moment_of(row.revoked_at_ms),
        site=row.site,
    )


def _refuse_incomplete(client: NewClient) -> None:
    if client.name.lower() == NO_INDIVIDUAL_PATHWAY:
        raise RefusedError(
            Refusal(
                "no_individual_pathway",
                "name",
                "PsykInfo has no individual pathway and gets no client",
                "create a client for the programme that the young person is handed over to",
            )
        )
    if client.kind is ClientKind.SOURCE or not _TELLING.isdisjoint(client.roles or ()):
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
    if not (client.roles or frozenset()) <= _ROLES[client.kind]:
        raise RefusedError(
            Refusal(
                "foreign_role",
                "roles",
                f"a {client.kind} may have: {', '.join(sorted(_ROLES[client.kind]))}",
                "leave out the other roles",
            )
        )


def _refuse_unbound(roles: frozenset[Role], senders: list[str]) -> None:
    if (Role.MEDCOM in roles) is not bool(senders):
        raise RefusedError(
            Refusal(
                "missing_sender" if not senders else "foreign_sender",
                "senders",
                "who may send MedCom messages, and nobody else, is bound to the organisations that send them",
                "give --sender, a SOR code (MessageHeader.sender) or location number (letters); for a hub --any-sender",
            )
        )
