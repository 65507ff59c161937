"""The committed examples of ``schemas/examples``: a story for each case with what follows, and a record for each topic.

A story's ``events`` are as on their public topics, each with the log's time; ``until`` is how long one waits then.
``catalogues`` are there where a case needs a version after the first. A programme knows the young person, and what it
is told, by a pseudonym and ids of its own, made with the tests' key; times are the log's, which its topic shows a
little earlier.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.codec import codec, raw_of
from schemas.events import EventHeader, Reply
from schemas.outputs import HandoverEvent, Notice, PathwayView
from schemas.topics import catalogue, entry_of
from streams.agents.audience import named_under, understood_under
from streams.domain.work import Emission
from streams.log.decoding import read_model
from tests.agents.intake import PSEUDONYMS
from tests.domain.catalogues import a_catalogue
from tests.domain.story import COPENHAGEN, Story
from tests.house.tree import ROOT

FOLDER = ROOT / "schemas" / "examples"
Json = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(_Part):
    """An event on a topic at a time of the log."""

    at: datetime
    topic: str
    event: Json


class Version(_Part):
    """A catalogue version of the shipped programmes, without some of them or with more units."""

    at: datetime
    version: int
    without: tuple[str, ...] = ()
    units: dict[str, str] = {}


class Expected(_Part):
    """What follows from a story: what programmes and people are told, and where each need is in the end."""

    handovers: tuple[Told, ...] = ()
    notices: tuple[Told, ...] = ()
    needs: tuple[Json, ...] = ()


class CaseExample(_Part):
    """A file ``case-NN.json``."""

    case: int
    title: str
    catalogues: tuple[Version, ...] = ()
    events: tuple[Told, ...]
    until: datetime
    expected: Expected = Expected()


def case_files() -> list[Path]:
    """Returns the files of the cases."""
    return sorted(FOLDER.glob("case-*.json"))


def topic_files() -> list[Path]:
    """Returns the files of topics: all others."""
    return sorted(set(FOLDER.iterdir()) - set(case_files()))


def topics_with_models() -> list[str]:
    """Returns the topics that carry a model."""
    return [name for name, topic in catalogue().items() if topic.model is not None]


@cache
def read_case(path: Path) -> CaseExample:
    """Returns a case of a file."""
    return CaseExample.model_validate_json(path.read_text(encoding="utf-8"))


def story_of(example: CaseExample) -> Story:
    """Tells an example's story to the pure core."""
    story = Story()
    steps: list[tuple[datetime, bool, Told | Version]] = [(one.at, False, one) for one in example.catalogues]
    steps += [(one.at, True, one) for one in example.events]
    for when, _, step in sorted(steps, key=lambda one: one[:2]):
        if isinstance(step, Version):
            other = a_catalogue(step.version, without=step.without, units=step.units)
            story = story.wait_until(when).under(other)
        else:
            story.tell(when, event_of(step))
    return story.wait_until(example.until)


def published_event(told: Told) -> EventHeader:
    """Returns the event as it is on its topic."""
    model: Any = entry_of(told.topic).model
    event: EventHeader = model.model_validate(told.event)
    return event


def event_of(told: Told) -> EventHeader:
    """Returns the event as the intake log has it: a reply with our ids."""
    event = published_event(told)
    if not isinstance(event, Reply) or event.youth_id is None:
        return event
    alias = PSEUDONYMS.alias_under(event.programme, event.youth_id)
    assert alias is not None, "an example's reply comes under a pseudonym of the tests' key"
    return read_model(Reply, codec(Reply).encode_raw(understood_under(alias, raw_of(event))))


def expected_of(example: CaseExample) -> Expected:
    """Returns what follows from an example's story now."""
    story = story_of(example)
    handovers = [_told(when, one, HandoverEvent) for when, one in story.said if one.topic != "notices"]
    notices = [_told(when, one, Notice) for when, one in story.said if one.topic == "notices"]
    needs = view_of(story).model_dump(mode="json")["needs"] if story.views else []
    return Expected(handovers=tuple(handovers), notices=tuple(notices), needs=tuple(needs))


def view_of(story: Story) -> PathwayView:
    """Returns the public view that a story ends with."""
    return read_model(PathwayView, codec(PathwayView).encode_raw(story.views[-1]))


def _told(when: datetime, said: Emission, model: type[EventHeader]) -> Told:
    fields = said.fields
    if model is HandoverEvent:
        only = fields["subject"] if said.own_pseudonym else None
        fields = named_under(PSEUDONYMS.alias_of(fields["programme"], fields["youth_id"], only), fields)
    event = read_model(model, codec(model).encode_raw(fields))
    return Told(at=when.astimezone(COPENHAGEN), topic=said.topic, event=event.model_dump(mode="json"))


def text_of(example: CaseExample) -> str:
    """Returns a case as it is committed."""
    content = example.model_dump(mode="json", exclude_defaults=True)
    content["expected"] = example.expected.model_dump(mode="json")
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def rewrite_cases() -> None:
    """Rewrites the expected part of every case with what the pure core says now; events get the fields added since."""
    for path in case_files():
        example = read_case(path)
        events = tuple(one.model_copy(update={"event": _written(one)}) for one in example.events)
        rewritten = example.model_copy(update={"events": events, "expected": expected_of(example)})
        path.write_text(text_of(rewritten), encoding="utf-8")


def _written(told: Told) -> Json:
    model: Any = entry_of(told.topic).model
    event: Json = model.model_validate(told.event).model_dump(mode="json")
    return event


def record_text_of(topic: str) -> str:
    """Returns a topic's example record as it is committed: as its model writes it, with the fields added since."""
    model = entry_of(topic).model
    assert model is not None
    record = model.model_validate_json((FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
    return json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def rewrite_records() -> None:
    """Rewrites the example record of every topic that has one; a new topic's first is written by hand."""
    for topic in topics_with_models():
        path = FOLDER / f"{topic}.json"
        if path.exists():
            path.write_text(record_text_of(topic), encoding="utf-8")
