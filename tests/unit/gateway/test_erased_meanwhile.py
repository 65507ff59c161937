"""A request that looked somebody up before an erasure, and comes to writing after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from connectors.gateway.letters.receipts import MessageFingerprint, Opened, ReceiptStore
from connectors.gateway.statements.ledger import Entered, StatementLedger
from connectors.vault.erasure import erase_from_vault
from connectors.vault.tables import IDENTITIES, INDEX
from tests.unit.gateway.builders import Gateway, a_message, response_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from connectors.gateway.letters.receipts import Acknowledge
    from connectors.gateway.ports import Desk

EVENT_ID = "6f1c2f7a-53c0-5e63-8a58-0f9c1a1c6a34"


def erase_everybody(vault: Engine) -> None:
    """Erases whomever the vault knows."""
    with vault.connect() as connection:
        known = list(connection.scalars(select(INDEX.c.youth_id)))
    for youth_id in known:
        erase_from_vault(vault, youth_id)


class ErasingOnce:
    """Erases everybody, the first time that it is called."""

    def __init__(self, vault: Engine) -> None:
        self._vault: Engine | None = vault

    def __call__(self) -> None:
        """Erases, and never again."""
        if self._vault is not None:
            erase_everybody(self._vault)
        self._vault = None


class InterruptedLedger(StatementLedger):
    """A ledger that is interrupted by an erasure, once."""

    def __init__(self, engine: Engine, interruption: ErasingOnce) -> None:
        super().__init__(engine)
        self._interruption = interruption

    def enter(self, statements: Sequence[tuple[UUID, bytes]], at: datetime) -> list[Entered]:
        """Enters them, as an erasure is made."""
        self._interruption()
        return super().enter(statements, at)


class InterruptedReceipts(ReceiptStore):
    """Receipts that are interrupted by an erasure, once."""

    def __init__(self, engine: Engine, interruption: ErasingOnce) -> None:
        super().__init__(engine)
        self._interruption = interruption

    def open(self, letter: MessageFingerprint, acknowledge: Acknowledge, at: datetime) -> Opened:
        """Opens it, as an erasure is made."""
        self._interruption()
        return super().open(letter, acknowledge, at)


@pytest.fixture
def desk(gateway: Gateway) -> Desk:
    """Returns a desk where an erasure comes between the look-up and the writing of the first request."""
    desk: Desk = gateway.app.state.desk
    interruption = ErasingOnce(desk.vault.engine)
    engine = desk.ledger._engine
    object.__setattr__(desk, "ledger", InterruptedLedger(engine, interruption))
    object.__setattr__(desk, "receipts", InterruptedReceipts(engine, interruption))
    return desk


def youth_ids(desk: Desk) -> tuple[list[str], list[str]]:
    """Returns whom the vault can look up, and of whom it has an identity."""
    with desk.vault.engine.connect() as connection:
        return list(connection.scalars(select(INDEX.c.youth_id))), list(
            connection.scalars(select(IDENTITIES.c.youth_id))
        )


@pytest.mark.parametrize("fields", [{}, {"event_id": EVENT_ID}])
@pytest.mark.parametrize("topic", ["enrolments", "consents"])
async def test_a_statement_comes_again_and_is_about_a_new_person(
    gateway: Gateway, desk: Desk, topic: str, fields: dict[str, Any]
) -> None:
    headers = gateway.token()
    first = await gateway.statement(topic, headers, **fields)
    after_first = (youth_ids(desk), list(gateway.publisher.records))
    second = await gateway.statement(topic, headers, **fields)

    assert (first.status_code, first.json()["refused"]["code"]) == (503, "store_unavailable")
    assert after_first == (([], []), [])
    assert second.status_code == 201
    [youth_id] = {record.key.decode() for record in gateway.publisher.records}
    assert youth_ids(desk) == ([youth_id], [youth_id])


async def test_a_message_comes_again_and_is_about_a_new_person(gateway: Gateway, desk: Desk) -> None:
    headers = gateway.token()
    first = await gateway.message(a_message(), headers)
    after_first = (youth_ids(desk), list(gateway.publisher.records))
    second = await gateway.message(a_message(), headers)

    assert first.status_code == 503
    assert after_first == (([], []), [])
    assert response_code(second) == "ok"
    [youth_id] = {record.key.decode() for record in gateway.publisher.records}
    assert youth_ids(desk) == ([youth_id], [youth_id])
