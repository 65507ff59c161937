"""Gives each module of integration tests a cluster without anything on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.emptying import empty

if TYPE_CHECKING:
    from connectors.kafka.embedded import EmbeddedBroker


@pytest.fixture(scope="module")
def empty_broker(broker: EmbeddedBroker) -> EmbeddedBroker:
    """Returns the session's broker, rid of what earlier modules left: the service's topics have fixed names."""
    empty(broker.connection)
    return broker
