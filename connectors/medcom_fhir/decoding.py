"""From bytes to JSON's values within limits, before anything in the message is believed."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from connectors.medcom_fhir.nodes import Node, refused
from connectors.medcom_fhir.xml_form import is_xml, read_xml

# What a CareCommunication with its attachments may have in MedCom's network ("Clinical guidelines", 8).
BODY_BYTES_MAX = 50 * 1024 * 1024
NESTING_MAX = 40
ENTRIES_MAX = 200
_STRINGS = re.compile(rb'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


def decode(message: bytes) -> Node:
    """Returns the message's outermost JSON object; of a message in XML, what it is in JSON.

    Raises RefusedError where the bytes are too many, not UTF-8 (FHIR R4 allows no other encoding), nested
    too deeply, neither JSON nor XML, or not an object.
    """
    if len(message) > BODY_BYTES_MAX:
        raise refused("body_too_large", "Bundle", f"a message has at most {BODY_BYTES_MAX} bytes")
    if is_xml(message):
        return Node(read_xml(message, NESTING_MAX), "Bundle")
    if _nesting(message) > NESTING_MAX:
        raise refused("nesting_too_deep", "Bundle", f"a message is nested at most {NESTING_MAX} levels deep")
    value = _parsed(message)
    if not isinstance(value, dict):
        raise refused("not_an_object", "Bundle", "a message is one JSON object")
    return Node(value, "Bundle")


def _parsed(message: bytes) -> object:
    try:
        return json.loads(message.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise refused("wrong_encoding", "Bundle", "a message is encoded in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise refused("not_json", "Bundle", "a message is JSON") from error


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


def _nesting(message: bytes) -> int:
    deepest = depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", _STRINGS.sub(b"", message)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
