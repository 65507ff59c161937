"""Clients of the gateway and their tokens: kept as hashes, each bound to one source, programme or owner of needs."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from connectors.gateway.clients.new_clients import (
    ANY_SENDER,
    NO_INDIVIDUAL_PATHWAY,
    PERSON_DATA_ROLES,
    ClientKind,
    NewClient,
    Role,
    check_senders,
    has_legal_basis,
    refuse_incomplete,
    usual_roles,
)
from connectors.gateway.tables import CLIENTS, in_transaction, open_ledger, reading
from connectors.read_model.handovers import Scope
from schemas.instants import milliseconds_of, moment_of
from schemas.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

_TOKEN_BYTES = 32
_ID_BYTES = 6


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
    kafka_id: str | None = None

    @property
    def reach(self) -> Scope:
        """Returns which handovers it sees and answers, where it is a programme's."""
        return Scope(self.name, self.site)

    def may_submit(self, role: Role) -> bool:
        """Returns whether it has the data controller and the legal basis that a role takes."""
        return role not in PERSON_DATA_ROLES or has_legal_basis(self.data_controller, self.legal_basis)

    def may_send_for(self, sender: str) -> bool:
        """Returns whether it may send what an organisation sends, by its SOR code or location number."""
        return not self.senders.isdisjoint({sender, ANY_SENDER})


class Clients:
    """The clients in the gateway's database; each call blocks on it, and raises LedgerUnavailableError."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine of the gateway's database."""
        self._engine = engine

    def create(self, client: NewClient, at: datetime) -> str:
        """Returns the new client's token, which is kept nowhere: only its hash is.

        Raises RefusedError where who tells of young people lacks its data controller or legal basis, where the roles
        are not its kind's, where MedCom's lacks a sender, for PsykInfo, which has no individual pathway, or where the
        Kafka id is a valid client's, or was another source's.
        """
        senders = [ANY_SENDER] if client.any_sender else sorted(client.senders)
        roles = client.roles or usual_roles(client, senders)
        refuse_incomplete(client)
        check_senders(roles, senders)
        client_id = secrets.token_hex(_ID_BYTES)
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        values = client.model_dump(exclude={"roles", "senders", "any_sender"}) | {
            "client_id": client_id,
            "token_sha256": _hash_of(secret),
            "roles": json.dumps(sorted(roles)),
            "senders": json.dumps(senders),
            "created_at_ms": milliseconds_of(at),
        }

        def work(connection: Connection) -> None:
            if client.kafka_id is not None:
                _refuse_taken(connection, client)
            connection.execute(insert(CLIENTS).values(values))

        in_transaction(self._engine, work)
        return f"{client_id}.{secret}"

    def listed(self) -> tuple[Client, ...]:
        """Returns every client, the revoked ones too, by kind, name and age."""
        order = (CLIENTS.c.kind, CLIENTS.c.name, CLIENTS.c.created_at_ms, CLIENTS.c.client_id)
        rows = reading(self._engine, lambda connection: connection.execute(select(CLIENTS).order_by(*order)).all())
        return tuple(_client_of(row) for row in rows)

    def kafka_ids(self) -> tuple[str, ...]:
        """Returns the ids of the sources that have topics of their own, of the revoked too: they are told so there."""
        wanted = select(CLIENTS.c.kafka_id).where(CLIENTS.c.kafka_id.is_not(None)).distinct()
        rows = reading(self._engine, lambda connection: connection.execute(wanted.order_by(CLIENTS.c.kafka_id)).all())
        return tuple(row.kafka_id for row in rows)

    def on_kafka(self, kafka_id: str) -> Client | None:
        """Returns the client whose topics have this id, or None where it is unknown or revoked."""
        wanted = select(CLIENTS).where(CLIENTS.c.kafka_id == kafka_id, CLIENTS.c.revoked_at_ms.is_(None))
        row = reading(self._engine, lambda connection: connection.execute(wanted).first())
        return None if row is None else _client_of(row)

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
        if not client_id.isalnum():  # a form may hold anything, and PostgreSQL takes no NUL
            return None
        wanted = select(CLIENTS).where(CLIENTS.c.client_id == client_id)
        row = reading(self._engine, lambda connection: connection.execute(wanted).one_or_none())
        if row is None or not hmac.compare_digest(row.token_sha256, _hash_of(secret)):
            return None
        return _client_of(row) if row.revoked_at_ms is None else None


def open_clients(ledger_url: str) -> Clients:
    """Returns the clients of a gateway's database (``GatewaySettings.ledger_database``)."""
    return Clients(open_ledger(ledger_url))


def _refuse_taken(connection: Connection, client: NewClient) -> None:
    """Raises RefusedError where what is left in the topic of this id would be taken as another's."""
    same_id = CLIENTS.c.kafka_id == client.kafka_id
    theirs = CLIENTS.c.revoked_at_ms.is_(None) | (CLIENTS.c.name != client.name)
    if connection.execute(select(CLIENTS.c.client_id).where(same_id, theirs)).first() is not None:
        rule = "an id on Kafka is one source's for ever, and one valid client's"
        advice = "choose another id, or revoke the source's older client first: `brobygger clients list` shows it"
        raise RefusedError(Refusal("taken", "kafka", rule, advice))


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
        kafka_id=row.kafka_id,
    )


__all__ = ["NO_INDIVIDUAL_PATHWAY", "Client", "ClientKind", "Clients", "NewClient", "Role", "open_clients"]
