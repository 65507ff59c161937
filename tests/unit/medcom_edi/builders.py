"""Letters and doors for the tests: published letters, variations of them, and letters written in both syntaxes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.outcomes import (
    EdiOutcome,
    EdiRefused,
    EdiTranslation,
    InterchangeOutcome,
    LetterOutcome,
    Unreadable,
)
from connectors.medcom_edi.translate import EdiMappingContext, translate_interchange
from schemas.events import Correspondence, Discharge, Person, Referral
from schemas.reference import Reference, load_reference
from schemas.refusals import Refusal

ROOT = Path(__file__).parents[3]
MESSAGES = ROOT / "tests" / "messages" / "medcom-edi"
GOLDEN = ROOT / "tests" / "golden" / "medcom_edi"
RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)
# DIS91_3 is a DIS90; it and REF02 are of types that are not taken.
LETTERS = sorted(
    path.stem
    for path in MESSAGES.glob("*_?.edi")
    if not path.stem.startswith(("CTL", "REF02")) and path.stem != "DIS91_3"
)


class FixedIdentities:
    """Gives every person the same youth id, and remembers who was asked for."""

    def __init__(self) -> None:
        """Starts with nobody asked for."""
        self.asked: list[tuple[str, str]] = []

    def youth_id(self, identifier_system: str, value: str) -> str:
        """Returns the fixed id."""
        self.asked.append((identifier_system, value))
        return "youth-0001"


@cache
def the_reference() -> Reference:
    """Returns the reference data that ships."""
    return load_reference(ROOT / "reference")


def a_door(ages: range = range(150), identities: FixedIdentities | None = None) -> EdiMappingContext:
    """Returns a door that takes every age, unless said."""
    return EdiMappingContext((identities or FixedIdentities()).youth_id, the_reference(), ages)


def local(text: str) -> datetime:
    """Returns a time without offset, as letters have them."""
    return datetime.fromisoformat(text)


def a_letter(name: str = "DIS17_1", suffix: str = ".edi") -> bytes:
    """Returns a published letter."""
    return (MESSAGES / f"{name}{suffix}").read_bytes()


def edited(body: bytes, old: str, new: str) -> bytes:
    """Returns a letter with one text replaced, and in EDIFACT with the number of segments that it now has."""
    encoding = "cp1252" if body.lstrip().startswith(b"<") else "iso-8859-1"
    text = body.decode(encoding)
    assert text.count(old) >= 1, old
    text = text.replace(old, new)
    if encoding == "cp1252":
        return text.encode(encoding)
    start, end = text.index("UNH+"), text.index("UNT+")
    segments = re.sub(r"\?.", "", text[start:end]).count("'") + 1
    return re.sub(r"UNT\+[0-9]+", f"UNT+{segments}", text).encode(encoding)


def syntax_of(body: bytes) -> Syntax:
    """Returns the syntax of a letter."""
    return Syntax.OIOXML if body.lstrip().startswith(b"<") else Syntax.EDIFACT


def outcome_of(body: bytes, door: EdiMappingContext | None = None) -> EdiOutcome:
    """Returns what comes of an interchange."""
    return translate_interchange(body, syntax_of(body), door or a_door(), RECORDED_AT)


def letters_of(body: bytes, door: EdiMappingContext | None = None) -> tuple[LetterOutcome, ...]:
    """Returns what comes of each letter of an interchange that can be read."""
    outcome = outcome_of(body, door)
    assert isinstance(outcome, InterchangeOutcome), outcome
    return outcome.letters


def translation_of(body: bytes, door: EdiMappingContext | None = None) -> EdiTranslation:
    """Returns the translation of a single letter that is taken."""
    (letter,) = letters_of(body, door)
    assert isinstance(letter, EdiTranslation), letter
    return letter


def event_of(body: bytes, door: EdiMappingContext | None = None) -> Discharge | Referral | Correspondence | Person:
    """Returns what a single letter that is taken says."""
    return translation_of(body, door).events[0][1]


def discharge_of(body: bytes, door: EdiMappingContext | None = None) -> Discharge:
    """Returns the step of a stay that a letter tells."""
    event = event_of(body, door)
    assert isinstance(event, Discharge), event
    return event


def person_of(body: bytes) -> Person:
    """Returns the persons event of a letter that is taken."""
    event = translation_of(body).events[1][1]
    assert isinstance(event, Person)
    return event


def refusal_of(body: bytes, syntax: Syntax | None = None) -> Refusal:
    """Returns why an interchange, or its only letter, was refused."""
    outcome = translate_interchange(body, syntax or syntax_of(body), a_door(), RECORDED_AT)
    if isinstance(outcome, Unreadable):
        return outcome.refusal
    (letter,) = outcome.letters
    assert isinstance(letter, EdiRefused), letter
    return letter.refusal


_AUTHORISED, _HAPPENED = local("2025-06-24T00:02:17"), local("2025-06-24T00:02")


@dataclass(frozen=True)
class Notice:
    """An admission or discharge notice as its sender means it, to be written in either syntax."""

    kind: str = "17"
    identifier: str = "EPIC394310433"
    notification: str = "000000000009ADA35A3185937ABF8C5B"
    status: tuple[str, str] = ("N", "nytbrev")
    patient_status: tuple[str, str] = ("DH", "udskrevet_til_hjemmet")
    authorised: datetime = _AUTHORISED
    happened: datetime = _HAPPENED
    sender: tuple[str, str, str] = ("1301812", "SKS:SST", "sygehusafdelingsnummer")
    receiver: tuple[str, str, str] = ("217", "KOM:IM", "kommunenummer")
    number: str = "0105104840"
    sender_gln: str = "5790002515200"
    receiver_gln: str = "5790002508226"
    envelope: str = "KUVERT1"

    def but(self, **changes: object) -> Notice:
        """Returns the notice with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def message(self) -> list[str]:
        """Returns the message's segments."""
        segments = [
            f"UNH+{self.identifier}+MEDDIS:D:93A:UN:D{self.kind}30C+DIS{self.kind}",
            "BGM+EPI++9+NA",
            f"DTM+137:{self.authorised:%Y%m%d%H%M%S}:204",
            "S01+01",
            f"NAD+SOR+{self.sender[0]}:{self.sender[1]}++Psykiatrien:Afsnit?+1:::::US",
            "SEQ++1",
            f"SPR+ORG++DIS{self.kind}:SKS:SST",
            "S01+01",
            f"NAD+ROR+{self.receiver[0]}:{self.receiver[1]}++Kommunen:::::US",
            "SEQ++2",
            "S02+02",
            "GIS+N",
            f"RFF+SRI:{self.identifier}",
            "S07+07",
            f"PNA+PAT+{self.number}:::CPR:IM",
            "S11+11",
            f"GIS+{self.status[0]}",
            "GIS+P",
            f"RFF+REI:{self.notification}",
            "SEQ++1",
            f"DTM+90:{self.happened:%Y%m%d%H%M}:203",
            f"PAS+{self.patient_status[0]}",
        ]
        return [*segments, f"UNT+{len(segments) + 1}+{self.identifier}"]

    def edifact(self) -> bytes:
        """Returns the notice as EDIFACT."""
        return an_interchange(self)

    def letter(self) -> str:
        """Returns the notice's element."""
        name, happened = {
            "17": ("NotificationOfDischarge", "Discharge"),
            "20": ("NotificationOfAdmission", "Admission"),
        }[self.kind]
        return (
            f"<{name}><Letter><Identifier>{self.identifier}</Identifier><VersionCode>XD{self.kind}30C</VersionCode>"
            f"<StatisticalCode>XDIS{self.kind}</StatisticalCode><Authorisation><Date>{self.authorised:%Y-%m-%d}</Date>"
            f"<TimeWithSec>{self.authorised:%H:%M:%S}</TimeWithSec></Authorisation><TypeCode>XDIS{self.kind}</TypeCode>"
            f"<StatusCode>{self.status[1]}</StatusCode>"
            f"<NotificationIdentifier>{self.notification}</NotificationIdentifier></Letter>"
            f"<Sender><EANIdentifier>{self.sender_gln}</EANIdentifier><Identifier>{self.sender[0]}</Identifier>"
            f"<IdentifierCode>{self.sender[2]}</IdentifierCode><OrganisationName>Psykiatrien</OrganisationName></Sender>"
            f"<Receiver><EANIdentifier>{self.receiver_gln}</EANIdentifier><Identifier>{self.receiver[0]}</Identifier>"
            f"<IdentifierCode>{self.receiver[2]}</IdentifierCode></Receiver>"
            f"<Patient><CivilRegistrationNumber>{self.number}</CivilRegistrationNumber>"
            f"<EpisodeOfCareStatusCode>{self.patient_status[1]}</EpisodeOfCareStatusCode></Patient>"
            f"<{happened}><Date>{self.happened:%Y-%m-%d}</Date><Time>{self.happened:%H:%M}</Time></{happened}></{name}>"
        )

    def oioxml(self) -> bytes:
        """Returns the notice as OIOXML."""
        return a_document(self)


def an_interchange(*notices: Notice) -> bytes:
    """Returns notices of one sender as one EDIFACT interchange."""
    first = notices[0]
    segments = [
        f"UNB+UNOC:3+{first.sender_gln}:14+{first.receiver_gln}:14+250624:0002+{first.envelope}++++1",
        *(segment for notice in notices for segment in notice.message()),
        f"UNZ+{len(notices)}+{first.envelope}",
    ]
    return ("UNA:+.? '" + "".join(f"\n{segment}'" for segment in segments) + "\n").encode("iso-8859-1")


def a_document(*notices: Notice) -> bytes:
    """Returns notices of one sender as one OIOXML document."""
    letters = "".join(notice.letter() for notice in notices)
    return (
        '<?xml version="1.0" encoding="windows-1252"?>'
        '<Emessage xmlns="http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/"><Envelope>'
        "<Sent><Date>2025-06-24</Date><Time>00:02</Time></Sent>"
        f"<Identifier>{notices[0].envelope}</Identifier><AcknowledgementCode>pluspositivkvitt</AcknowledgementCode>"
        f"</Envelope>{letters}</Emessage>"
    ).encode("cp1252")
