"""Every topic of the catalogue is owned, written, read, described, and speaks a language we know."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from schemas import events, internal, outputs
from schemas.events import EventHeader
from schemas.gate import published_models
from schemas.internal import Intake, IntakeBody
from schemas.topics import INTERNAL_STATEMENT_TOPICS, STATEMENT_TOPICS, catalogue

ENGINES_OWN = {"intake-state", "pathway-state", "dead-letters"}
OF_A_SOURCE = {"statements", "receipts"}
TOPICS = catalogue()


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_has_owner_producers_consumers_and_description(name: str) -> None:
    topic = TOPICS[name]

    assert topic.owner
    assert topic.producers
    assert topic.consumers
    assert topic.description.endswith(".")


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_has_a_model_or_is_the_engines_own_or_in_the_senders_form(name: str) -> None:
    assert (TOPICS[name].model is None) == (name in ENGINES_OWN | OF_A_SOURCE)


@pytest.mark.parametrize("name", TOPICS)
def test_a_producer_or_consumer_of_ours_exists(name: str) -> None:
    parties = (*TOPICS[name].producers, *TOPICS[name].consumers)

    assert [
        party for party in parties if party.startswith(("connectors.", "streams.")) and find_spec(party) is None
    ] == []


def test_every_statement_topic_is_in_the_catalogue() -> None:
    assert {*STATEMENT_TOPICS, *INTERNAL_STATEMENT_TOPICS} <= set(TOPICS)


def test_no_event_is_an_orphan() -> None:
    defined = {
        model
        for module in (events, internal, outputs)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, EventHeader) and model is not EventHeader
    }

    carried = {*published_models(), *IntakeBody.__args__, Intake}

    assert {model.__name__ for model in defined - carried} == set()
