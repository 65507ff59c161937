"""The AsyncAPI 3 document of the topics, generated: ``python -m schemas.asyncapi write``.

Operations are told from Brobygger's own side, as AsyncAPI asks: ``receive`` what it reads, ``send`` what it
writes. Topics that only Brobygger may read are in it too, tagged ``internal``.
"""

from __future__ import annotations

import inspect
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.avro import avro_schema
from schemas.cloudevents import CONTENT_TYPE
from schemas.topics import Topic, catalogue, kafka_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

FILE = Path(__file__).with_name("asyncapi.json")
JsonDocument = dict[str, Any]
_AVRO = "application/vnd.apache.avro+json;version=1.9.0"
_BINDING_VERSION = "0.5.0"
_OURS = ("connectors.", "streams.")
_PARAMETERS = {
    "programme": "The programme's id, the name of its file in programmes/",
    "source": "The source's id on Kafka, as its client was made with (`brobygger clients create source --kafka`)",
}
_HEADERS = {
    "ce_specversion": "CloudEvents' version, 1.0",
    "ce_id": "the event's id",
    "ce_source": "the source as a path, /sources/<name>",
    "ce_type": "the topic's name",
    "ce_time": "when it happened, in UTC with milliseconds",
    "ce_subject": "what it is about: the event's subject",
    "content-type": "application/avro",
}


def document() -> JsonDocument:
    """Returns the whole document."""
    topics = catalogue()
    models = {topic.event: topic.model for topic in topics.values() if topic.model is not None}
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {name: _channel(name, topic) for name, topic in topics.items()},
        "operations": {key: value for name, topic in topics.items() for key, value in _operations(name, topic).items()},
        "components": {
            "messages": {str(event): _message(model) for event, model in models.items()},
            "schemas": {"CloudEventsHeaders": _headers()},
        },
    }


def text() -> str:
    """Returns the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _info() -> JsonDocument:
    return {
        "title": "Brobygger",
        "version": version("brobygger"),
        "description": (
            "Joins hospital and municipal events into one pathway per young person and hands over to aftercare "
            "programmes. Records are Avro in single-object encoding, or in Confluent framing where a schema "
            "registry is used; their headers are CloudEvents 1.0 in Kafka's binary mode."
        ),
    }


def _channel(name: str, topic: Topic) -> JsonDocument:
    short = name if topic.per is None else f"{name}.{{{topic.per}}}"
    channel: JsonDocument = {
        "address": kafka_name(short),
        "title": name,
        "description": topic.description,
        "messages": {topic.event or "Record": _message_reference(topic)},
        "tags": [{"name": "internal" if topic.internal else "public"}],
        "bindings": {"kafka": _binding(topic)},
        "x-owner": topic.owner,
        "x-producers": list(topic.producers),
        "x-consumers": list(topic.consumers),
    }
    if topic.per is not None:
        channel["parameters"] = {topic.per: {"description": _PARAMETERS[topic.per]}}
    return channel


def _message_reference(topic: Topic) -> JsonDocument:
    if topic.event is not None:
        return {"$ref": f"#/components/messages/{topic.event}"}
    if topic.per is not None:
        return {"contentType": topic.media_type, "summary": topic.description}
    return {"contentType": topic.media_type, "summary": "The engine's own format; not for other readers."}


def _binding(topic: Topic) -> JsonDocument:
    config = topic.config()
    settings = {
        "cleanup.policy": [config["cleanup.policy"]],
        "retention.ms": int(config["retention.ms"]),
        "max.message.bytes": int(config["max.message.bytes"]),
    }
    return {"topicConfiguration": settings, "bindingVersion": _BINDING_VERSION}


def _operations(name: str, topic: Topic) -> dict[str, JsonDocument]:
    sides = {"send": topic.producers, "receive": topic.consumers}
    return {
        f"{action}.{name}": {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "summary": ", ".join(parts)}
        for action, parties in sides.items()
        if (parts := [party for party in parties if party.startswith(_OURS)])
    }


def _message(model: type[BaseModel]) -> JsonDocument:
    return {
        "name": model.__name__,
        "summary": (inspect.getdoc(model) or "").partition("\n")[0],
        "description": inspect.getdoc(model),
        "contentType": CONTENT_TYPE.decode(),
        "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
        "payload": {"schemaFormat": _AVRO, "schema": avro_schema(model)},
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": "youth_id; on handovers and replies the programme's pseudonym",
                },
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _headers() -> JsonDocument:
    properties = {name: {"type": "string", "description": meaning} for name, meaning in _HEADERS.items()}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka's binary mode; the payload is authoritative.",
        "properties": properties,
        "required": [*properties],
    }


def main(arguments: Sequence[str]) -> int:
    """Writes the document; returns the exit code."""
    if list(arguments) != ["write"]:
        sys.stderr.write("usage: python -m schemas.asyncapi write\n")
        return 2
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
