"""The payload segments of a CareCommunication: when each was written, and nothing of what it says.

Guides 3.0-5.x have the extensions in medcom-core, guide 2.x in medcom-carecommunication; they mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.times import required_time
from connectors.sender_ids import normalised

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

_DATE = ("/medcom-core-datetime-extension", "/medcom-carecommunication-datetime-extension")
_IDENTIFIER = (
    "/medcom-core-identifier-extension",
    "/medcom-carecommunication-attachment-identifier-extension",
)
_ATTACHMENT = ("contentType", "title", "url", "data")


@dataclass(frozen=True, slots=True)
class MessageSegment:
    """One payload: its normalised id, absent in guide 2.x, when it was written, and which element says so."""

    segment_id: str | None
    written_at: datetime
    path: str


def read_message_segments(communication: Node) -> tuple[MessageSegment, ...]:
    """Returns a letter's segments; at least one of them holds a text.

    Raises RefusedError where one has neither text nor attachment, or both, or says not when it was written.
    """
    payloads = communication.children("payload")
    texts = [payload for payload in payloads if _has_text(payload)]
    if not texts:
        raise fhir_refusal("element_missing", "Communication.payload.contentString", "a letter has at least one text")
    return tuple(_segment(payload) for payload in payloads)


def newest(segments: tuple[MessageSegment, ...], added: Collection[str]) -> MessageSegment:
    """Returns the newest of the segments that this message added, or of all where it names none that is there.

    A reply retells what it answers; the Provenance of guides 4.x and 5.x names the segments that are its own.
    """
    own = [segment for segment in segments if segment.segment_id in added]
    return max(own or segments, key=lambda segment: segment.written_at)


def said_in(communication: Node) -> list[Any]:
    """Returns what the segments say, for a digest alone: texts and attachments, without who wrote them."""
    return [
        [payload.value.get("contentString"), [attachment.get(name) for name in _ATTACHMENT]]
        for payload in communication.children("payload")
        for attachment in [payload.value.get("contentAttachment") or {}]
    ]


def _has_text(payload: Node) -> bool:
    """Returns whether a segment is a text; raises RefusedError where it is no attachment either, or both."""
    text, attachment = payload.value.get("contentString"), payload.optional_child("contentAttachment")
    if text is not None and (not isinstance(text, str) or not text.strip()):
        raise fhir_refusal(
            ErrorCode.DATATYPE_WRONG, f"{payload.path}.contentString", "the element is a non-empty string"
        )
    if (text is None) is (attachment is None):
        raise fhir_refusal(
            "element_missing", f"{payload.path}.content", "a segment has one content, text or attachment"
        )
    if attachment is not None:
        attachment.text("title")
    return text is not None


def _segment(payload: Node) -> MessageSegment:
    dates = {required_time(extension, "valueDateTime"): extension.path for extension in _extensions(payload, _DATE)}
    if len(dates) != 1:
        rule = "a segment says once when it was written"
        raise fhir_refusal("element_repeated" if dates else "element_missing", f"{payload.path}.extension", rule)
    written_at, path = next(iter(dates.items()))
    ids = [extension.child("valueIdentifier").text("value") for extension in _extensions(payload, _IDENTIFIER)]
    return MessageSegment(normalised(ids[0]) if ids else None, written_at, f"{path}.valueDateTime")


def _extensions(payload: Node, suffixes: tuple[str, ...]) -> list[Node]:
    return [
        extension
        for extension in payload.children("extension")
        if (extension.optional_text("url") or "").endswith(suffixes)
    ]
