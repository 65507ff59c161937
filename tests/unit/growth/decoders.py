"""Every decoder of strangers' bytes, and frames into which runs of signs are put: behind beginnings, in messages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZipFile

from connectors.medcom_edi.beskedfordeler import read_push_answer
from connectors.medcom_edi.envelopes import unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.receipt_reading import read_receipt
from connectors.medcom_edi.translate import translate_interchange as translate_letters
from connectors.medcom_fhir.acknowledgement_reading import acknowledgement_in
from connectors.medcom_fhir.translate import translate_bundle
from connectors.municipal.guess import guessed
from connectors.municipal.rows import read_list
from connectors.strict_json import read_json_object
from schemas.refusals import RefusedError
from streams.cli.sending.door_answers import NoDoorError
from streams.cli.sending.file_kinds import outgoing_file_of
from tests.unit.medcom_edi import builders as letters
from tests.unit.medcom_edi.test_envelopes import WRAPPINGS
from tests.unit.medcom_fhir import builders as messages
from tests.unit.municipal.builders import ROW, a_csv, a_mapping, a_workbook, with_part

Decode = Callable[[bytes], object]
RECORDED_AT = letters.RECORDED_AT
MARK = b"@@@"
_HN, _CC = (messages.MESSAGES / f"{name}.json" for name in ("hn-06-SLHJ-discharge-home", "cc-14-new"))
_CC_XML = messages.MESSAGES / "cc-14-new.xml"


@dataclass(frozen=True)
class Frame:
    """A decoder, and bytes with a mark where a run is put."""

    name: str
    decode: Decode
    around: bytes

    def filled(self, run: bytes) -> bytes:
        """Returns the frame with a run in it."""
        return self.around.replace(MARK, run, 1)


def _of_door(body: bytes) -> object:
    """Does what the doors of letters do with a body: envelope, kind, letters."""
    with suppress(RefusedError):
        message = unwrap(body).message
        if message.lstrip()[:1] not in (b"{", b"["):
            translate_letters(message, letters.syntax_of(message), letters.a_door(), RECORDED_AT)
        return translate_bundle(message, messages.a_door(), RECORDED_AT)
    return None


def _edifact(body: bytes) -> object:
    return translate_letters(body, Syntax.EDIFACT, letters.a_door(), RECORDED_AT)


def _oioxml(body: bytes) -> object:
    return translate_letters(body, Syntax.OIOXML, letters.a_door(), RECORDED_AT)


def _fhir(body: bytes) -> object:
    return translate_bundle(body, messages.a_door(), RECORDED_AT)


def _json(body: bytes) -> object:
    with suppress(RefusedError):
        return read_json_object(body, 64)
    return None


def _receipts(body: bytes) -> object:
    for syntax in Syntax:
        with suppress(RefusedError):
            read_receipt(body, syntax)
    return read_push_answer(body), acknowledgement_in(body)


def _list(body: bytes) -> object:
    return read_list(body, a_mapping(), 1_000)


def _guess(body: bytes) -> object:
    return guessed(body, {})


def _file(body: bytes) -> object:
    with suppress(NoDoorError):
        return outgoing_file_of("discharges.json", body, None)
    return None


_XML_BEGUN = (b'<?xml version="1.0"?>', b"<?xml ", b"<!--", b"<a ", b'<a b="', b"<a>")
_EDIFACT_BEGUN = (b"UNA:+.? '", b"UNB+UNOC:3+", b"UNB+UNOC:3+1:14+2:14+250101:0101+1'UNH+1'")
_JSON_BEGUN = (b'{"', b'{"a":"', b'{"a":', b"[")


def decoders() -> dict[str, tuple[Decode, tuple[bytes, ...]]]:
    """Returns every decoder by its name, with what its formats begin with."""
    return {
        "door": (_of_door, (b"", b"\xef\xbb\xbf", b'<?xml version="1.0"?>', b"<VANSEnvelope><Message><Data>")),
        "edifact": (_edifact, (b"", *_EDIFACT_BEGUN)),
        "oioxml": (_oioxml, (b"", *_XML_BEGUN, b"<Emessage>")),
        "fhir": (_fhir, (b"", b'<Bundle xmlns="http://hl7.org/fhir">', b'{"resourceType":"Bundle","entry":[')),
        "json": (_json, (b"", *_JSON_BEGUN)),
        "receipts": (
            _receipts,
            (b"", b"UNB+UNOC:3+1:14+2:14+250101:0101+1'UCM+1+a+4'FTX+", b"<Emessage><NegativeReceipt>"),
        ),
        "list": (_list, (b"", b"[", b'{"', b"CPR;Sag;Status;Dato\n", b'"')),
        "guess": (_guess, (b"", b"[", b"CPR;Sag;Status;Dato\n")),
        "file kind": (_file, (b"", b"<?xml ", b'{"a":"')),
    }


def beginnings(decode: Decode, begun: tuple[bytes, ...]) -> list[Frame]:
    """Returns a decoder's frames of beginnings."""
    return [Frame(f"after {one!r}", decode, one + MARK) for one in begun]


def wholes() -> list[Frame]:
    """Returns frames of whole messages: a mark where text, a name, an id, a time or an element stands, and behind."""
    cc, hn = _CC.read_bytes(), _HN.read_bytes()
    rows = b'{"CPR": "1", "Sag": "2", "Status": "3", "Dato": "4"}'
    places: list[tuple[Decode, bytes, tuple[bytes, ...]]] = [
        (_edifact, letters.a_letter("DIS91_1"), (b"Venlig", b"S02", b"UNH+", b"UNT+")),
        (_edifact, letters.Notice().edifact(), (b"RFF+REI:", b"DTM+90:", b"PNA+PAT+", b"DTM+137:", b"UNOC:3+")),
        (_oioxml, letters.a_letter("DIS17_1", ".xml"), (b"<Identifier>", b"<Date>", b"<Patient>", b"</Envelope>")),
        (
            _fhir,
            cc,
            (b'"contentString" : "', b'"reference" : "', b'"timestamp" : "', b'"family" : "', b'"payload" : ['),
        ),
        (
            _fhir,
            hn,
            (b'"start" : "', b'"system" : "', b'"target" : [', b'"agent" : [', b'"entry" : [', b'"entity" : ['),
        ),
        (_fhir, _CC_XML.read_bytes(), (b"<Patient>", b'<contentString value="', b"<div", b'<reference value="')),
        (_receipts, letters.a_letter("CTL02_1"), (b"FTX+", b"UCM+", b"UNH+")),
        (_receipts, letters.a_letter("CTL02_1", ".xml"), (b"<RefuseText>", b"<OriginalEmessage>")),
        (_list, a_csv(ROW), (b"010510-9996", b"active", b"01-11-2026", b"CPR", b"S-1")),
        (_list, b"[" + rows + b"]", (b'"CPR": "', b'"Dato": "', b"[", b"}")),
        (_list, rows + b"\n", (b'"CPR": "', b'"Dato": "', b"{", b"}")),
        (_file, cc, (b'"contentString" : "', b"{")),
    ]
    places += [(_of_door, wrapped(b"QUJD"), (b"UVVKRA",)) for wrapped in WRAPPINGS[1:]]
    return [
        Frame(f"{decode.__name__} at {place!r}", decode, _marked(body, place))
        for decode, body, found in places
        for place in (*found, body[-1:])
    ]


def workbooks() -> list[Frame]:
    """Returns frames of workbooks, with a mark in each of their parts."""
    made = a_workbook(ROW)
    return [
        Frame(f"xlsx {part} at {place!r}", _of_part(made, part), _marked(_part(made, part), place))
        for part, place in _PARTS
    ]


def _marked(body: bytes, place: bytes) -> bytes:
    before, found, after = body.rpartition(place) if len(place) == 1 else body.partition(place)
    assert found, place
    return before + found + MARK + after


def _of_part(workbook: bytes, part: str) -> Decode:
    return lambda content: _list(with_part(workbook, part, content))


def _part(workbook: bytes, name: str) -> bytes:
    with ZipFile(BytesIO(workbook)) as archive:
        return archive.read(name)


_STYLES = "xl/styles.xml"
_PARTS: tuple[tuple[str, bytes], ...] = (
    ("xl/worksheets/sheet1.xml", b"<sheetData>"),
    ("xl/worksheets/sheet1.xml", b'<c r="'),
    ("xl/worksheets/sheet1.xml", b"<t>"),
    (_STYLES, b"<fonts"),
    (_STYLES, b'<numFmts count="'),
    ("xl/workbook.xml", b'name="'),
    ("[Content_Types].xml", b'PartName="'),
)
