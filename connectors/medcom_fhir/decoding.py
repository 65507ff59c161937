"""From bytes to JSON's values within limits, before anything in the message is believed."""

from __future__ import annotations

from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.xml_form import is_xml, read_xml
from connectors.strict_json import read_json_object
from connectors.strict_xml import PADDING
from schemas.refusals import RefusedError

# What a CareCommunication with its attachments may have in MedCom's network ("Clinical guidelines", 8).
BODY_BYTES_MAX = 50 * 1024 * 1024
NESTING_MAX = 40
ENTRIES_MAX = 200


def decode(message: bytes) -> Node:
    """Returns the message's outermost JSON object; of a message in XML, what it is in JSON.

    Raises RefusedError where the bytes are too many, not UTF-8 (FHIR R4 allows no other encoding), too many values or
    nested too deeply, neither JSON nor XML, or not an object.
    """
    if len(message) > BODY_BYTES_MAX:
        raise fhir_refusal("body_too_large", "Bundle", f"a message has at most {BODY_BYTES_MAX} bytes")
    if is_xml(message):
        return Node(read_xml(message, NESTING_MAX), "Bundle")
    try:
        return Node(read_json_object(message.rstrip(PADDING), NESTING_MAX), "Bundle")
    except RefusedError as error:
        raise fhir_refusal(error.refusal.code, "Bundle", error.refusal.rule) from error
