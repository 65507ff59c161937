"""KOMBIT Beskedfordeler's envelope: an answer is put into a Haendelsesbesked, and a push is answered as it wants.

Sources: KOMBIT SF1461 (urn:oio:besked:kuvert:1.0, urn:oio:sts:1.0.0, urn:oio:sagdok:3.0.0), kombit's published samples
for receivers; MedCom, "Governance for MedCom HospitalNotification": an Acknowledgement goes back in a Haendelsesbesked.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from connectors.medcom_edi.xml_documents import read_document
from schemas.identifiers import derived_text
from schemas.refusals import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

MESSAGE, PUSHED, PUSH_ANSWER = "Haendelsesbesked", "ModtagBeskedInput", "ModtagBeskedOutput"
_ENVELOPE, _OIO, _STS = "urn:oio:besked:kuvert:1.0", "urn:oio:sagdok:3.0.0", "urn:oio:sts:1.0.0"
_VERSION = "1.0"
_IDENTIFIERS = frozenset({"UUIDIdentifikator", "URNIdentifikator"})
_RECEIVERS_MAX, _RECEIVER_CHARACTERS_MAX = 50, 128
_TEXT_CHARACTERS_MAX = 500


class PushStatus(IntEnum):
    """StandardRetur.StatusKode, as far as it is answered here."""

    TAKEN = 20
    REFUSED = 40
    UNAVAILABLE = 53


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A Haendelsesbesked that is answered: who may receive it (each TilladtModtager's element and text), and its id."""

    receivers: tuple[tuple[str, str], ...]
    about: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A message that Beskedfordeler pushed: it reads a status of the answer, and nothing else."""


def event_message(envelope: etree._Element) -> EventMessage:
    """Returns what an answer needs of a Haendelsesbesked; nothing of it is required."""
    told = envelope.iterfind("{*}Beskedkuvert/{*}Filtreringsdata/{*}TilladtModtager/*")
    named = [(etree.QName(one).localname, (one.text or "").strip()) for one in islice(told, _RECEIVERS_MAX)]
    receivers = tuple(one for one in named if one[0] in _IDENTIFIERS and 1 <= len(one[1]) <= _RECEIVER_CHARACTERS_MAX)
    about = envelope.findtext("{*}BeskedId/{*}UUIDIdentifikator") or ""
    return EventMessage(receivers, about.strip())


def in_event_message(message: bytes, answered: EventMessage, at: datetime) -> bytes:
    """Returns the message in a Haendelsesbesked for those who may receive the one that it answers.

    Whoever publishes it adds by what type, as which system and about what: KOMBIT gives these numbers to that system.
    """
    root = etree.Element(f"{{{_ENVELOPE}}}{MESSAGE}", nsmap={"k": _ENVELOPE, "o": _OIO})
    data, sent = base64.b64encode(message).decode(), at.isoformat(timespec="milliseconds")
    identifier = derived_text("event-message", data, answered.about, sent)
    _under(_under(root, _ENVELOPE, "BeskedId"), _OIO, "UUIDIdentifikator", identifier)
    _under(root, _ENVELOPE, "BeskedVersion", _VERSION)
    cover = _under(root, _ENVELOPE, "Beskedkuvert")
    filters = _under(cover, _ENVELOPE, "Filtreringsdata")
    for name, text in answered.receivers:
        _under(_under(filters, _ENVELOPE, "TilladtModtager"), _OIO, name, text)
    delivery = _under(cover, _ENVELOPE, "Leveranceinformation")
    _under(_under(delivery, _ENVELOPE, "Dannelsestidspunkt"), _OIO, "TidsstempelDatoTid", sent)
    _under(_under(root, _ENVELOPE, "Beskeddata"), _ENVELOPE, "Base64", data)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def push_answer(status: PushStatus, text: str) -> bytes:
    """Returns the ModtagBeskedOutput of a push; ``text`` is why, and is cut where it is long."""
    root = etree.Element(f"{{{_STS}}}{PUSH_ANSWER}", nsmap={"s": _STS, "o": _OIO})
    told = _under(root, _OIO, "StandardRetur")
    _under(told, _OIO, "StatusKode", str(int(status)))
    _under(told, _OIO, "FejlbeskedTekst", text[:_TEXT_CHARACTERS_MAX])
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def read_push_answer(content: bytes) -> tuple[int, str] | None:
    """Returns the status and the text of a ModtagBeskedOutput, or None where it is anything else."""
    try:
        document = read_document(content)
        told = document.child("StandardRetur")
        status, text = told.said("StatusKode").text, told.said("FejlbeskedTekst").text
    except RefusedError:
        return None
    is_one = document.name == PUSH_ANSWER and status is not None and status.isdecimal() and status.isascii()
    return (int(status), text or "") if is_one and status else None


def _under(parent: etree._Element, namespace: str, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{namespace}}}{name}")
    child.text = text
    return child
