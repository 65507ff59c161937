"""FHIR instants and dateTimes with the offset as sent."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.medcom_fhir.nodes import Node, fhir_refusal
from schemas.instants import is_possible_time

_WITH_OFFSET = re.compile(
    r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])",
)
_WITHOUT_OFFSET = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?)?)?")


def required_time(node: Node, name: str) -> datetime:
    """Returns a required time, aware, with the offset as sent (published messages carry odd ones).

    Raises RefusedError where it has no offset (MedCom: a timestamp SHALL include a timezone) or where
    the day or hour does not exist.
    """
    text, path = node.text(name), f"{node.path}.{name}"
    if _WITHOUT_OFFSET.fullmatch(text):
        raise fhir_refusal("time_without_offset", path, "a time has date, hour, minute, second and offset")
    if not _WITH_OFFSET.fullmatch(text):
        raise fhir_refusal("invalid_time", path, "the time is a FHIR instant")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise fhir_refusal("invalid_time", path, "the day and the hour exist") from error
    if not is_possible_time(moment):
        raise fhir_refusal("invalid_time", path, "the year is 1900 to 2199, in UTC")
    return moment


def optional_time_of(node: Node | None, name: str) -> datetime | None:
    """Returns a time that may be absent; one that is present follows the rules of ``required_time``."""
    if node is None or node.value.get(name) is None:
        return None
    return required_time(node, name)
