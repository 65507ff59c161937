"""The AsyncAPI document is the topics as they are, and valid."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from schemas.asyncapi import FILE, document, text
from schemas.cloudevents import headers_of_raw
from schemas.topics import catalogue

SPECIFICATION = Path(__file__).with_name("asyncapi-3.0.0.schema.json")
EVENT = {"event_id": "e", "source": "s", "occurred_at": 0, "subject": "course-8"}


def test_the_committed_document_is_what_the_topics_say_now() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `make golden` and review the difference"


def test_the_document_is_valid_asyncapi_3() -> None:
    validator = jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))

    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text()))] == []


def test_the_specification_refuses_a_document_without_a_title() -> None:
    validator = jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))

    assert not validator.is_valid(document() | {"info": {"version": "1"}})


@pytest.mark.parametrize("name", catalogue())
def test_every_topic_is_a_channel_that_something_of_ours_reads_or_writes(name: str) -> None:
    whole = document()

    assert name in whole["channels"]
    assert {f"send.{name}", f"receive.{name}"} & set(whole["operations"])


def test_every_reference_leads_somewhere() -> None:
    whole = json.loads(text())
    references = [value for key, value in _pairs(whole) if key == "$ref"]

    for reference in references:
        node = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    assert references


def test_the_headers_are_those_that_are_written() -> None:
    written = [name for name, _ in headers_of_raw(EVENT, "discharges")]

    assert sorted(document()["components"]["schemas"]["CloudEventsHeaders"]["properties"]) == sorted(written)


def _pairs(node: object) -> list[tuple[str, str]]:
    if isinstance(node, dict):
        own = [(key, value) for key, value in node.items() if isinstance(value, str)]
        return own + [pair for value in node.values() for pair in _pairs(value)]
    return [pair for item in node for pair in _pairs(item)] if isinstance(node, list) else []
