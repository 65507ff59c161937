"""What a source's credentials are tried on, as ``attempts`` has it for programmes."""

from __future__ import annotations

from schemas.topics import kafka_name
from tests.integration.attempts import (
    OTHER_SOURCE,
    OWN,
    SOURCE,
    Attempt,
    GroupRefused,
    TopicRefused,
    all_topics,
    asking,
    deleting_records,
    joining,
    reading,
    writing,
)

SOURCE_MAY_READ = {kafka_name(f"receipts.{SOURCE}")}
SOURCE_MAY_WRITE = {kafka_name(f"statements.{SOURCE}")}
NOT_THE_SOURCES_GROUPS = (f"source-{OTHER_SOURCE}.desk", f"{OWN}.desk", "brobygger", f"brobygger-source-{SOURCE}")

ATTEMPTS_OF_A_SOURCE = (
    *(Attempt(f"read {topic}", reading(topic), TopicRefused) for topic in all_topics() if topic not in SOURCE_MAY_READ),
    *(
        Attempt(f"write {topic}", writing(topic), TopicRefused)
        for topic in all_topics()
        if topic not in SOURCE_MAY_WRITE
    ),
    *(Attempt(f"join group {group}", joining(group), GroupRefused) for group in NOT_THE_SOURCES_GROUPS),
    *(
        Attempt(f"delete records of {topic}", asking(deleting_records(topic)), TopicRefused)
        for topic in (*SOURCE_MAY_WRITE, *SOURCE_MAY_READ)
    ),
)
